#!/bin/sh
# SPDX-License-Identifier: MIT
# snippets.sh [ROOT]: every ```cpp block of a Markdown file is the text of a compiled file:
#
#   <!-- snippet: examples/tour/main.cpp#subscribe -->
#   ```cpp
#   ...
#   ```
#
# equals, less its indentation, what stands in that file between `// [subscribe]` and
# `// [/subscribe]` (marker lines of other regions inside are left out), or the whole file without
# its SPDX line if there is no `#name`. The file must be named by a CMakeLists.txt.
set -eu
cd "${1:-$(dirname -- "$0")/../..}"
export LC_ALL=C

find . \( -path ./.git -o -path ./build -o -path ./.deps \) -prune -o -name '*.md' -print |
  sed 's|^\./||' | sort | while read -r page; do
  awk -v page="$page" '
    function complain(line, text) { print page ":" line ": " text }

    # unindent(text): without the indentation that all its lines share, nor blank ends
    function unindent(text, lines, n, i, least, width, out) {
      n = split(text, lines, "\n")
      least = -1
      for (i = 1; i <= n; ++i) {
        sub(/[ \t]+$/, "", lines[i])
        if (lines[i] == "") continue
        match(lines[i], /^ */)
        width = RLENGTH
        if (least < 0 || width < least) least = width
      }
      out = ""
      for (i = 1; i <= n; ++i) out = out (lines[i] == "" ? "" : substr(lines[i], least + 1)) "\n"
      gsub(/^\n+|\n+$/, "", out)
      return out
    }

    # region(where): the text that `where` (file or file#name) stands for; error is set on failure
    function region(where, file, name, line, inside, out, found) {
      file = where
      name = ""
      if (match(where, /#/)) {
        file = substr(where, 1, RSTART - 1)
        name = substr(where, RSTART + 1)
      }
      error = ""
      out = ""
      inside = (name == "")
      found = inside
      if ((getline line < file) < 0) { error = "no such file: " file; return "" }
      do {
        if (name != "" && line ~ ("^[ \t]*// \\[" name "\\]$")) { inside = 1; ++found; continue }
        if (name != "" && line ~ ("^[ \t]*// \\[/" name "\\]$")) { inside = 0; continue }
        if (line ~ /^[ \t]*\/\/ \[\/?[A-Za-z0-9_-]+\]$/ || line ~ /SPDX-License-Identifier/) continue
        if (inside) out = out line "\n"
      } while ((getline line < file) > 0)
      close(file)
      if (found == 0) error = "no region [" name "] in " file
      else if (found > 1) error = "more than one region [" name "] in " file
      else if (name != "" && inside) error = "region [" name "] in " file " has no end"
      folder = file
      base = file
      sub(/\/[^\/]*$/, "", folder)
      sub(/.*\//, "", base)
      if (error == "" && system("grep -qsF -e \"" base "\" \"" folder "/CMakeLists.txt\" \"" \
          folder "/../CMakeLists.txt\" \"" folder "/../../CMakeLists.txt\"") != 0)
        error = file " is in no CMakeLists.txt, so nothing compiles it"
      return out
    }

    /^[ \t]*<!-- snippet: [^ ]+ -->$/ && !block {
      source = $0
      sub(/^[ \t]*<!-- snippet: /, "", source)
      sub(/ -->$/, "", source)
      next
    }
    /^[ \t]*```(cpp|c\+\+|cxx)/ && !block { block = NR; text = ""; next }
    /^[ \t]*```/ && block {
      if (source == "") complain(block, "a block without `<!-- snippet: file#name -->`")
      else {
        expected = region(source)
        if (error != "") complain(block, error)
        else if (unindent(text) != unindent(expected)) complain(block, "differs from " source)
      }
      block = 0
      source = ""
      next
    }
    /^[ \t]*```[a-z]/ && !other { other = 1; source = ""; next }
    /^[ \t]*```/ && other { other = 0; next }
    block { text = text $0 "\n"; next }
    NF { source = "" }
    END { if (block) complain(block, "a block without an end") }
  ' "$page"
done | awk '{ print } END { exit NR > 0 }'
