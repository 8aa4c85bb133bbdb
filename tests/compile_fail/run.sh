#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh COMPILER INCLUDE_DIR CASE [INCLUDE_DIR...]: CASE.pass.cpp must compile; CASE.fail.cpp must not, and
# what the compiler says (in an error or in a note to it) must match the regular expression after
# `// EXPECT-ERROR: ` in the file. Ignoring a [[nodiscard]] value counts as an error.
set -eu
compiler=$1 include=$2 case=$3
shift 3
export LC_ALL=C

for folder; do # of a library that the case needs
  shift
  set -- "$@" -I "$folder"
done
compile() {
  file=$1
  shift
  "$compiler" -std=c++20 -fsyntax-only -Werror=unused-result -I"$include" "$@" "$file" 2>&1
}

if [ ! -f "$case.pass.cpp" ] || [ ! -f "$case.fail.cpp" ]; then
  echo "not a pair: $case.pass.cpp and $case.fail.cpp"
  exit 1
fi
expected=$(sed -n '1,10s|^// EXPECT-ERROR: ||p' "$case.fail.cpp")
if [ -z "$expected" ] || [ "$(printf '%s\n' "$expected" | wc -l)" -ne 1 ]; then
  echo "$case.fail.cpp: one line '// EXPECT-ERROR: regex' is needed among the first ten"
  exit 1
fi
if ! output=$(compile "$case.pass.cpp" "$@"); then
  printf '%s\n' "$output"
  echo "the twin does not compile: $case.pass.cpp"
  exit 1
fi
if output=$(compile "$case.fail.cpp" "$@"); then
  echo "compiles, and must not: $case.fail.cpp"
  exit 1
fi
if ! printf '%s\n' "$output" | grep -E '(error|note): ' | grep -Eq -- "$expected"; then
  printf '%s\n' "$output"
  echo "no error matches '$expected': $case.fail.cpp"
  exit 1
fi
