#!/bin/sh
# SPDX-License-Identifier: MIT
# version.sh [ROOT]: in version.hpp, the text is the three numbers.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
awk '
  $1 == "#define" && $2 ~ /^GOSSIP_VERSION_(MAJOR|MINOR|PATCH)$/ { numbers = numbers "." $3 }
  $1 == "#define" && $2 == "GOSSIP_VERSION_STRING" { text = $3 }
  END {
    if (text == "\"" substr(numbers, 2) "\"") exit 0
    print "version.hpp: GOSSIP_VERSION_STRING is " text ", the numbers say " substr(numbers, 2)
    exit 1
  }
' include/gossip/version.hpp
