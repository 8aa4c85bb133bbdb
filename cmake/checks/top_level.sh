#!/bin/sh
# SPDX-License-Identifier: MIT
# top_level.sh [ROOT]: the repository's top level holds what is named here, and dot files.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
# What git would commit; where git cannot say, what is there (but the ignored build folder).
if ! { [ -e .git ] && names=$(git ls-files --cached --others --exclude-standard 2> /dev/null); }; then
  names=$(find . -mindepth 1 -maxdepth 1 ! -name build | sed 's|^\./||')
fi
[ -n "$names" ] || { echo 'nothing here'; exit 1; }
printf '%s\n' "$names" | cut -d / -f 1 | LC_ALL=C sort -u | awk '
  BEGIN {
    n = split("include tests benchmarks examples cmake CMakeLists.txt README.md LICENSE " \
      "CMakePresets.json vcpkg.json conanfile.py CHANGELOG.md CONTRIBUTING.md", names, " ")
    for (i = 1; i <= n; ++i) allowed[names[i]] = 1
  }
  /^\./ || $0 in allowed { next }
  { print $0 ": does not belong at the top level"; failed = 1 }
  END { exit failed }
'
