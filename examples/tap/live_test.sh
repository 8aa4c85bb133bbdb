#!/bin/sh
# SPDX-License-Identifier: MIT
# live_test.sh TAP: what tap shows of a redis-server that is started here.
set -eu
tap=$1
. ./with_redis.sh
redis() { redis-cli -p "$port" "$@" > "$folder/answer"; }
add() { # KEY TYPE CONTENT-TYPE DATA
  redis XADD "$1" '*' id 000000000000000100000000000000aa type "$2" time 1700000000123456789 \
    content-type "$3" data "$4" m:tenant '"blue"'
}

add shop:order.placed order.placed application/json '{"number":1,"items":["tea","cup"]}'
add shop:user.created user.created application/json '{"name":"ann"}'
add shop:order.line.added order.line.added text/plain 'two lines'
redis XADD shop:order.odd '*' a b
failed=0
complain() {
  echo "$*"
  failed=1
}

"$tap" 'order.>' --port "$port" --prefix shop: --from beginning --count 3 > "$folder/out" 2>&1 ||
  complain 'tap failed'
# Streams are read in the order of their names.
diff -u tap/live.txt "$folder/out" || complain 'it shows something else'

"$tap" 'order.*' --port "$port" --prefix shop: --from beginning --count 2 --json > "$folder/out" ||
  complain 'tap --json failed'
sed 's/"place":"[^"]*"/"place":""/' "$folder/out" | diff -u tap/live.json - ||
  complain 'as JSON it shows something else'

# What is hostile: names and texts that command a terminal, and JSON that is nested too deep to print.
escape=$(printf '\033')
redis XADD "hostile:order.a${escape}[2J" '*' id 000000000000000100000000000000aa type order.a time 1 \
  content-type application/json data "\"$(printf '\302\233')2J\"" "m:${escape}key" '"blue"'
awk 'BEGIN { for (i = 0; i < 400000; ++i) printf i < 200000 ? "[" : "]" }' |
  redis-cli -p "$port" -x XADD hostile:order.deep '*' id 000000000000000100000000000000aa \
    type order.deep time 1 content-type application/json data > "$folder/answer"
"$tap" '>' --port "$port" --prefix hostile: --from beginning --count 2 > "$folder/out" 2>&1 ||
  complain "hostile events make it fail: $(head -c 2000 "$folder/out")"
! LC_ALL=C grep -q "$(printf '\302\233')\\|$escape" "$folder/out" || complain 'it hands on what commands a terminal'
grep -q '  order\.a?\[2J  6 bytes  id 0' "$folder/out" && grep -q '^    ?key: "blue"$' "$folder/out" &&
  grep -q '^    "??2J"$' "$folder/out" || complain "of what is hostile it shows: $(head -c 600 "$folder/out")"

# A stream that comes later, and Ctrl-C.
: > "$folder/later"
"$tap" '>' --port "$port" --prefix later: > "$folder/later" 2>&1 &
watching=$!
tries=0
until grep -q 'order.late' "$folder/later"; do
  add later:order.late order.late application/json '1'
  tries=$((tries + 1))
  [ "$tries" -lt 3000 ] || { complain 'a new stream was not seen'; break; }
done
kill -INT "$watching"
wait "$watching" || complain 'Ctrl-C makes it fail'

# Pub/Sub: what is published until it listens is lost, so that is repeated.
"$tap" 'order.*' --port "$port" --delivery pub_sub --json --count 1 > "$folder/out" 2>&1 &
watching=$!
while kill -0 "$watching" 2> /dev/null; do redis PUBLISH order.placed nonsense; done
wait "$watching" || complain 'tap --delivery pub_sub failed'
grep -q '"data":"nonsense","error":".*","name":"order.placed","size":8' "$folder/out" ||
  complain "of Pub/Sub it shows: $(cat "$folder/out")"

redis CONFIG SET requirepass secret
result=0
"$tap" '>' --port "$port" > "$folder/out" 2> "$folder/err" || result=$?
[ "$result" -eq 1 ] || complain "without a password the exit code is $result"
grep -q '^tap: .*NOAUTH' "$folder/err" || complain "without a password it says: $(cat "$folder/err")"
GOSSIP_TAP=secret "$tap" '>' --port "$port" --password-env GOSSIP_TAP --prefix shop: \
  --from beginning --count 1 > "$folder/out" 2>&1 || complain 'with a password it fails'
! grep -q secret "$folder/out" "$folder/err" || complain 'it prints the password'
exit "$failed"
