#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh SECONDS PROGRAM TEST: succeeds if that test fails in one of three runs, or does not come to an end in
# that time.
set -u
"$2" "$3" --list-tests | grep -q '^1 matching' || {
  echo "$3: not the name of one test"
  exit 1
}
# A race is not met in every run.
for _ in 1 2 3; do
  result=0
  timeout -k 1 "$1" "$2" "$3" > /dev/null 2>&1 || result=$?
  [ "$result" -eq 0 ] || break
done
case $result in
  0)
    echo "$3: has not noticed"
    exit 1
    ;;
  124 | 137) echo "$3: noticed, by not coming to an end" ;;
  *) echo "$3: noticed, exit code $result" ;;
esac
