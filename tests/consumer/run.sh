#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh WAY: consumes gossip in one way; see CMakeLists.txt here for the environment.
set -eu
way=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
moved=$GOSSIP_WORK/moved

# Nothing of this build may leak into the stranger's.
unset CXXFLAGS CPPFLAGS LDFLAGS CMAKE_PREFIX_PATH CMAKE_GENERATOR CMAKE_BUILD_TYPE || true

build_and_run() {
  build=$GOSSIP_WORK/$way
  rm -rf "$build"
  "$GOSSIP_CMAKE" -S "$here/$way" -B "$build" -G "$GOSSIP_GENERATOR" \
    -DCMAKE_MAKE_PROGRAM="$GOSSIP_MAKE" -DCMAKE_CXX_COMPILER="$GOSSIP_CXX" \
    -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF "$@"
  "$GOSSIP_CMAKE" --build "$build"
  "$build/consumer"
  echo "$way: built and ran"
}

case $way in
  add_subdirectory | fetch_content)
    build_and_run -DGOSSIP_SOURCE_DIR="$GOSSIP_SOURCE"
    ;;
  install)
    # Installs, proves that nothing but our own files arrived, and moves the tree away.
    prefix=$GOSSIP_WORK/installed
    rm -rf "$prefix" "$moved"
    "$GOSSIP_CMAKE" --install "$GOSSIP_BUILD" --prefix "$prefix" > /dev/null
    (cd "$prefix" && find . -type f | sed 's|^\./||' | LC_ALL=C sort) > "$GOSSIP_WORK/actual.txt"
    {
      sed -n 's|^  \(gossip/.*\.hpp\)$|include/\1|p' "$GOSSIP_SOURCE/cmake/headers.cmake" |
        grep -vE "^include/gossip/(${GOSSIP_WITHOUT:-none})[/.]"
      for component in $GOSSIP_COMPONENTS; do
        echo "share/cmake/gossip/gossip-$component.cmake"
        echo "share/cmake/gossip/gossip-$component-targets.cmake"
        [ "$component" != redis ] || echo share/cmake/gossip/Findhiredis.cmake
      done
      echo share/cmake/gossip/gossip-config-version.cmake
      echo share/cmake/gossip/gossip-config.cmake
      echo share/cmake/gossip/gossip-targets.cmake
      echo share/doc/gossip/LICENSE
      echo share/pkgconfig/gossip.pc
    } | LC_ALL=C sort > "$GOSSIP_WORK/expected.txt"
    if ! diff -u "$GOSSIP_WORK/expected.txt" "$GOSSIP_WORK/actual.txt"; then
      echo "the installed files are not the expected ones"
      exit 1
    fi
    if grep -rlF -e "$prefix" -e "$GOSSIP_SOURCE" -e "$GOSSIP_BUILD" "$prefix"; then
      echo "an installed file names a folder of this machine"
      exit 1
    fi
    mv "$prefix" "$moved"
    ;;
  find_package)
    build_and_run -Dgossip_ROOT="$moved"
    ;;
  pkg_config)
    if ! command -v pkg-config > /dev/null; then
      echo "skipped: pkg-config is not installed"
      [ "${CI:-}" = true ] && exit 1
      exit 77
    fi
    PKG_CONFIG_PATH=$moved/share/pkgconfig
    export PKG_CONFIG_PATH
    pkg-config --print-errors --exists 'gossip >= 0.1'
    flags=$(pkg-config --cflags --libs gossip)
    eval "set -- $flags"  # pkg-config quotes for a shell
    "$GOSSIP_CXX" -std=c++20 "$here/main.cpp" "$@" -o "$GOSSIP_WORK/pkg_config_consumer"
    "$GOSSIP_WORK/pkg_config_consumer"
    echo "pkg_config: built with '$flags' and ran"
    ;;
  *)
    echo "no such way: $way"
    exit 1
    ;;
esac
