# SPDX-License-Identifier: MIT
# The component json of an installed gossip; loaded by gossip-config.cmake.
find_package(nlohmann_json 3.11 QUIET)
if(nlohmann_json_FOUND)
  include("${CMAKE_CURRENT_LIST_DIR}/gossip-json-targets.cmake")
  set(gossip_json_FOUND TRUE)
else()
  set(gossip_json_NOT_FOUND_MESSAGE "gossip::json needs nlohmann_json 3.11 or newer")
endif()
