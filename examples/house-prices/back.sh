#!/bin/sh
# Put the model before this one back into service: ./back.sh staging
set -eu
cd "$(dirname "$0")"
home=${HOUSES_HOME:-${PIPEGEN_FOLDER:-.}/deployed}/${1:?usage: ./back.sh ENVIRONMENT}

release=releases/${PIPEGEN_VERSION:-local}-$(sha256sum models/best.pkl | cut -c1-12)
if [ -n "${PIPEGEN_VERSION:-}" ] && [ "$(readlink "$home/current")" != "$release" ]; then
    echo "$home: $release did not get into service"
    exit 0
fi
previous=$(readlink "$home/previous") || {
    echo "$home: there is no previous release to go back to" >&2
    exit 1
}
ln -sfn "$previous" "$home/next"
mv -T "$home/next" "$home/current"
echo "$home: $previous is in service again"
