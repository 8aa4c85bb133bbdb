#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The way in: `cmake/dev.sh help`. It obtains what is missing (cmake/bootstrap.sh), says what it
# does, and can be run again at any time; once all is there it needs no network.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
archives=${GOSSIP_ARCHIVES:-$root/.deps}
PATH=$archives/cmake/bin:$PATH
export PATH

jobs=${GOSSIP_JOBS:-$(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2)}
GOSSIP_JOBS=$jobs
CMAKE_BUILD_PARALLEL_LEVEL=$jobs
CTEST_PARALLEL_LEVEL=$jobs
export GOSSIP_JOBS CMAKE_BUILD_PARALLEL_LEVEL CTEST_PARALLEL_LEVEL
# Several presets compile much of the same, and so does the next checkout.
if command -v ccache > /dev/null 2>&1 && [ -z "${CMAKE_CXX_COMPILER_LAUNCHER:-}" ]; then
  CMAKE_CXX_COMPILER_LAUNCHER=ccache
  CCACHE_BASEDIR=$root
  export CMAKE_CXX_COMPILER_LAUNCHER CCACHE_BASEDIR
  [ -z "${CI:-}" ] || export CCACHE_NOHASHDIR=1
fi

say() { printf '==> %s\n' "$*"; }
bootstrap() { sh "$root/cmake/bootstrap.sh" "$@"; }

usage() {
  cat << 'END'
cmake/dev.sh COMMAND

  demo              builds the examples and runs them: the tour, then logwatch on a real log
  test [ARGUMENT]   builds every test (g++, Debug) and runs them; arguments go to ctest
  check [STEP...]   everything that CI checks, or these steps alone:
                      rules      what cmake/checks/ says about the files
                      selftest   each of those rules rejects a broken copy
                      format     clang-format 14
                      docs       Doxygen finds nothing public that is undocumented
                      headers    each header compiles alone
                      consumer   find_package, add_subdirectory, FetchContent, pkg-config, packages
                      asan-clang all tests under ASan, UBSan and LeakSanitizer (clang++)
                      tsan       all tests under ThreadSanitizer (g++)
                      release    stress tests and benchmarks (g++, Release)
                      soak       a minute of faults over Redis: nothing is lost in silence
                      tidy       clang-tidy 14 on every header and the examples
                      compile-time            what including gossip costs
                    and, only if they are named, for they take their time:
                      clang             all tests (clang++, Debug, no sanitizer)
                      asan tsan-clang   the sanitizers of the other compiler
                      release-all       all tests, examples and benchmarks (g++, Release)
                      mutants           mistakes put in that the tests have to notice
  bench [ARGUMENT]  builds the benchmarks (Release) and runs them; arguments go to the program
  bench --report [ARGUMENT]
                    the same, and writes benchmarks/report/: tables, and plots as SVG
  bench redis [ARGUMENT]
                    those of the Redis provider, on a redis-server that it starts and stops
  help              this

Variables: GOSSIP_JOBS (parallel jobs), GOSSIP_ARCHIVES (folder of source archives, else .deps/),
CXX (the compiler of demo and bench), CI=true (a skipped test fails).
END
}

# configure_and_build PRESET [TARGET...]
configure_and_build() {
  preset=$1
  shift
  cmake --preset "$preset"
  if [ $# -gt 0 ]; then
    cmake --build --preset "$preset" --target "$@"
  else
    cmake --build --preset "$preset"
  fi
}

# run_tests PRESET [CTEST ARGUMENT...]: and says of each skipped test why
run_tests() {
  preset=$1
  shift
  result=0
  # ThreadSanitizer of older compilers wants a fixed layout of memory.
  case $preset in
    tsan*) if setarch "$(uname -m)" -R true 2> /dev/null; then fixed="setarch $(uname -m) -R"; fi ;;
  esac
  # shellcheck disable=SC2086  # a command or nothing
  ${fixed:-} ctest --preset "$preset" "$@" || result=$?
  grep -h '^skipped: ' "build/$preset/Testing/Temporary/LastTest.log" 2> /dev/null || true
  return "$result"
}

# --- demo, test, bench ---------------------------------------------------------------------------

