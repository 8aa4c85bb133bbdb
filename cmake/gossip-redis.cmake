# SPDX-License-Identifier: MIT
# The component redis of an installed gossip; loaded by gossip-config.cmake. It needs json.
if(NOT gossip_json_FOUND)
  include("${CMAKE_CURRENT_LIST_DIR}/gossip-json.cmake" OPTIONAL)
endif()
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
find_package(hiredis 1.0 MODULE QUIET)
list(POP_BACK CMAKE_MODULE_PATH)
find_package(ZLIB QUIET)
if(gossip_json_FOUND AND hiredis_FOUND AND ZLIB_FOUND)
  include("${CMAKE_CURRENT_LIST_DIR}/gossip-redis-targets.cmake")
  set(gossip_redis_FOUND TRUE)
else()
  set(gossip_redis_NOT_FOUND_MESSAGE
    "gossip::redis needs nlohmann_json 3.11, hiredis 1.0 with hiredis_ssl, OpenSSL and zlib, or newer")
endif()
