#!/bin/sh
# SPDX-License-Identifier: MIT
# layers.sh [ROOT]: the folders of include/gossip are layers. A header includes its own folder or
# lower ones; `<layer>/detail/` is included from that layer alone; the includes have no cycle.
set -eu
cd "${1:-$(dirname -- "$0")/../..}/include"
export LC_ALL=C

# Lines `file included`, for every include of one of our own headers.
graph() {
  find gossip -name '*.hpp' | sort | while read -r file; do
    sed -n -e 's|^[[:space:]]*#[[:space:]]*include[[:space:]]*<\(gossip/[^>]*\)>.*|\1|p' \
      -e 's|^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*|"\1"|p' "$file" |
      while read -r included; do printf '%s %s\n' "$file" "$included"; done
  done
}

status=0
violations=$({
  find gossip -name '*.hpp' | sed 's/^/file /'
  graph | sed 's/^/edge /'
} | awk '
  BEGIN {
    count = split("core queue dispatch processing provider observe json redis bus testing", order, " ")
    for (i = 1; i <= count; ++i) rank[order[i]] = i
    rank["base"] = 0
    rank["top"] = count + 1
  }
  # The layer of a header: its folder, "base" for what all may include, "top" for other files.
  function layer(file, parts, n) {
    if (file ~ /^gossip\/(fwd|config|version)\.hpp$/) return "base"
    n = split(file, parts, "/")
    if (n == 2) return "top"
    return parts[2]
  }
  function complain(text) { print text }
  $1 == "file" {
    exists[$2] = 1
    if (!(layer($2) in rank)) complain($2 ": its folder is not a layer")
    n = split($2, parts, "/")
    if (n > 4 || (n == 4 && parts[3] != "detail")) complain($2 ": a layer has one sub-folder, detail/")
    next
  }
  { from[++edges] = $2; to[edges] = $3 }
  END {
    for (i = 1; i <= edges; ++i) {
      a = from[i]; b = to[i]
      if (b ~ /^"/) { complain(a ": includes " b "; write <gossip/...>"); continue }
      if (!(b in exists)) { complain(a ": includes " b ", which does not exist"); continue }
      la = layer(a); lb = layer(b)
      if (!(la in rank) || !(lb in rank)) continue
      if (rank[lb] > rank[la]) complain(a ": layer " la " includes the higher layer " lb ": " b)
      if (la == "json" && lb != "json" && rank[lb] > rank["core"]) complain(a ": json includes core alone, not " b)
      if (la == "bus" && (lb == "json" || lb == "redis")) complain(a ": bus does not include " b)
      if (a == "gossip/gossip.hpp" && b ~ /^gossip\/(json|redis|testing)[.\/]/)
        complain(a ": " (b ~ /testing/ ? "testing is" : "json and redis are") " not part of it: " b)
      if (b ~ /\/detail\// && la != lb) complain(a ": includes the detail of another layer: " b)
    }
  }
')
if [ -n "$violations" ]; then
  printf '%s\n' "$violations"
  status=1
fi
# tsort names the members of a cycle.
if ! cycle=$(graph | grep -v '"' | tsort 2>&1 > /dev/null); then
  printf 'the includes have a cycle:\n%s\n' "$cycle"
  status=1
fi
exit "$status"