command_demo() {
  [ $# -eq 0 ] || { echo "cmake/dev.sh: demo takes no arguments, not '$1'" >&2 && exit 2; }
  bootstrap build
  say 'building the examples (Release)'
  cmake --preset demo > build-demo.log 2>&1 || { cat build-demo.log; rm -f build-demo.log; exit 1; }
  rm -f build-demo.log
  cmake --build --preset demo --target tour logwatch
  log=/var/log/dpkg.log
  if [ ! -r "$log" ] || [ ! -s "$log" ]; then
    log=examples/logwatch/sample.log
  fi
  say 'tour'
  "$(built demo tour)"
  say "logwatch $log"
  "$(built demo logwatch)" "$log"
}

# built PRESET PROGRAM: where an example's program is
built() {
  for path in "build/$1/examples/$2" "build/$1/examples/$2/$2"; do
    [ ! -f "$path" ] || { echo "$path"; return; }
  done
  echo "build/$1/examples/$2"
}

command_test() {
  bootstrap tests
  say 'building the tests (g++, Debug)'
  configure_and_build dev
  say 'running the tests'
  run_tests dev "$@"
}

command_bench() {
  if [ "${1:-}" = redis ]; then
    shift
    command_bench_redis "$@"
  fi
  report=
  if [ "${1:-}" = --report ]; then
    shift
    report=yes
    commit=$(git describe --always --dirty --abbrev=7 2> /dev/null || echo unknown)
    set -- --report benchmarks/report --commit "$commit" \
      --command "cmake/dev.sh bench --report${*:+ $*}" "$@"
  fi
  bootstrap bench peers
  say 'building the benchmarks (Release)'
  configure_and_build bench gossip_bench
  say 'running the benchmarks'
  build/bench/benchmarks/gossip_bench "$@"
  if [ -n "$report" ]; then
    sh cmake/checks/figures.sh --write
    say 'written: benchmarks/report/, and the tables that quote it'
  fi
}

command_bench_redis() {
  bootstrap tests bench
  say 'building the benchmarks of the Redis provider (Release)'
  configure_and_build bench-redis gossip_redis_bench
  say 'running them'
  exec build/bench-redis/benchmarks/gossip_redis_bench "$@"
}

# --- check ---------------------------------------------------------------------------------------

# Either compiler runs every test: plainly and under ThreadSanitizer g++, under the others clang++.
all_steps='rules selftest format docs headers consumer asan-clang tsan tidy release soak'
all_steps="$all_steps compile-time"
more_steps='clang asan tsan-clang release-all mutants'

# Sources that clang-format looks at: what is there, but not what is built or fetched.
sources() {
  find include tests benchmarks examples -type f \( -name '*.hpp' -o -name '*.cpp' \) |
    LC_ALL=C sort
}

# tool NAME: that clang tool in the version whose verdict counts; else the step is skipped (77)
tool() {
  for candidate in "$1-14" "$1"; do
    if command -v "$candidate" > /dev/null 2>&1 &&
      "$candidate" --version | grep -q 'version 14\.'; then
      echo "$candidate"
      return
    fi
  done
  echo "skipped: $1 14 is not installed, and other versions judge differently" >&2
  return 77
}

step_rules() { sh cmake/checks/rules.sh; }
step_selftest() { sh cmake/checks/selftest.sh; }

step_format() {
  format=$(tool clang-format)
  sources | xargs "$format" --dry-run -Werror
}

step_docs() { configure_and_build demo docs; }

# By one compiler: on the same standard library the other finds the same.
step_headers() { configure_and_build dev all_verify_interface_header_sets; }

step_consumer() {
  configure_and_build dev
  run_tests dev -L '^consumer$'
}

step_asan() { configure_and_build asan && run_tests asan; }
step_tsan() { configure_and_build tsan && run_tests tsan; }
step_clang() { configure_and_build dev-clang && run_tests dev-clang; }
step_release() {
  configure_and_build release stress gossip_bench gossip_microbench gossip_redis_bench
  run_tests release -L '^(stress|bench)$'
}
step_release_all() { configure_and_build release && run_tests release; }
step_soak() {
  configure_and_build release redis_soak && build/release/tests/redis_soak --seconds 60
}
step_asan_clang() { configure_and_build asan-clang && run_tests asan-clang; }
step_tsan_clang() { configure_and_build tsan-clang && run_tests tsan-clang; }

step_mutants() { configure_and_build mutants mutants && run_tests mutants; }

step_tidy() {
  tidy=$(tool clang-tidy)
  cmake --preset dev-clang
  find tests/odr/first.cpp examples -name '*.cpp' | LC_ALL=C sort |
    xargs -n 1 -P "$jobs" "$tidy" --quiet -p build/dev-clang
}

step_compile_time() { sh cmake/checks/compile_time.sh; }

# What each step asks of the machine.
needs() {
  case $1 in
    rules | selftest) ;;
    docs) echo build docs ;;
    consumer | asan | tsan | mutants | compile-time) echo tests ;;
    release | release-all | soak) echo tests bench ;;
    *) echo tests check ;;
  esac
}

command_check() {
  steps=${*:-$all_steps}
  for step in $steps; do
    case " $all_steps $more_steps " in
      *" $step "*) ;;
      *)
        echo "no such step: $step; there are: $all_steps $more_steps" >&2
        exit 2
        ;;
    esac
  done
  needed=$(for step in $steps; do needs "$step"; done | tr ' ' '\n' | sort -u)
  # shellcheck disable=SC2086  # a list of words
  [ -z "$needed" ] || bootstrap $needed
  mkdir -p build/check
  failed=
  for step in $steps; do
    log=build/check/$step.log
    begun=$(date +%s)
    # A new shell for each step: `set -e` has no effect in a function that `if` calls.
    result=0
    sh "$root/cmake/dev.sh" step "$step" > "$log" 2>&1 < /dev/null || result=$?
    case $result,${CI:-} in
      0,*) verdict=ok ;;
      77,true) verdict=FAILED ;;
      77,*) verdict=skipped ;;
      *) verdict=FAILED ;;
    esac
    [ "$verdict" != FAILED ] || failed="$failed $step"
    summary=$(grep -hE 'tests passed|tests failed out of|^(ratio|skipped|soak):|^  warning:' "$log" |
      tail -n 1 | sed 's/^ */ - /' || true)
    printf '%-7s %-12s %4d s%s\n' "$verdict" "$step" "$(($(date +%s) - begun))" "$summary"
    if [ "$verdict" = FAILED ]; then
      { grep -E -A 12 'FAILED:|\*\*\*|error:|WARNING: ThreadSanitizer|ERROR: ' "$log" |
        head -n 120; echo ...; tail -n 20 "$log"; } | sed 's/^/    /'
      echo "    (all of it: $log)"
    fi
  done
  if [ -n "$failed" ]; then
    echo "failed:$failed"
    exit 1
  fi
  echo 'no step failed'
}

command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
  demo | test | check | bench) "command_$command" "$@" ;;
  step) "step_$(echo "$1" | tr - _)" ;;
  help | -h | --help) usage ;;
  *)
    { echo "cmake/dev.sh: no such command: '$command'" && usage; } >&2
    exit 2
    ;;
esac
