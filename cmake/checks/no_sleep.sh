#!/bin/sh
# SPDX-License-Identifier: MIT
# no_sleep.sh [ROOT]: no test waits by sleeping; use the manual clock, latches and deadlines.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
if grep -rnE --include='*.cpp' --include='*.hpp' \
  '(^|[^A-Za-z0-9_])(sleep_for|sleep_until|usleep|nanosleep)([^A-Za-z0-9_]|$)' tests; then
  echo 'a test sleeps'
  exit 1
fi
