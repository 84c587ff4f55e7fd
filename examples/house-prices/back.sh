#!/bin/sh
# Put the model before this one back into service: ./back.sh staging
set -eu
cd "$(dirname "$0")"
home=${HOUSES_HOME:-deployed}/${1:?usage: ./back.sh ENVIRONMENT}

previous=$(readlink "$home/previous") || {
    echo "$home: there is no previous release to go back to" >&2
    exit 1
}
ln -sfn "$previous" "$home/next"
mv -T "$home/next" "$home/current"
echo "$home: $previous is in service again"
