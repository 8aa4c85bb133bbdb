#!/bin/sh
# SPDX-License-Identifier: MIT
# piped_test.sh MONITOR: plain lines where there is no terminal, and every event accounted for; the
# page for Prometheus; an early end; a processor that hangs; the topology, but for numbers of lines.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  echo "$*"
  cat "$folder/out"
  exit 1
}
"$1" --seconds 1 --interval 200 --rate 300 --metrics > "$folder/out" < /dev/null
[ "$(grep -cE '^t=[0-9.]+s published=[0-9]+/s handled=[0-9]+/s failed=[0-9]+ depth=[0-9]+ in_flight=[0-9]+ wait_p50=[0-9.]+(ns|us|ms|s) wait_p99=[0-9.]+(ns|us|ms|s)$' "$folder/out")" -ge 3 ] ||
  fail 'fewer lines than moments'
! grep -q "$(printf '\033')" "$folder/out" || fail 'an escape sequence'
grep -qE '^placed=[1-9][0-9]* .*: all accounted for$' "$folder/out" || fail 'not accounted for'
published=$(sed -n 's/^placed=.* published=\([0-9]*\) .*/\1/p' "$folder/out")
grep -qx "gossip_events_published_total $published" "$folder/out" || fail 'another count for Prometheus'
grep -qE '^gossip_call_duration_seconds_bucket\{event_type="shop.order.paid",subscription="warehouse",le="\+Inf"\} [1-9][0-9]*$' "$folder/out" ||
  fail 'no histogram of calls'
if [ -r /proc/self/status ]; then # asked to end, it does not wait for its next look, a minute off
  "$1" --seconds 86400 --interval 60000 --rate 100 > "$folder/out" < /dev/null &
  monitor=$!
  until grep -q '^State:.*S' "/proc/$monitor/status" && # it waits, with two workers and the customers
    [ "$(sed -n 's/^Threads:[[:space:]]*//p' "/proc/$monitor/status")" -ge 4 ]; do
    kill -0 "$monitor" || fail 'it ends early'
  done
  kill -TERM "$monitor"
  wait "$monitor" || fail 'asked to end, it fails'
  ! grep -qE '^t=[0-9]{2,}\.[0-9]s ' "$folder/out" || fail 'asked to end, it goes on'
  grep -q ': all accounted for$' "$folder/out" || fail 'asked to end, it does not account'
fi
"$1" --seconds 1 --rate 300 --stall > "$folder/out" < /dev/null
grep -qE "^stalled: 'warehouse' \(shop\.order\.paid, subscribed at .*shop\.hpp:[0-9]+\) has been running for [12][0-9]{3} ms on worker [01]$" "$folder/out" ||
  fail 'nobody says that the warehouse hangs'
grep -q ' stalled=1: all accounted for$' "$folder/out" || fail 'a stalled call is not counted'
for kind in mermaid dot json; do
  "$1" --topology "$kind" | sed -E -e 's|"file": "[^"]*/|"file": "|g' -e 's|(shop\.hpp):[0-9]+|\1:N|' \
    -e 's/"(id|line)": [0-9]+/"\1": N/g' > "$folder/out"
  diff -u "monitor/topology.$kind" "$folder/out" || fail "another topology as $kind"
done
