#!/bin/sh
# SPDX-License-Identifier: MIT
# accounting_test.sh LOGWATCH LOG: no line of forty times the log is lost where publishers often
# find the queue full, and workers are refused for nesting too deep.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for part in 1 2 3 4 5 6 7 8; do
  cat "$2" "$2" "$2" "$2" "$2"
done > "$folder/log"
lines=$(($(wc -l < "$folder/log")))
for workers in 1 1 1 1 1 1 1 1 2 4; do
  "$1" --workers "$workers" --capacity 2 "$folder/log" > "$folder/out"
  last=$(tail -n 1 "$folder/out")
  [ "$last" = "all $lines lines accounted for" ] || { echo "$workers workers: $last"; exit 1; }
done
