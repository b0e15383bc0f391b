#!/bin/sh
# usage: rebuild.sh FILE
#
# Builds greetd once more and writes it to FILE. The sources are copied to a
# fresh directory and compiled there with an empty cache: the same command in
# the same place would hand back the cached result and prove nothing.
set -eu

out=$(pwd)/$1
work=${TMPDIR:-/tmp}/greetd-rebuild.$$
(umask 077 && mkdir "$work") # fails, rather than use what somebody else put there
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$work/src" "$work/cache"
cp go.mod ./*.go "$work/src/"
cd "$work/src"
GOCACHE=$work/cache GOFLAGS='' go build -trimpath -buildvcs=false -o "$out" .
