#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bootstrap.sh WHAT...: obtains what is missing to build gossip, and says what it does.
#   build    a C++20 compiler, CMake, Ninja
#   tests    g++, pkg-config, python3, Catch2; nlohmann_json, hiredis, OpenSSL, zlib and redis-server
#   check    clang, its sanitizers, clang-format, clang-tidy
#   docs     Doxygen
#   bench    Google Benchmark
#   peers    the libraries that benchmarks compare with (each optional)
#
# Packages are installed as root or through `sudo -n`; without either, the command is printed. What
# no package offers in a recent enough version comes as a source archive into .deps/ (or the folder
# GOSSIP_ARCHIVES), by hash: from the next Debian release through apt, else by download. Running it
# again costs a second and needs no network.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
archives=${GOSSIP_ARCHIVES:-$root/.deps}
least_cmake=3.24
packages=

say() { printf 'bootstrap: %s\n' "$*"; }
fail() {
  printf 'bootstrap: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" > /dev/null 2>&1; }

# --- packages ------------------------------------------------------------------------------------

have_apt() { have apt-get && have dpkg; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

can_be_root() { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -n true 2> /dev/null; }; }

refresh_lists() {
  [ -z "${lists_fresh:-}" ] || return 0
  if can_be_root; then
    say 'refreshing the package lists'
    as_root apt-get -qq update || say 'refreshing failed; going on with the lists that are there'
  fi
  lists_fresh=yes
}

# candidate PACKAGE: the version that apt would install, or nothing
candidate() {
  LC_ALL=C apt-cache policy "$1" 2> /dev/null | sed -n 's/^  Candidate: //p' | grep -v '(none)' || true
}

# candidate_at_least PACKAGE VERSION: refreshes the lists once if the answer would be no
candidate_at_least() {
  version=$(candidate "$1")
  if [ -z "$version" ]; then
    refresh_lists
    version=$(candidate "$1")
  fi
  [ -n "$version" ] && dpkg --compare-versions "$version" ge "$2"
}

want() { packages="$packages $1"; }
installed() { dpkg-query -W -f '${Status}' "$1" 2> /dev/null | grep -q 'ok installed'; }

install_wanted() {
  [ -n "$packages" ] || return 0
  have_apt || fail "please install, by this system's own means:$packages"
  # shellcheck disable=SC2086  # a list of words
  set -- $packages
  packages=
  command="apt-get install -y --no-install-recommends $*"
  can_be_root || fail "please run as root: $command"
  say "installing $*"
  # One try with the lists that are there, then one with fresh ones.
  if ! quietly as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"; then
    refresh_lists
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "$@" > /dev/null || fail "failed: $command"
  fi
}

quietly() { "$@" > /dev/null 2>&1 < /dev/null; }

# --- tools ---------------------------------------------------------------------------------------

# at_least HAVE LEAST: compares dotted numbers
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$2" ]; }

cmake_version() {
  cmake --version 2> /dev/null | sed -n '1s/.*version \([0-9.]*\).*/\1/p'
}

cmake_is_new_enough() { have cmake && at_least "$(cmake_version)" "$least_cmake"; }

# Where apt's CMake is too old (Ubuntu 22.04), the one from the Python package index serves.
newer_cmake() {
  say "CMake $(cmake_version) is older than $least_cmake; getting a newer one into $archives/cmake"
  if ! { quietly python3 -m venv "$archives/cmake" &&
    quietly "$archives/cmake/bin/pip" install "cmake>=$least_cmake,<4"; }; then
    rm -rf "$archives/cmake"
    fail "please install CMake $least_cmake or newer (or python3-venv, and run this again)"
  fi
}

bootstrap_build() {
  # Presets name their compiler; the demo takes CXX, or the system's own.
  [ -n "${CXX:-}" ] || have c++ || have g++ || have clang++ || want g++
  have cmake || want cmake
  have ninja || want ninja-build
  install_wanted
  cmake_is_new_enough || newer_cmake
}

# --- dependencies --------------------------------------------------------------------------------

# missing NAME...: lines `name least apt source archive sha256 url` of those not installed
missing() {
  probe=$root/build/probe
  names=$(printf '%s;' "$@")
  if ! cmake -S "$root/cmake/probe" -B "$probe" -G Ninja "-DGOSSIP_PROBE=${names%;}" \
    > "$archives/probe.log" 2>&1; then
    rm -rf "$probe"  # a compiler or a generator that is gone, perhaps
    cmake -S "$root/cmake/probe" -B "$probe" -G Ninja "-DGOSSIP_PROBE=${names%;}" \
      > "$archives/probe.log" 2>&1 || { cat "$archives/probe.log" >&2; fail 'the probe failed'; }
  fi
  cat "$probe/missing.txt"
}

matches() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$2" ]; }

# this_and_next_release: their names, where the next one has the archives that we name
this_and_next_release() {
  [ -r /etc/os-release ] || return 1
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}")
  case $codename in
    bookworm) echo bookworm trixie ;;
    *) return 1 ;;
  esac
}

