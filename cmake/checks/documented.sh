#!/bin/sh
# SPDX-License-Identifier: MIT
# documented.sh [ROOT]: Doxygen finds nothing public that is undocumented, as for the target `docs`. Where
# it is not installed, it says so; `cmake/dev.sh check docs` installs it.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
[ -f cmake/Doxyfile.in ] || exit 0
command -v doxygen > /dev/null 2>&1 || { echo 'warning: doxygen is not installed'; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/docs"
{
  sed -e "s|@PROJECT_BINARY_DIR@|$work|" -e "s|@PROJECT_SOURCE_DIR@|$(pwd)|" \
    -e 's|@PROJECT_[A-Z]*@||' cmake/Doxyfile.in
  # Nothing is read of it, but without any output Doxygen checks less.
  echo 'GENERATE_HTML = NO'
  echo 'GENERATE_XML = YES'
} > "$work/Doxyfile"
if ! doxygen "$work/Doxyfile" > "$work/log" 2>&1; then
  sed "s|^$(pwd)/||" "$work/log" | sort -u
  exit 1
fi
