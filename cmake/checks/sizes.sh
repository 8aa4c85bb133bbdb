#!/bin/sh
# SPDX-License-Identifier: MIT
# sizes.sh [ROOT]: a header has at most 400 lines; over 250 it says so.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
find include/gossip -name '*.hpp' | LC_ALL=C sort | while read -r file; do
  printf '%s %s\n' "$(wc -l < "$file")" "$file"
done | awk '
  $1 > 400 { print $2 ": " $1 " lines, over 400"; failed = 1; next }
  $1 > 250 { print "warning: " $2 ": " $1 " lines, over 250" }
  END { exit failed }
'
