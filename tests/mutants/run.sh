#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh SECONDS PROGRAM TESTS: succeeds if one of these tests fails, or does not come to an end in
# that time.
set -u
"$2" "$3" --list-tests | grep -q '^1 matching' || {
  echo "$3: not the name of one test"
  exit 1
}
result=0
timeout -k 1 "$1" "$2" "$3" > /dev/null 2>&1 || result=$?
case $result in
  0)
    echo "$3: has not noticed"
    exit 1
    ;;
  124 | 137) echo "$3: noticed, by not coming to an end" ;;
  *) echo "$3: noticed, exit code $result" ;;
esac
