#!/bin/sh
# Ask the model in service for two prices: ./smoke.sh staging
set -eu
cd "$(dirname "$0")"
home=${HOUSES_HOME:-${PIPEGEN_FOLDER:-.}/deployed}/${1:?usage: ./smoke.sh ENVIRONMENT}

exec python -m houses.smoke "$home/current/model.pkl"
