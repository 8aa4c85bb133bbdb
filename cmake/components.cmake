# SPDX-License-Identifier: MIT
# The parts of gossip that need a library: gossip::json (nlohmann_json) and gossip::redis (hiredis
# with TLS, OpenSSL). Neither library is built by its own CMake code, whose options and install rules
# would become ours; what is fetched becomes imported targets, which can be exported by name.
include(cmake/dependencies.cmake)

# What was fetched is not installed with gossip: install.cmake tells.
set(gossip_fetched "")

# gossip_component(NAME HEADERS regex LINK target...)
function(gossip_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADERS" "LINK")
  set(headers ${GOSSIP_HEADERS})
  list(FILTER headers INCLUDE REGEX "${arg_HEADERS}")
  list(TRANSFORM headers PREPEND "${PROJECT_SOURCE_DIR}/include/")
  add_library(gossip_${name} INTERFACE)
  add_library(gossip::${name} ALIAS gossip_${name})
  set_target_properties(gossip_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(gossip_${name} INTERFACE gossip::gossip ${arg_LINK})
  target_sources(gossip_${name} INTERFACE
    FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
endfunction()

if(GOSSIP_WITH_JSON)
  FetchContent_MakeAvailable(nlohmann_json)
  if(NOT TARGET nlohmann_json::nlohmann_json)
    list(APPEND gossip_fetched nlohmann_json)
    add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED GLOBAL)
    target_include_directories(nlohmann_json::nlohmann_json INTERFACE
      "${nlohmann_json_SOURCE_DIR}/include")
  endif()
  gossip_component(json
    HEADERS "^gossip/json(/|\\.hpp)" LINK nlohmann_json::nlohmann_json)
endif()

if(GOSSIP_WITH_REDIS)
  find_package(OpenSSL REQUIRED)
  find_package(ZLIB REQUIRED)
  FetchContent_MakeAvailable(hiredis)
  if(NOT TARGET hiredis::hiredis)
    list(APPEND gossip_fetched hiredis)
    enable_language(C)
    # hiredis is included as <hiredis/...>: its folder needs that name.
    file(GLOB gossip_hiredis_headers "${hiredis_SOURCE_DIR}/*.h")
    file(COPY ${gossip_hiredis_headers} DESTINATION "${hiredis_BINARY_DIR}/include/hiredis")
    set(gossip_hiredis_sources alloc async hiredis net read sds sockcompat ssl)
    list(TRANSFORM gossip_hiredis_sources REPLACE "(.+)" "${hiredis_SOURCE_DIR}/\\1.c")
    add_library(gossip_hiredis STATIC EXCLUDE_FROM_ALL ${gossip_hiredis_sources})
    set_target_properties(gossip_hiredis PROPERTIES
      C_STANDARD 99 C_EXTENSIONS ON POSITION_INDEPENDENT_CODE ON)
    target_compile_options(gossip_hiredis PRIVATE -w)
    target_include_directories(gossip_hiredis SYSTEM INTERFACE "${hiredis_BINARY_DIR}/include")
    target_link_libraries(gossip_hiredis PUBLIC OpenSSL::SSL OpenSSL::Crypto)
    add_library(hiredis::hiredis INTERFACE IMPORTED GLOBAL)
    target_link_libraries(hiredis::hiredis INTERFACE gossip_hiredis)
    add_library(hiredis::hiredis_ssl INTERFACE IMPORTED GLOBAL)
    target_link_libraries(hiredis::hiredis_ssl INTERFACE gossip_hiredis)
  endif()
  gossip_component(redis
    HEADERS "^gossip/redis(/|\\.hpp)"
    LINK gossip::json hiredis::hiredis_ssl hiredis::hiredis
      OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB)
endif()
