#!/bin/sh
# SPDX-License-Identifier: MIT
# expect.sh INPUT EXIT_CODE STDOUT STDERR COMMAND...: runs the command on the file INPUT. It must end
# with EXIT_CODE, print what the file STDOUT holds, and say on standard error a line that the
# extended regular expression STDERR matches as a whole. An empty argument stands for nothing.
set -eu
input=${1:-/dev/null} code=${2:-0} stdout=${3:-/dev/null} stderr=$4
shift 4
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

result=0
"$@" < "$input" > "$folder/out" 2> "$folder/err" || result=$?

failed=0
complain() {
  echo "$*"
  failed=1
}
[ "$result" -eq "$code" ] || complain "the exit code is $result, not $code"
diff -u "$stdout" "$folder/out" || complain 'standard output differs: + is what came'
if [ -n "$stderr" ]; then
  grep -qxE -e "$stderr" "$folder/err" || complain "no line on standard error is: $stderr"
elif [ -s "$folder/err" ]; then
  complain 'something is on standard error'
fi
[ "$failed" -eq 0 ] || cat "$folder/err"
exit "$failed"
