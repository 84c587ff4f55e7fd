#!/bin/sh
# Put models/best.pkl into service: ./deploy.sh staging
#
# A release is a folder named by version and digest of the model; "current" and "previous" point at two of them. Switching
# a link is atomic, so whoever reads current/model.pkl has the old model or the new one, whole. `pipegen promote` runs this
# in a checkout of the version's own commit, says which version it is, and from which folder it was called.
set -eu
cd "$(dirname "$0")"
home=${HOUSES_HOME:-${PIPEGEN_FOLDER:-.}/deployed}/${1:?usage: ./deploy.sh ENVIRONMENT}

release=releases/${PIPEGEN_VERSION:-local}-$(sha256sum models/best.pkl | cut -c1-12)
mkdir -p "$home/$release"
cp models/best.pkl "$home/$release/model.pkl.part"
mv "$home/$release/model.pkl.part" "$home/$release/model.pkl"

current=$(readlink "$home/current" || true)
if [ "$current" = "$release" ]; then
    echo "$home: $release is already in service"
    exit 0
fi
if [ -n "$current" ]; then
    ln -sfn "$current" "$home/previous"
fi
ln -sfn "$release" "$home/next"
mv -T "$home/next" "$home/current"
echo "$home: $release is in service"
