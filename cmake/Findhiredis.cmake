# SPDX-License-Identifier: MIT
# Finds hiredis with its TLS part: imported targets hiredis::hiredis and hiredis::hiredis_ssl. Used
# by the build and, installed beside gossip's config, by its users. The version is always read from
# hiredis.h: Debian's own config has none.
include(FindPackageHandleStandardArgs)

# hiredis's own config defines the targets; it must not be asked for a version.
find_package(hiredis CONFIG QUIET)
find_package(hiredis_ssl CONFIG QUIET)

find_path(hiredis_INCLUDE_DIR hiredis/hiredis_ssl.h HINTS ${hiredis_INCLUDE_DIRS} ${hiredis_INCLUDEDIR})
find_library(hiredis_LIBRARY hiredis)
find_library(hiredis_ssl_LIBRARY hiredis_ssl)
find_package(OpenSSL QUIET)
mark_as_advanced(hiredis_INCLUDE_DIR hiredis_LIBRARY hiredis_ssl_LIBRARY)

set(hiredis_VERSION "")
if(hiredis_INCLUDE_DIR)
  foreach(part IN ITEMS MAJOR MINOR PATCH)
    file(STRINGS "${hiredis_INCLUDE_DIR}/hiredis/hiredis.h" line
      REGEX "^#define HIREDIS_${part} [0-9]+")
    string(REGEX REPLACE "[^0-9]" "" number "${line}")
    list(APPEND hiredis_VERSION ${number})
  endforeach()
  list(JOIN hiredis_VERSION "." hiredis_VERSION)
endif()

find_package_handle_standard_args(hiredis
  REQUIRED_VARS hiredis_LIBRARY hiredis_ssl_LIBRARY hiredis_INCLUDE_DIR OPENSSL_FOUND
  VERSION_VAR hiredis_VERSION)

if(hiredis_FOUND AND NOT TARGET hiredis::hiredis)
  add_library(hiredis::hiredis UNKNOWN IMPORTED GLOBAL)
  set_target_properties(hiredis::hiredis PROPERTIES
    IMPORTED_LOCATION "${hiredis_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${hiredis_INCLUDE_DIR}")
endif()
if(hiredis_FOUND AND NOT TARGET hiredis::hiredis_ssl)
  add_library(hiredis::hiredis_ssl UNKNOWN IMPORTED GLOBAL)
  set_target_properties(hiredis::hiredis_ssl PROPERTIES
    IMPORTED_LOCATION "${hiredis_ssl_LIBRARY}"
    INTERFACE_LINK_LIBRARIES "hiredis::hiredis;OpenSSL::SSL;OpenSSL::Crypto")
endif()
