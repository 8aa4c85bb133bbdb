#!/bin/sh
# SPDX-License-Identifier: MIT
# header_list.sh [ROOT]: cmake/headers.cmake names every header on disk and no other, in order.
# header_list.sh --write: makes it so.
set -eu
export LC_ALL=C
write=
if [ "${1:-}" = --write ]; then
  write=yes
  shift
fi
cd "${1:-$(dirname -- "$0")/../..}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -n 's/^  \([^ ]*\)$/\1/p' cmake/headers.cmake > "$work/listed"
(cd include && find gossip -type f ! -name '*.md' | sort) > "$work/disk"
if [ -n "$write" ]; then
  {
    sed '/^set(/q' cmake/headers.cmake
    sed 's/^/  /' "$work/disk"
    echo ')'
  } > "$work/new"
  cat "$work/new" > cmake/headers.cmake
  exit 0
fi
sort -c "$work/listed" || { echo 'cmake/headers.cmake is not sorted'; exit 1; }
if ! diff "$work/listed" "$work/disk" > "$work/difference"; then
  sed -n -e 's/^< \(.*\)/cmake\/headers.cmake names \1, which does not exist/p' \
    -e 's/^> \(.*\)/cmake\/headers.cmake does not name \1/p' "$work/difference"
  exit 1
fi
