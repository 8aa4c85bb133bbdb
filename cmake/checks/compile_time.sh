#!/bin/sh
# SPDX-License-Identifier: MIT
# compile_time.sh [RUNS]: compiling a small user of gossip takes at most 2.5 times as long as
# compiling what a program with threads includes anyway (g++ -O0, medians of interleaved runs).
# -O2 is reported, not judged.
set -eu
runs=${1:-5}
limit=2.5
cd "$(dirname -- "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# seconds FILE LEVEL: processor time of one compilation, which a busy machine disturbs least
seconds() {
  (
    g++ -std=c++20 "$2" -Iinclude -c "tests/compile_time/$1.cpp" -o "$work/$1.o"
    times
  ) > "$work/times"
  # The last line of `times` is the children's user and system time, as 0m1.234s.
  tail -n 1 "$work/times" | awk '
    { for (i = 1; i <= 2; ++i) { split($i, part, /[ms]/); sum += part[1] * 60 + part[2] } }
    END { printf "%.3f\n", sum }'
}
median() { sort -n "$1" | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

for level in -O0 -O2; do
  i=0
  while [ "$i" -lt "$runs" ]; do
    for file in baseline bus; do seconds "$file" "$level" >> "$work/$file$level"; done
    i=$((i + 1))
  done
  printf '%s: baseline %s s, with gossip %s s\n' "$level" \
    "$(median "$work/baseline$level")" "$(median "$work/bus$level")"
done
awk -v a="$(median "$work/baseline-O0")" -v b="$(median "$work/bus-O0")" -v limit="$limit" 'BEGIN {
  printf "ratio: %.2f at -O0 (at most %s)\n", b / a, limit
  exit b / a > limit
}'
