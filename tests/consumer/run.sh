#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh WAY: consumes gossip in one way; see CMakeLists.txt here for the environment.
set -eu
way=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
moved=$GOSSIP_WORK/moved
dependencies=$GOSSIP_WORK/dependencies

# Nothing of this build may leak into the stranger's.
unset CXXFLAGS CPPFLAGS LDFLAGS CMAKE_PREFIX_PATH CMAKE_GENERATOR CMAKE_BUILD_TYPE || true

# configure FOLDER [ARGUMENT...]: the stranger's project in that folder, in $build
configure() {
  project=$1
  shift
  "$GOSSIP_CMAKE" -S "$project" -B "$build" -G "$GOSSIP_GENERATOR" \
    -DCMAKE_MAKE_PROGRAM="$GOSSIP_MAKE" -DCMAKE_CXX_COMPILER="$GOSSIP_CXX" \
    -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF "$@"
}

build_and_run() {
  project=$1
  shift
  build=$GOSSIP_WORK/$way
  rm -rf "$build"
  configure "$here/$project" "$@"
  "$GOSSIP_CMAKE" --build "$build"
  "$build/consumer"
  echo "$way: built and ran"
}

# installs_ours BUILD WITHOUT [COMPONENT...]: installs that build, proves that nothing but our own
# files arrived, and moves the tree to $moved
installs_ours() {
  installed=$1
  without=$2
  shift 2
  prefix=$GOSSIP_WORK/$way-prefix
  rm -rf "$prefix" "$moved"
  warnings=$GOSSIP_WORK/$way-warnings.txt
  "$GOSSIP_CMAKE" --install "$installed" --prefix "$prefix" 2> "$warnings" > /dev/null
  cat "$warnings"
  (cd "$prefix" && find . -type f | sed 's|^\./||' | LC_ALL=C sort) > "$GOSSIP_WORK/$way-actual.txt"
  {
    sed -n 's|^  \(gossip/.*\.hpp\)$|include/\1|p' "$GOSSIP_SOURCE/cmake/headers.cmake" |
      grep -vE "^include/gossip/($without)[/.]"
    for component in "$@"; do
      echo "share/cmake/gossip/gossip-$component.cmake"
      echo "share/cmake/gossip/gossip-$component-targets.cmake"
      [ "$component" != redis ] || echo share/cmake/gossip/Findhiredis.cmake
    done
    echo share/cmake/gossip/gossip-config-version.cmake
    echo share/cmake/gossip/gossip-config.cmake
    echo share/cmake/gossip/gossip-targets.cmake
    echo share/doc/gossip/LICENSE
    echo share/pkgconfig/gossip.pc
  } | LC_ALL=C sort > "$GOSSIP_WORK/$way-expected.txt"
  if ! diff -u "$GOSSIP_WORK/$way-expected.txt" "$GOSSIP_WORK/$way-actual.txt"; then
    echo "the installed files are not the expected ones"
    exit 1
  fi
  if grep -rlF -e "$prefix" -e "$GOSSIP_SOURCE" -e "$GOSSIP_BUILD" "$prefix"; then
    echo "an installed file names a folder of this machine"
    exit 1
  fi
  mv "$prefix" "$moved"
}

# vcpkg_port FEATURES: runs the port, into $GOSSIP_WORK/<way>-vcpkg/packages
vcpkg_port() {
  "$GOSSIP_CMAKE" -DPORT_DIR="$GOSSIP_SOURCE/cmake/vcpkg/ports/gossip" \
    -DWORK="$GOSSIP_WORK/$way-vcpkg" "-DFEATURES=$1" -DDEPENDENCIES="$dependencies" \
    -DGENERATOR="$GOSSIP_GENERATOR" -DMAKE="$GOSSIP_MAKE" -DCXX="$GOSSIP_CXX" \
    -P "$here/vcpkg/stand_in.cmake"
}

# skip WHY: not here; CI accepts no such excuse
skip() {
  echo "skipped: $1"
  [ "${CI:-}" != true ] || exit 1
  exit 77
}

