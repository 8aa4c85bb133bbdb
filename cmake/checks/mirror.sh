#!/bin/sh
# SPDX-License-Identifier: MIT
# mirror.sh [ROOT]: include/gossip/<layer>/<header>.hpp and tests/unit/<layer>/<header>_test.cpp come
# in pairs (headers in detail/ may go without), and CMake names every source file of ours.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
export LC_ALL=C
violations=$(
  find include/gossip -mindepth 2 -name '*.hpp' ! -path '*/detail/*' | sort | while read -r header; do
    test=${header#include/gossip/}
    test=tests/unit/${test%.hpp}_test.cpp
    [ -f "$test" ] || echo "$header: has no $test"
  done
  [ ! -d tests/unit ] || find tests/unit -type f -name '*.cpp' | sort | while read -r test; do
    header=${test#tests/unit/}
    header=include/gossip/${header%_test.cpp}.hpp
    case $test in
      *_test.cpp) [ -f "$header" ] || echo "$test: has no $header" ;;
      *) echo "$test: is not named <header>_test.cpp" ;;
    esac
  done
  # listed FOLDER DIRECTORY: every .cpp under FOLDER is named in DIRECTORY/CMakeLists.txt
  listed() {
    [ -d "$1" ] || return 0
    find "$1" -type f -name '*.cpp' | sort | while read -r source; do
      grep -qE "(^|[[:space:]])${source#"$2"/}([[:space:])]|\$)" "$2/CMakeLists.txt" ||
        echo "$source: is not named in $2/CMakeLists.txt"
    done
  }
  listed tests/unit tests
  listed tests/stress tests
  listed tests/support tests
  listed benchmarks benchmarks
  [ ! -d tests/fuzz ] || find tests/fuzz -type f -name '*_fuzz.cpp' | sort | while read -r source; do
    name=${source#tests/fuzz/}
    name=${name%_fuzz.cpp}
    grep -qE "^ *gossip_fuzz_test\($name( [^)]*)?\)\$" tests/CMakeLists.txt ||
      echo "$source: is not named in tests/CMakeLists.txt"
    [ -n "$(find "tests/fuzz/corpus/$name" -type f 2> /dev/null)" ] ||
      echo "$source: has no tests/fuzz/corpus/$name/"
  done
  find tests/compile_fail -name '*.fail.cpp' -o -name '*.pass.cpp' | sort | while read -r source; do
    name=${source#tests/compile_fail/}
    name=${name%.*.cpp}
    grep -q "^ *gossip_compile_fail_test($name)\$" tests/compile_fail/CMakeLists.txt ||
      echo "$source: is not named in tests/compile_fail/CMakeLists.txt"
  done
  find examples -mindepth 2 -name '*.cpp' | sort | while read -r source; do
    folder=${source%/*}
    name=${source##*/}
    grep -qsE "(^|[[:space:]]|/)$name([[:space:])]|\$)" examples/CMakeLists.txt "$folder/CMakeLists.txt" ||
      echo "$source: no CMakeLists.txt names it"
  done
)
[ -z "$violations" ] || { printf '%s\n' "$violations"; exit 1; }
