#!/bin/sh
# SPDX-License-Identifier: MIT
# redis_quick_start_test.sh PROGRAM: with a redis-server, and when that is gone.
set -eu
. ./with_redis.sh
[ "$("$1" "$port")" = 'order 7' ]
kill "$server"
wait "$server" || true
server=
result=0
"$1" "$port" 2> "$folder/err" || result=$?
cat "$folder/err"
[ "$result" -eq 1 ] && grep -q 'redis: connecting to .*: Connection refused' "$folder/err"
