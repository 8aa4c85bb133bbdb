#!/bin/sh
# SPDX-License-Identifier: MIT
# version.sh [ROOT]: in version.hpp, the text is the three numbers; the packages and the newest
# section of CHANGELOG.md have the same version. (CMake and Conan read version.hpp.)
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
version=$(sed -n 's/^#define GOSSIP_VERSION_STRING "\(.*\)"/\1/p' include/gossip/version.hpp)
status=0
# same FILE TEXT: what that file says, if there is that file
same() {
  [ ! -f "$1" ] || [ "$2" = "$version" ] || { echo "$1: version '$2', version.hpp says $version"; status=1; }
}
for manifest in vcpkg.json cmake/vcpkg/ports/gossip/vcpkg.json; do
  same "$manifest" "$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$manifest" 2> /dev/null)"
done
same CHANGELOG.md "$(sed -n 's/^## \([0-9.]*\).*/\1/p' CHANGELOG.md 2> /dev/null | head -n 1)"
exit "$status"
