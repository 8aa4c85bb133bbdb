#!/bin/sh
# SPDX-License-Identifier: MIT
# selftest.sh COMPILER: run.sh must accept a good pair and reject each kind of bad one.
set -eu
compiler=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS TEXT TITLE: runs the harness on the pair $work/case
expect() {
  status=0
  output=$(sh "$here/run.sh" "$compiler" "$work" "$work/case" 2>&1) || status=$?
  if [ "$status" -ne "$1" ] || ! printf '%s\n' "$output" | grep -q -- "$2"; then
    echo "FAILED: $3: status $status, said: $output"
    failures=1
  else
    echo "ok: $3"
  fi
}

good='int value = 1;'
# An error that shows only when a template is instantiated, as most of ours do.
bad='template <typename T> void check() { static_assert(sizeof(T) == 0, "the text"); }
void use() { check<int>(); }'
text='// EXPECT-ERROR: the text'

printf '%s\n' "$good" > "$work/case.pass.cpp"
printf '%s\n%s\n' "$text" "$bad" > "$work/case.fail.cpp"
expect 0 '' 'a good pair is accepted'
printf '%s\n%s\n' "$text" "$good" > "$work/case.fail.cpp"
expect 1 'compiles, and must not' 'a fail file that compiles is reported'
printf '%s\n%s\n' '// EXPECT-ERROR: nodiscard' '[[nodiscard]] int f(); void g() { f(); }' > "$work/case.fail.cpp"
expect 0 '' 'ignoring a nodiscard value is an error'
printf '%s\n%s\n' '// EXPECT-ERROR: another text' "$bad" > "$work/case.fail.cpp"
expect 1 'no error matches' 'another diagnostic is reported'
printf '%s\n' "$bad" > "$work/case.fail.cpp"
expect 1 'EXPECT-ERROR' 'a missing expectation is reported'
printf '%s\n%s\n' "$text" "$bad" > "$work/case.fail.cpp"
printf '%s\n' "$bad" > "$work/case.pass.cpp"
expect 1 'twin does not compile' 'a twin that does not compile is reported'
rm "$work/case.pass.cpp"
expect 1 'not a pair' 'a missing twin is reported'
exit "$failures"
