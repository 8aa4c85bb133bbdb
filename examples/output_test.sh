#!/bin/sh
# SPDX-License-Identifier: MIT
# output_test.sh PROGRAM ARGUMENT...: where standard output is full or closed the program says so, once,
# and ends with 1; where nobody reads on it ends, without a word.
set -eu
name=${1##*/}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  echo "$*"
  cat "$folder/err"
  exit 1
}
if [ -w /dev/full ]; then
  result=0
  "$@" > /dev/full 2> "$folder/err" < /dev/null || result=$?
  [ "$result" -eq 1 ] || fail "on a full disk the exit code is $result"
  [ "$(cat "$folder/err")" = "$name: cannot write to standard output" ] || fail 'on a full disk it says:'
fi
result=0
"$@" >&- 2> "$folder/err" < /dev/null || result=$?
[ "$result" -eq 1 ] || fail "without standard output the exit code is $result"
"$@" 2> "$folder/err" < /dev/null | head -n 1 > "$folder/out"
[ -s "$folder/out" ] || fail 'it prints nothing'
[ ! -s "$folder/err" ] || fail 'where nobody reads on it says:'