case $way in
  add_subdirectory | fetch_content)
    build_and_run "$way" -DGOSSIP_SOURCE_DIR="$GOSSIP_SOURCE"
    ;;
  install)
    # shellcheck disable=SC2086  # a list of words
    installs_ours "$GOSSIP_BUILD" "${GOSSIP_WITHOUT:-none}" $GOSSIP_COMPONENTS
    # Who installs is told of what was fetched, and of nothing else.
    if [ -n "$GOSSIP_HIREDIS" ]; then
      if ! grep -qF "hiredis 1.0 or newer (Debian and Ubuntu: libhiredis-dev)" "$warnings"; then
        echo "no warning that hiredis, which was fetched, is not installed"
        exit 1
      fi
    elif grep -F hiredis "$warnings"; then
      echo "a warning of hiredis, which was not fetched"
      exit 1
    fi
    # Where hiredis was fetched, an installed one for the components' test.
    rm -rf "$dependencies"
    mkdir -p "$dependencies/lib" "$dependencies/include"
    if [ -n "$GOSSIP_HIREDIS" ]; then
      cp "$GOSSIP_HIREDIS" "$dependencies/lib/libhiredis.a"
      cp "$GOSSIP_HIREDIS" "$dependencies/lib/libhiredis_ssl.a"
      cp -R "$GOSSIP_HIREDIS_INCLUDE/hiredis" "$dependencies/include/"
    fi
    ;;
  find_package)
    build_and_run find_package -Dgossip_ROOT="$moved"
    ;;
  components)
    build_and_run components -Dgossip_ROOT="$moved" -DCMAKE_PREFIX_PATH="$dependencies"
    ;;
  install_core)
    # Without the components: none of their files, and whoever asks for one is told.
    build=$GOSSIP_WORK/core
    moved=$GOSSIP_WORK/core-moved
    rm -rf "$build"
    configure "$GOSSIP_SOURCE" \
      -DGOSSIP_BUILD_TESTS=OFF -DGOSSIP_BUILD_BENCHMARKS=OFF -DGOSSIP_BUILD_EXAMPLES=OFF
    installs_ours "$build" 'json|redis'
    build_and_run find_package -Dgossip_ROOT="$moved"
    build=$GOSSIP_WORK/refused
    rm -rf "$build"
    if configure "$here/components" -Dgossip_ROOT="$moved" > "$GOSSIP_WORK/refused.txt" 2>&1; then
      echo "a component that is not installed was found"
      exit 1
    fi
    grep -F "component 'json' is not part of this installation of gossip" "$GOSSIP_WORK/refused.txt"
    ;;
  pkg_config)
    command -v pkg-config > /dev/null || skip 'pkg-config is not installed'
    PKG_CONFIG_PATH=$moved/share/pkgconfig
    export PKG_CONFIG_PATH
    pkg-config --print-errors --exists 'gossip >= 0.1'
    flags=$(pkg-config --cflags --libs gossip)
    eval "set -- $flags"  # pkg-config quotes for a shell
    "$GOSSIP_CXX" -std=c++20 "$here/main.cpp" "$@" -o "$GOSSIP_WORK/pkg_config_consumer"
    "$GOSSIP_WORK/pkg_config_consumer"
    echo "pkg_config: built with '$flags' and ran"
    ;;
  vcpkg_port)
    vcpkg_port ''
    build_and_run find_package -DCMAKE_PREFIX_PATH="$GOSSIP_WORK/$way-vcpkg/packages"
    ;;
  vcpkg_port_redis)
    vcpkg_port 'json;redis'
    build_and_run components -DCMAKE_PREFIX_PATH="$GOSSIP_WORK/$way-vcpkg/packages;$dependencies"
    ;;
  conan)
    command -v python3 > /dev/null || skip 'python3 is not installed'
    version=$(PYTHONDONTWRITEBYTECODE=1 python3 "$here/conan/stand_in.py" "$GOSSIP_SOURCE" "$GOSSIP_WORK")
    grep -qF "\"$version\"" "$GOSSIP_SOURCE/include/gossip/version.hpp"
    echo "conan: the recipe packages gossip $version, and its test package runs"
    ;;
  *)
    echo "no such way: $way"
    exit 1
    ;;
esac