# from_next_release SOURCE FOLDER: the source package's archive, through apt. The address is the one
# that apt itself uses; signatures are verified; nothing of the system's apt is changed.
from_next_release() {
  have_apt && releases=$(this_and_next_release) || return 1
  current=${releases% *} release=${releases#* }
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -r "$keyring" ] || return 1
  # shellcheck disable=SC2016  # apt's own fields
  uri=$(apt-get --no-release-info indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
    'Created-By: Packages' 2> /dev/null | sed -n "s/^$current main //p" | head -n 1)
  [ -n "$uri" ] || return 1
  apt_home=$2/apt
  mkdir -p "$apt_home/state/lists/partial" "$apt_home/cache/archives/partial"
  cat > "$apt_home/next.sources" <<END
Types: deb-src
URIs: $uri
Suites: $release
Components: main
Signed-By: $keyring
END
  cat > "$apt_home/apt.conf" <<END
Dir::State "$apt_home/state";
Dir::State::Lists "$apt_home/state/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$apt_home/cache";
Dir::Etc::sourcelist "$apt_home/next.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
  say "asking apt for the source archive of $1 in Debian $release"
  (cd "$2" &&
    apt-get -c "$apt_home/apt.conf" -qq --error-on=any update &&
    apt-get -c "$apt_home/apt.conf" -qq --tar-only --download-only source "$1") < /dev/null
}

# obtain_archive SOURCE ARCHIVE SHA256 URL
obtain_archive() {
  matches "$archives/$2" "$3" && return 0
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  if ! { from_next_release "$1" "$work" && matches "$work/$2" "$3"; }; then
    say "downloading $4"
    cat > "$work/download.cmake" <<END
file(DOWNLOAD "$4" "$work/$2" EXPECTED_HASH SHA256=$3 TLS_VERIFY ON)
END
    cmake -P "$work/download.cmake" < /dev/null || fail "no way to obtain $2 (SHA-256 $3); put it into $archives"
  fi
  matches "$work/$2" "$3" || fail "$2 is not the expected archive"
  mv "$work/$2" "$archives/$2"
  rm -rf "$work"
  trap - EXIT
  say "stored $archives/$2"
}

# Catch2 is built once, for all build folders and both compilers (they share one C++ ABI).
build_catch2() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  say "building $1 into $archives/prefix (20 s on two cores)"
  (cd "$work" && cmake -E tar xf "$archives/$1")
  {
    cmake -S "$work"/[Cc]atch2-* -B "$work/build" -G Ninja \
      -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_STANDARD=20 -DCMAKE_CXX_STANDARD_REQUIRED=ON \
      -DCMAKE_CXX_EXTENSIONS=OFF -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
      -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=24 -DCATCH_INSTALL_DOCS=OFF \
      -DCMAKE_INSTALL_LIBDIR=lib &&
      cmake --build "$work/build" -j "${GOSSIP_JOBS:-2}" &&
      cmake --install "$work/build" --prefix "$archives/prefix"
  } > "$archives/catch2.log" 2>&1 || {
    tail -n 30 "$archives/catch2.log" >&2
    fail "building Catch2 failed; see $archives/catch2.log"
  }
  rm -rf "$work"
  trap - EXIT
}

# obtain NAME...: dependencies by their names in cmake/dependencies.cmake
obtain() {
  mkdir -p "$archives"
  missing "$@" > "$archives/missing.txt"
  while read -r name least apt source archive hash url; do
    if have_apt && candidate_at_least "$apt" "$least"; then
      want "$apt"
      continue
    fi
    obtain_archive "$source" "$archive" "$hash" "$url"
    [ "$name" != Catch2 ] || build_catch2 "$archive"
  done < "$archives/missing.txt"
  rm -f "$archives/missing.txt"
  install_wanted
}

bootstrap_tests() {
  bootstrap_build
  have g++ || want g++
  have pkg-config || want pkg-config
  have redis-server || want redis-server
  have openssl || want openssl
  have python3 || want python3  # runs conanfile.py
  if have_apt; then
    installed libssl-dev || want libssl-dev
    installed zlib1g-dev || want zlib1g-dev
  fi
  install_wanted
  obtain Catch2 nlohmann_json hiredis
}

# can_sanitize: whether clang++ links its sanitizers' run-time library
can_sanitize() {
  probe=$(mktemp -d)
  printf 'int main() {}\n' > "$probe/main.cpp"
  result=0
  quietly clang++ -fsanitize=thread "$probe/main.cpp" -o "$probe/main" || result=1
  rm -rf "$probe"
  return "$result"
}

bootstrap_check() {
  have clang++ || want clang
  have clang-format || have clang-format-14 || want clang-format
  have clang-tidy || have clang-tidy-14 || want clang-tidy
  install_wanted
  if ! can_sanitize; then
    major=$(clang++ -dumpversion | cut -d. -f1)
    if have_apt && candidate_at_least "libclang-rt-$major-dev" 0; then
      want "libclang-rt-$major-dev"
    else
      want "libclang-common-$major-dev"  # before clang 14's packages were split
    fi
    install_wanted
  fi
}

bootstrap_docs() {
  have doxygen || want doxygen
  install_wanted
}

bootstrap_bench() {
  bootstrap_build
  obtain benchmark
}

# The peers are a comparison, not a condition: one that cannot be had is left out, aloud.
bootstrap_peers() {
  have_apt || { say 'no apt: benchmarks run without their peers'; return 0; }
  for peer in libconcurrentqueue-dev libboost-dev libtbb-dev; do
    installed "$peer" && continue
    if candidate_at_least "$peer" 0 && can_be_root; then
      (packages=$peer && install_wanted) || say "benchmarks run without $peer"
    else
      say "benchmarks run without $peer"
    fi
  done
}

PATH=$archives/prefix/bin:$archives/cmake/bin:$PATH
export PATH
[ $# -gt 0 ] || fail 'what? build, tests, check, docs, bench, peers'
for what in "$@"; do
  case $what in
    build | tests | check | docs | bench | peers) "bootstrap_$what" ;;
    *) fail "no such thing: $what" ;;
  esac
done
