#!/bin/sh
# SPDX-License-Identifier: MIT
# links.sh [ROOT]: every relative link in a Markdown page leads to a file or folder that is there,
# and every `#anchor` to a heading of the page that it is in.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
export LC_ALL=C

pages() {
  find . \( -path ./.git -o -path ./build -o -path ./.deps \) -prune -o -name '*.md' -print |
    sed 's|^\./||' | sort
}

# text PAGE: the page without its blocks and spans of code
text() {
  awk '/^[ \t]*```/ { code = !code; print ""; next } { if (code) print ""; else { gsub(/`[^`]*`/, ""); print } }' "$1"
}

# anchors PAGE: the headings, as the anchors that are made of them
anchors() {
  awk '/^[ \t]*```/ { code = !code } !code && /^#+ / { sub(/^#+ /, ""); print }' "$1" |
    tr '[:upper:]' '[:lower:]' | sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g'
}

violations=$(pages | while read -r page; do
  folder=$(dirname -- "$page")
  {
    text "$page" | grep -noE '\]\([^()[:space:]]+\)' | sed 's/^\([0-9]*\):\](\(.*\))$/\1 \2/'
    text "$page" | grep -noE '(src|href|srcset)="[^"]+"' | sed 's/^\([0-9]*\):[a-z]*="\(.*\)"$/\1 \2/'
  } | while read -r line target; do
    case $target in http://* | https://* | mailto:*) continue ;; esac
    file=${target%%#*}
    anchor=${target#"$file"}
    if [ -z "$file" ]; then file=$page; else file=$folder/$file; fi
    if [ ! -e "$file" ]; then
      echo "$page:$line: leads nowhere: $target"
    elif [ -n "$anchor" ] && ! anchors "$file" | grep -qxF -- "${anchor#\#}"; then
      echo "$page:$line: no such heading: $target"
    fi
  done
done)
[ -z "$violations" ] || { printf '%s\n' "$violations"; exit 1; }
