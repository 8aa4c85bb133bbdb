#!/bin/sh
# SPDX-License-Identifier: MIT
# terminal_test.sh MONITOR: on a terminal there is a screen, and with --plain, or where it cannot be drawn anew, there is none.
set -eu
if ! script -qec true /dev/null > /dev/null 2>&1; then
  echo 'skipped: no script(1) to make a terminal with'
  exit 77
fi
escape=$(printf '\033')
export TERM=xterm
shown=$(script -qec "'$1' --seconds 1 --interval 250 --rate 300" /dev/null < /dev/null)
printf '%s\n' "$shown" | grep -q "$escape\[H" || { echo 'no screen'; exit 1; }
printf '%s\n' "$shown" | grep -q 'events/s  .*█' || { echo 'no sparkline'; exit 1; }
printf '%s\n' "$shown" | grep -q '^warehouse ' || { echo 'no subscriptions'; exit 1; }
shown=$(script -qec "'$1' --seconds 1 --rate 300 --plain" /dev/null < /dev/null)
! printf '%s\n' "$shown" | grep -q "$escape" || { echo 'a screen in spite of --plain'; exit 1; }
shown=$(TERM=dumb script -qec "'$1' --seconds 1 --rate 300" /dev/null < /dev/null)
! printf '%s\n' "$shown" | grep -q "$escape" || { echo 'a screen on a terminal that has none'; exit 1; }
