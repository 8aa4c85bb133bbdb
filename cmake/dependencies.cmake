# SPDX-License-Identifier: MIT
# Every dependency, declared once: name, least version, and the archive that is used where no
# installed package is new enough. `gossip::gossip` itself needs none of these.
#
# Order of search: an installed package (ours are under <archives>/prefix); an archive in the
# archives folder (GOSSIP_ARCHIVES, of CMake or the environment, else .deps/); the download. The hash is
# checked in each case but the first. cmake/bootstrap.sh reads the same declarations.
include_guard(GLOBAL)
include(FetchContent)

get_filename_component(gossip_archives "${CMAKE_CURRENT_LIST_DIR}/../.deps" ABSOLUTE)
if(DEFINED GOSSIP_ARCHIVES)
  set(gossip_archives "${GOSSIP_ARCHIVES}")
elseif(DEFINED ENV{GOSSIP_ARCHIVES})
  set(gossip_archives "$ENV{GOSSIP_ARCHIVES}")
endif()
if(IS_DIRECTORY "${gossip_archives}/prefix")
  list(PREPEND CMAKE_PREFIX_PATH "${gossip_archives}/prefix")
endif()

# gossip_declare(NAME LEAST version URL url SHA256 hash ARCHIVE file APT package SOURCE package)
#   APT      the binary package, installed if its version is at least LEAST
#   SOURCE   the source package whose .orig.tar.gz is ARCHIVE
#   SUBDIR   where its CMakeLists.txt is; `none` for one that is not to be run
set(gossip_dependencies "")
macro(gossip_declare name)
  cmake_parse_arguments(gossip_arg "" "LEAST;URL;SHA256;ARCHIVE;APT;SOURCE;SUBDIR" "" ${ARGN})
  list(APPEND gossip_dependencies ${name})
  foreach(key IN ITEMS LEAST URL SHA256 ARCHIVE APT SOURCE)
    set(gossip_dependency_${name}_${key} "${gossip_arg_${key}}")
  endforeach()
  set(gossip_url "${gossip_arg_URL}")
  if(EXISTS "${gossip_archives}/${gossip_arg_ARCHIVE}")
    set(gossip_url "${gossip_archives}/${gossip_arg_ARCHIVE}")
  endif()
  FetchContent_Declare(${name}
    URL "${gossip_url}"
    URL_HASH SHA256=${gossip_arg_SHA256}
    SOURCE_SUBDIR "${gossip_arg_SUBDIR}"
    DOWNLOAD_EXTRACT_TIMESTAMP FALSE
    FIND_PACKAGE_ARGS ${gossip_arg_LEAST})
endmacro()

gossip_declare(Catch2
  LEAST 3.3  # the first with SKIP
  URL https://github.com/catchorg/Catch2/archive/refs/tags/v3.7.1.tar.gz
  SHA256 c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c
  ARCHIVE catch2_3.7.1.orig.tar.gz
  APT libcatch2-dev
  SOURCE catch2)

gossip_declare(benchmark
  LEAST 1.7
  URL https://github.com/google/benchmark/archive/refs/tags/v1.9.1.tar.gz
  SHA256 32131c08ee31eeff2c8968d7e874f3cb648034377dfc32a4c377fa8796d84981
  ARCHIVE benchmark_1.9.1.orig.tar.gz
  APT libbenchmark-dev
  SOURCE benchmark)

gossip_declare(nlohmann_json
  LEAST 3.11
  URL https://github.com/nlohmann/json/archive/refs/tags/v3.11.3.tar.gz
  SHA256 0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406
  ARCHIVE nlohmann-json3_3.11.3.orig.tar.gz
  APT nlohmann-json3-dev
  SOURCE nlohmann-json3
  SUBDIR none)

# 1.2.0 is what Debian 13 has. Its parser recurses over nested replies: gossip limits their depth
# itself and relies on no release of hiredis for it.
gossip_declare(hiredis
  LEAST 1.0
  URL https://github.com/redis/hiredis/archive/refs/tags/v1.2.0.tar.gz
  SHA256 82ad632d31ee05da13b537c124f819eb88e18851d9cb0c30ae0552084811588c
  ARCHIVE hiredis_1.2.0.orig.tar.gz
  APT libhiredis-dev
  SOURCE hiredis
  SUBDIR none)
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
