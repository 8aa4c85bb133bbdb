#!/bin/sh
# SPDX-License-Identifier: MIT
# figures.sh [ROOT]: a table of figures in a page is that of the last report. Below a line
#
#   <!-- figures: A: ns per event -->
#
# stands the table that benchmarks/report/README.md has under the heading `### A: ns per event`.
# figures.sh --write: makes it so.
set -eu
export LC_ALL=C
write=
if [ "${1:-}" = --write ]; then
  write=yes
  shift
fi
cd "${1:-$(dirname -- "$0")/../..}"
report=benchmarks/report/README.md
new=$(mktemp)
trap 'rm -f "$new"' EXIT
status=0
for page in $(grep -rl --include='*.md' '^<!-- figures: ' README.md examples include tests benchmarks 2> /dev/null || true); do
  if ! awk -v report="$report" '
    function table_of(heading, line, inside, out) {
      out = ""
      while ((getline line < report) > 0) {
        if (line ~ /^#/) inside = (line == "### " heading)
        else if (inside && line ~ /^\|/) out = out line "\n"
      }
      close(report)
      return out
    }
    /^\|/ && replacing { next }
    replacing && (NF || ++blanks > 1) { replacing = 0 }
    { if (!replacing) print }
    /^<!-- figures: .* -->$/ {
      heading = $0
      sub(/^<!-- figures: /, "", heading)
      sub(/ -->$/, "", heading)
      table = table_of(heading)
      if (table == "") { print FILENAME ":" FNR ": no such table in the report: " heading > "/dev/stderr"; failed = 1 }
      printf "%s\n", table
      replacing = 1
      blanks = 0
    }
    END { exit failed }
  ' "$page" > "$new"; then
    status=1
  elif [ -n "$write" ]; then
    cat "$new" > "$page"
  elif ! cmp -s "$new" "$page"; then
    echo "$page: its figures are not those of $report; run cmake/checks/figures.sh --write"
    status=1
  fi
done
exit "$status"
