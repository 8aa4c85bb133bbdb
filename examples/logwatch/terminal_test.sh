#!/bin/sh
# SPDX-License-Identifier: MIT
# terminal_test.sh LOGWATCH LOG: there is a bar on a terminal.
set -eu
if ! script -qec true /dev/null > /dev/null 2>&1; then
  echo 'skipped: no script(1) to make a terminal with'
  exit 77
fi
shown=$(script -qec "'$1' --no-timing '$2'" /dev/null < /dev/null)
printf '%s\n' "$shown" | grep -q '\[#* *\] [0-9]* %  [0-9]* lines' || { echo 'no bar'; exit 1; }
printf '%s\n' "$shown" | grep -q 'lines accounted for' || { echo 'no summary'; exit 1; }
