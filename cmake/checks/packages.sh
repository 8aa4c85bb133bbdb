#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh [ROOT]: each vcpkg.json is strict JSON in the form that `vcpkg format-manifest` writes
# (a value a line, two blanks a level, keys and dependencies in vcpkg's order); the port uses vcpkg's
# commands alone and passes options that the project has; conanfile.py is Python.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
export LC_ALL=C

manifests=$(find vcpkg.json cmake/vcpkg -name vcpkg.json 2> /dev/null | sort)
port=cmake/vcpkg/ports/gossip/portfile.cmake
violations=$(
  for manifest in $manifests; do
    awk -v file="$manifest" '
      BEGIN {
        depth = 0
        first[0] = 1
        order["object"] = " $schema name version port-version maintainers contacts summary description " \
          "homepage documentation license supports builtin-baseline dependencies default-features " \
          "features overrides vcpkg-configuration "
        order["dependency"] = " name host default-features features platform version>= "
        order["feature"] = " description supports license dependencies "
      }
      function complain(text) { if (!said++) print file ":" NR ": " text }
      # What the keys of the innermost object are.
      function role(    i) {
        if (depth == 1) return "object"
        if (path[depth] == "dependencies") return "dependency"
        if (depth == 2 && path[2] == "features") return "names"
        return depth == 3 && path[2] == "features" ? "feature" : "other"
      }
      # A value begins: what came before it must have ended with a comma, or opened something.
      function follows() { if (!first[depth] && !comma) complain("a comma is missing") }
      /\r/ { complain("a line ends with CR") }
      {
        line = $0
        closing = line ~ /^ *[\]}],?$/
        width = 2 * (depth - (closing ? 1 : 0))
        match(line, /^ */)
        if (RLENGTH != width) complain("indented by " RLENGTH ", not " width)
        sub(/^ */, "", line)
        if (closing) {
          if (comma) complain("a comma before " substr(line, 1, 1))
          if (first[depth]) complain("something empty")
          if (substr(line, 1, 1) != close_by[depth]) complain("expected " close_by[depth])
          --depth
          comma = line ~ /,$/
          next
        }
        key = ""
        follows()
        if (match(line, /^"[^"\\]+": /)) {
          if (close_by[depth] != "}") complain("a key in an array")
          key = substr(line, 2, RLENGTH - 4)
          line = substr(line, RLENGTH + 1)
          kind = role()
          if (kind == "names") {
            if (key <= last[depth]) complain("features are sorted: " key)
          } else if (kind != "other") {
            at = index(order[kind], " " key " ")
            if (at == 0) complain("no such key: " key)
            else if (at <= place[depth]) complain("the key " key " comes too late")
            place[depth] = at
          }
          last[depth] = key
        } else if (depth > 0 && close_by[depth] == "}") complain("a value without a key")
        first[depth] = 0
        if (line == "{" || line == "[") {
          ++depth
          path[depth] = key != "" ? key : path[depth - 1]
          first[depth] = 1
          place[depth] = 0
          last[depth] = ""
          close_by[depth] = line == "{" ? "}" : "]"
          if (line == "[") list_last[depth] = ""
          comma = 0
          next
        }
        comma = line ~ /,$/
        sub(/,$/, "", line)
        if (line !~ /^("[^"\\]*"|true|false|[0-9]+)$/) complain("not a value: " line)
        # Names in a list of dependencies, by themselves or in an object, are sorted.
        list = close_by[depth] == "]" ? depth : depth - 1
        if (path[list] == "dependencies" && (key == "" || key == "name")) {
          if (line <= list_last[list]) complain("dependencies are sorted: " line)
          list_last[list] = line
        }
      }
      END {
        if (depth != 0) complain("ends too early")
      }
    ' "$manifest"
  done
  if [ -f "$port" ]; then
    sed -n 's/^ *\([a-z_]*\) *(.*/\1/p' "$port" | sort -u | while read -r command; do
      case $command in
        set | file | get_filename_component) ;;
        vcpkg_check_features | vcpkg_cmake_configure | vcpkg_cmake_install) ;;
        vcpkg_cmake_config_fixup | vcpkg_fixup_pkgconfig | vcpkg_install_copyright) ;;
        *) echo "$port: no such command: $command" ;;
      esac
    done
    grep -oE 'GOSSIP_[A-Z_]+' "$port" | sort -u | while read -r option; do
      grep -q "^option($option " CMakeLists.txt || echo "$port: the project has no option $option"
    done
    # Each feature of the manifest reaches the build.
    sed -n 's/^    "\([a-z-]*\)": {$/\1/p' "${port%/*}/vcpkg.json" | while read -r feature; do
      grep -qE "^ *$feature GOSSIP_" "$port" || echo "$port: does not know the feature $feature"
    done
  fi
  if [ -f conanfile.py ] && command -v python3 > /dev/null 2>&1; then
    python3 -c 'compile(open("conanfile.py").read(), "conanfile.py", "exec")' 2>&1 | tail -n 1
  fi
)
[ -z "$violations" ] || { printf '%s\n' "$violations"; exit 1; }
