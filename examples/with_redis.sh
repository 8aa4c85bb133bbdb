# SPDX-License-Identifier: MIT
# with_redis.sh: to be sourced: starts a redis-server on the free port $port of this machine, and stops it by
# its process id at the end. $folder is removed then, too. Ends with 77 where there is no redis-server.
folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2> /dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
for program in redis-server redis-cli; do
  command -v "$program" > /dev/null || { echo "skipped: $program is not installed"; exit 77; }
done

# A port that is free: another one may take it first, so several are tried; tests/ have those from 20000.
port=$((10000 + $$ % 5000))
for attempt in 1 2 3 4 5; do
  redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$folder" --logfile "$folder/log" \
    < /dev/null > /dev/null 2>&1 &
  server=$!
  while kill -0 "$server" 2> /dev/null; do
    ! grep -q 'Ready to accept connections' "$folder/log" 2> /dev/null || break 2
  done
  wait "$server" || true
  server=
  rm -f "$folder/log"
  port=$((port + 977))
done
[ -n "$server" ] || { echo 'redis-server does not start'; exit 1; }
