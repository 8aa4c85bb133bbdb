#!/bin/sh
# SPDX-License-Identifier: MIT
# examples_listed.sh [ROOT]: the table in examples/README.md has each program that is built there, by its
# file or its folder.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
[ -f examples/CMakeLists.txt ] || exit 0
export LC_ALL=C

violations=$(sed '/^ *#/d' examples/CMakeLists.txt | tr '\n' ' ' | grep -oE 'gossip_example\([^)]*SOURCES +[^ )]+' |
  sed 's/.* //' | sort -u | while read -r source; do
  case $source in
    *'$'*) continue ;; # of a loop
    */*) folder=${source%/*}/ ;;
    *) folder=$source ;;
  esac
  grep -qE "^\| \`($source|$folder)\` \|" examples/README.md ||
    echo "examples/README.md: its table has neither $source nor $folder"
done)
[ -z "$violations" ] || { printf '%s\n' "$violations"; exit 1; }
