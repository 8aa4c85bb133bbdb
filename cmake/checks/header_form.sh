#!/bin/sh
# SPDX-License-Identifier: MIT
# header_form.sh [ROOT]: a header begins with the SPDX line and `#pragma once`, has a `/// @file`
# block, defines no macros (config.hpp and version.hpp: GOSSIP_* alone), and leaves nothing to do.
# Other sources begin with the SPDX line too.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
export LC_ALL=C
violations=$(find include/gossip -name '*.hpp' | sort | while read -r file; do
  awk -v file="$file" '
    function complain(text) { print file ":" text }
    NR == 1 && $0 != "// SPDX-License-Identifier: MIT" { complain("1: not the SPDX line") }
    NR == 2 && $0 != "#pragma once" { complain("2: not `#pragma once`") }
    /^\/\/\/ @file$/ { documented = 1 }
    /^[ \t]*#[ \t]*(define|undef)[ \t]/ {
      name = $0
      sub(/^[ \t]*#[ \t]*(define|undef)[ \t]+/, "", name)
      sub(/[^A-Za-z0-9_].*/, "", name)
      if (file !~ /^include\/gossip\/(config|version)\.hpp$/) complain(NR ": a macro: " name)
      else if (name !~ /^GOSSIP_[A-Z0-9_]+$/) complain(NR ": a macro not named GOSSIP_*: " name)
    }
    /(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z]|$)/ { complain(NR ": something left to do") }
    END {
      if (!documented) complain("1: no `/// @file` block")
    }
  ' "$file"
done
find tests benchmarks examples cmake .ci CMakeLists.txt -type f \( -name '*.cpp' -o -name '*.hpp' \
  -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt -o -path '.ci/run' \) | sort |
  while read -r file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file:1: no SPDX line"
  done)
[ -z "$violations" ] || { printf '%s\n' "$violations"; exit 1; }
