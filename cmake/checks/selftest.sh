#!/bin/sh
# SPDX-License-Identifier: MIT
# selftest.sh: each rule accepts a small good tree and rejects a copy of it broken in each way that
# the rule is there for, with the message that names the fault.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
failures=0

# header FILE [LINE...]: a header in good form
header() {
  file=$tree/include/gossip/$1
  mkdir -p "${file%/*}"
  shift
  {
    printf '// SPDX-License-Identifier: MIT\n#pragma once\n\n/// @file\n/// A header.\n\n'
    [ $# -eq 0 ] || printf '%s\n' "$@"
  } > "$file"
}

# source FILE [LINE...]: another file in good form
source_file() {
  mkdir -p "$(dirname "$tree/$1")"
  file=$tree/$1
  shift
  { echo '// SPDX-License-Identifier: MIT'; [ $# -eq 0 ] || printf '%s\n' "$@"; } > "$file"
}

# listing FILE [LINE...]: a CMake file
listing() {
  mkdir -p "$(dirname "$tree/$1")"
  file=$tree/$1
  shift
  { echo '# SPDX-License-Identifier: MIT'; [ $# -eq 0 ] || printf '%s\n' "$@"; } > "$file"
}

plant() {
  rm -rf "$tree"
  mkdir -p "$tree/.ci"
  header version.hpp '#define GOSSIP_VERSION_MAJOR 1' '#define GOSSIP_VERSION_MINOR 2' \
    '#define GOSSIP_VERSION_PATCH 3' '#define GOSSIP_VERSION_STRING "1.2.3"'
  header config.hpp '#include <gossip/version.hpp>' '#define GOSSIP_CONFIG 1'
  header core/event.hpp '#include <gossip/core/detail/raw.hpp>'
  header core/detail/raw.hpp '#include <gossip/config.hpp>'
  header queue/ring.hpp '#include <gossip/core/event.hpp>'
  header json/codec.hpp '#include <gossip/core/event.hpp>'
  header redis/provider.hpp '#include <gossip/queue/ring.hpp>'
  header bus/bus.hpp '#include <gossip/queue/ring.hpp>'
  header gossip.hpp '#include <gossip/bus/bus.hpp>'
  listing cmake/headers.cmake 'set(GOSSIP_HEADERS' '  gossip/bus/bus.hpp' '  gossip/config.hpp' \
    '  gossip/core/detail/raw.hpp' '  gossip/core/event.hpp' '  gossip/gossip.hpp' \
    '  gossip/json/codec.hpp' '  gossip/queue/ring.hpp' '  gossip/redis/provider.hpp' \
    '  gossip/version.hpp' ')'
  listing tests/CMakeLists.txt 'gossip_test(unit SOURCES'
  for name in bus/bus core/event json/codec queue/ring redis/provider; do
    source_file "tests/unit/${name}_test.cpp"
    echo "  unit/${name}_test.cpp" >> "$tree/tests/CMakeLists.txt"
  done
  printf '  stress/bus_stress.cpp\n)\n' >> "$tree/tests/CMakeLists.txt"
  source_file tests/stress/bus_stress.cpp
  source_file tests/compile_fail/case.fail.cpp
  source_file tests/compile_fail/case.pass.cpp
  listing tests/compile_fail/CMakeLists.txt 'gossip_compile_fail_test(case)'
  source_file benchmarks/core/event_bench.cpp
  listing benchmarks/CMakeLists.txt '  core/event_bench.cpp'
  source_file examples/tour/main.cpp '  // [one]' '  if (first) {' '    second();' '  }' '  // [/one]'
  listing examples/CMakeLists.txt 'gossip_example(tour SOURCES tour/main.cpp)'
  printf '%s\n' '| `tour/` | a folder |' > "$tree/examples/README.md"
  listing CMakeLists.txt 'option(GOSSIP_WITH_JSON "JSON" OFF)'
  port=$tree/cmake/vcpkg/ports/gossip
  mkdir -p "$port"
  printf '%s\n' '{' '  "name": "gossip",' '  "version": "1.2.3",' '  "dependencies": [' \
    '    {' '      "name": "b",' '      "host": true' '    },' '    "c"' '  ],' '  "features": {' \
    '    "json": {' '      "description": "JSON",' '      "dependencies": [' '        "d"' '      ]' \
    '    }' '  }' '}' > "$port/vcpkg.json"
  printf '%s\n' '# SPDX-License-Identifier: MIT' 'vcpkg_check_features(' '  json GOSSIP_WITH_JSON' ')' \
    > "$port/portfile.cmake"
  printf '%s\n' 'version = "1.2.3"' > "$tree/conanfile.py"
  printf '%s\n' '## 1.2.3' > "$tree/CHANGELOG.md"
  printf '%s\n' 'Text.' '' '<!-- snippet: examples/tour/main.cpp#one -->' '```cpp' 'if (first) {' \
    '  second();' '}' '```' '' '```sh' 'true' '```' > "$tree/README.md"
}

# rejects RULE TEXT: the rule says no, and says why
rejects() {
  if output=$(sh "$here/$1.sh" "$tree" 2>&1); then
    echo "FAILED: $1 accepts what should give: $2"
    failures=$((failures + 1))
  elif ! printf '%s\n' "$output" | grep -qF -- "$2"; then
    echo "FAILED: $1 does not say '$2' but: $output"
    failures=$((failures + 1))
  else
    echo "ok: $1: $2"
  fi
  plant
}

# accepts RULE [TEXT]: the rule says yes, and TEXT
accepts() {
  if ! output=$(sh "$here/$1.sh" "$tree" 2>&1) || ! printf '%s\n' "$output" | grep -qF -- "${2:-}"; then
    echo "FAILED: $1 does not accept a good tree, or does not say '${2:-}': $output"
    failures=$((failures + 1))
  else
    echo "ok: $1 accepts${2:+: $2}"
  fi
  plant
}

# append FILE LINE...
append() {
  file=$tree/$1
  shift
  printf '%s\n' "$@" >> "$file"
}

plant
accepts rules

append include/gossip/core/event.hpp '#include <gossip/queue/ring.hpp>'
rejects layers 'layer core includes the higher layer queue'
append include/gossip/core/event.hpp '#  include <gossip/gossip.hpp>'
rejects layers 'layer core includes the higher layer top'
append include/gossip/version.hpp '#include <gossip/core/event.hpp>'
rejects layers 'layer base includes the higher layer core'
append include/gossip/json/codec.hpp '#include <gossip/queue/ring.hpp>'
rejects layers 'json includes core alone'
append include/gossip/bus/bus.hpp '#include <gossip/redis/provider.hpp>'
rejects layers 'bus does not include gossip/redis/provider.hpp'
append include/gossip/gossip.hpp '#include <gossip/json/codec.hpp>'
rejects layers 'json and redis are not part of it'
append include/gossip/queue/ring.hpp '#include <gossip/core/detail/raw.hpp>'
rejects layers 'includes the detail of another layer'
append include/gossip/core/event.hpp '#include "detail/raw.hpp"'
rejects layers 'write <gossip/...>'
append include/gossip/core/event.hpp '#include <gossip/core/absent.hpp>'
rejects layers 'which does not exist'
header misc/thing.hpp
rejects layers 'its folder is not a layer'
header core/sub/thing.hpp
rejects layers 'a layer has one sub-folder, detail/'
append include/gossip/core/detail/raw.hpp '#include <gossip/core/event.hpp>'
rejects layers 'the includes have a cycle'

awk 'BEGIN { for (i = 0; i < 401; ++i) print "//" }' >> "$tree/include/gossip/core/event.hpp"
rejects sizes 'over 400'
awk 'BEGIN { for (i = 0; i < 260; ++i) print "//" }' >> "$tree/include/gossip/core/event.hpp"
accepts sizes 'over 250'

rm "$tree/tests/unit/core/event_test.cpp"
rejects mirror 'include/gossip/core/event.hpp: has no tests/unit/core/event_test.cpp'
source_file tests/unit/core/absent_test.cpp
rejects mirror 'tests/unit/core/absent_test.cpp: has no include/gossip/core/absent.hpp'
source_file tests/unit/core/event.cpp
rejects mirror 'is not named <header>_test.cpp'
source_file tests/stress/other_stress.cpp
rejects mirror 'tests/stress/other_stress.cpp: is not named in tests/CMakeLists.txt'
source_file benchmarks/core/other_bench.cpp
rejects mirror 'benchmarks/core/other_bench.cpp: is not named in benchmarks/CMakeLists.txt'
source_file tests/compile_fail/other.fail.cpp
rejects mirror 'other.fail.cpp: is not named'
source_file tests/fuzz/text_fuzz.cpp
rejects mirror 'text_fuzz.cpp: is not named in tests/CMakeLists.txt'
source_file tests/fuzz/text_fuzz.cpp
append tests/CMakeLists.txt 'gossip_fuzz_test(text)'
rejects mirror 'text_fuzz.cpp: has no tests/fuzz/corpus/text/'
source_file examples/tour/other.cpp
rejects mirror 'examples/tour/other.cpp: no CMakeLists.txt names it'

sed -i 1d "$tree/include/gossip/core/event.hpp"
rejects header_form 'event.hpp:1: not the SPDX line'
sed -i 2d "$tree/include/gossip/core/event.hpp"
rejects header_form 'not `#pragma once`'
sed -i '/@file/d' "$tree/include/gossip/core/event.hpp"
rejects header_form 'no `/// @file` block'
append include/gossip/core/detail/raw.hpp '#define GOSSIP_SPIN 1'
rejects header_form 'raw.hpp:8: a macro: GOSSIP_SPIN'
append include/gossip/config.hpp '# define SPIN(x) (x)'
rejects header_form 'a macro not named GOSSIP_*: SPIN'
append include/gossip/core/event.hpp '#undef assert'
rejects header_form 'a macro: assert'
append include/gossip/core/event.hpp '// TODO: more'
rejects header_form 'something left to do'
sed -i 1d "$tree/tests/unit/core/event_test.cpp"
rejects header_form 'event_test.cpp:1: no SPDX line'

header core/new.hpp
rejects header_list 'does not name gossip/core/new.hpp'
rm "$tree/include/gossip/queue/ring.hpp"
rejects header_list 'names gossip/queue/ring.hpp, which does not exist'
sed -i -e '/core\/event/d' -e 's/^)/  gossip\/core\/event.hpp\n)/' "$tree/cmake/headers.cmake"
rejects header_list 'is not sorted'

append tests/stress/bus_stress.cpp 'std::this_thread::sleep_for(1ms);'
rejects no_sleep 'a test sleeps'

source_file tests/support/wait.hpp 'inline void wait() { ::usleep(10); }'
rejects no_sleep 'tests/support/wait.hpp:2:'

mkdir "$tree/docs"
rejects top_level 'docs: does not belong at the top level'
mkdir "$tree/.git" "$tree/docs"  # a repository that git cannot read
rejects top_level 'docs: does not belong at the top level'

sed -i '/snippet:/d' "$tree/README.md"
rejects snippets 'README.md:3: a block without'
sed -i 's/second();/third();/' "$tree/README.md"
rejects snippets 'differs from examples/tour/main.cpp#one'
sed -i 's/second();/third();/' "$tree/examples/tour/main.cpp"
rejects snippets 'differs from examples/tour/main.cpp#one'
sed -i 's/#one/#two/' "$tree/README.md"
rejects snippets 'no region [two]'
sed -i 's|// \[/one\]|//|' "$tree/examples/tour/main.cpp"
rejects snippets 'has no end'
append examples/tour/main.cpp '// [one]' '// [/one]'
rejects snippets 'more than one region [one]'
rm "$tree/examples/tour/main.cpp"
rejects snippets 'no such file: examples/tour/main.cpp'
sed -i '/tour/d' "$tree/examples/CMakeLists.txt"
rejects snippets 'nothing compiles it'
sed -i '$!b; s/.*/```\n```cpp/' "$tree/README.md"
rejects snippets 'a block without an end'

append examples/CMakeLists.txt '# gossip_example(name SOURCES file)' 'gossip_example(more SOURCES' '  more/main.cpp)'
rejects examples_listed 'its table has neither more/main.cpp nor more/'
append examples/CMakeLists.txt '# gossip_example(name SOURCES file)' 'gossip_example(more SOURCES' '  more/main.cpp)'
append examples/README.md '| `more/` | a folder |'
accepts examples_listed

append README.md '[a page](tests/absent.md)'
rejects links 'README.md:13: leads nowhere: tests/absent.md'
append README.md '<img src="plot.svg">'
rejects links 'leads nowhere: plot.svg'
append README.md '## One thing: `done`' '[it](#one-thing-done), [not](#one-thing)'
rejects links 'no such heading: #one-thing'
append README.md '## One thing: `done`' '[it](#one-thing-done)' '`[no](link)`' '[a](https://b.c/d)'
accepts links

mkdir -p "$tree/benchmarks/report"
figures() { printf '%s\n' '### A: ns' '' '| | 1x1 |' '|---|---|' "| gossip | $1 |" > "$tree/benchmarks/report/README.md"; }
figures 40
append README.md '<!-- figures: A: ns -->' '| | 1x1 |' '|---|---|' '| gossip | 30 |' '' 'Text.'
rejects figures 'its figures are not those of'
mkdir -p "$tree/benchmarks/report"
figures 40
append README.md '<!-- figures: B: ns -->' ''
rejects figures 'no such table in the report: B: ns'
mkdir -p "$tree/benchmarks/report"
figures 40
append README.md '<!-- figures: A: ns -->' '| | 1x1 |' '|---|---|' '| gossip | 40 |' '' 'Text.'
accepts figures

manifest=$tree/cmake/vcpkg/ports/gossip/vcpkg.json
sed -i 's/^    "c"/    "a"/' "$manifest"
rejects packages 'dependencies are sorted: "a"'
sed -i 's/^    "c"/     "c"/' "$manifest"
rejects packages 'indented by 5, not 4'
sed -i 's/true/True/' "$manifest"
rejects packages 'not a value: True'
sed -i 's/true$/true,/' "$manifest"
rejects packages 'a comma before }'
sed -i 's/"b",/"b"/' "$manifest"
rejects packages 'a comma is missing'
sed -i -e '/"version"/d' -e 's/^  "name": .*/  "version": "1.2.3",\n  "name": "gossip",/' "$manifest"
rejects packages 'the key name comes too late'
sed -i 's/"host"/"hots"/' "$manifest"
rejects packages 'no such key: hots'
sed -i '$d' "$manifest"
rejects packages 'ends too early'
append cmake/vcpkg/ports/gossip/portfile.cmake 'vcpkg_cmake_instal()'
rejects packages 'no such command: vcpkg_cmake_instal'
append cmake/vcpkg/ports/gossip/portfile.cmake 'vcpkg_cmake_configure(OPTIONS -DGOSSIP_TESTS=OFF)'
rejects packages 'the project has no option GOSSIP_TESTS'
sed -i 's/json GOSSIP/jason GOSSIP/' "${manifest%/*}/portfile.cmake"
rejects packages 'does not know the feature json'
if command -v python3 > /dev/null 2>&1; then
  append conanfile.py 'version = '
  rejects packages 'SyntaxError'
fi

sed -i 's/^  "version": .*/  "version": "1.2.4",/' "$manifest"
rejects version "vcpkg.json: version '1.2.4', version.hpp says 1.2.3"
sed -i 's/1.2.3/1.2.2/' "$tree/CHANGELOG.md"
rejects version "CHANGELOG.md: version '1.2.2'"
if command -v doxygen > /dev/null 2>&1; then
  cp "$here/../Doxyfile.in" "$tree/cmake/"
  append include/gossip/core/event.hpp 'namespace gossip {' '/// A thing.' 'struct Thing {' \
    '  int value;  ///< its value' '  void change();' '};' '}'
  sed -i 's/^#define GOSSIP/\/\/\/ Documented.\n&/' "$tree"/include/gossip/*.hpp
  rejects documented 'Member change() (function) of struct gossip::Thing is not documented'
  cp "$here/../Doxyfile.in" "$tree/cmake/"
  append include/gossip/core/event.hpp 'namespace gossip::detail {' 'struct Thing {' '  int value;' '};' '}'
  sed -i 's/^#define GOSSIP/\/\/\/ Documented.\n&/' "$tree"/include/gossip/*.hpp
  accepts documented
fi

sed -i 's/"1.2.3"/"1.2.4"/' "$tree/include/gossip/version.hpp"
rejects version 'GOSSIP_VERSION_STRING is "1.2.4", the numbers say 1.2.3'

echo "$failures failures"
[ "$failures" -eq 0 ]
