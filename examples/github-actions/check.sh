#!/bin/sh
# usage: check.sh PROGRAM VERSION
set -eu
test "$("$1")" = 'Hello, world!'
test "$("$1" Ada)" = 'Hello, Ada!'
test "$("$1" --version)" = "hello $2"
echo "ok"
