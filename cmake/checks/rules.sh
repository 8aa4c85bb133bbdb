#!/bin/sh
# SPDX-License-Identifier: MIT
# rules.sh [ROOT]: every rule about the repository's files.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
status=0
for rule in layers sizes mirror header_form header_list no_sleep top_level snippets examples_listed links \
  figures documented packages version; do
  if output=$(sh "$here/$rule.sh" "$@" 2>&1); then
    echo "ok: $rule"
  else
    echo "FAILED: $rule"
    status=1
  fi
  [ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/  /'
done
exit "$status"
