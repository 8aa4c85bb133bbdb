# SPDX-License-Identifier: MIT
# Install and export rules. Everything is relative to the prefix, so that the tree can be moved.
# A further component (json, redis) adds its own export set, gossip-<component>-targets.cmake, and a
# gossip-<component>.cmake that finds its dependency; gossip-config.cmake loads them by name.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(gossip_config_dir "${CMAKE_INSTALL_DATAROOTDIR}/cmake/gossip")
set(gossip_pkgconfig_dir "${CMAKE_INSTALL_DATAROOTDIR}/pkgconfig")

install(TARGETS gossip
  EXPORT gossip-targets
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT gossip-targets
  NAMESPACE gossip::
  DESTINATION "${gossip_config_dir}")

# Each component: its own export set, and a file that finds what it needs.
foreach(component IN ITEMS json redis)
  if(TARGET gossip_${component})
    install(TARGETS gossip_${component}
      EXPORT gossip-${component}-targets
      FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    install(EXPORT gossip-${component}-targets
      NAMESPACE gossip::
      DESTINATION "${gossip_config_dir}")
    install(FILES "${CMAKE_CURRENT_LIST_DIR}/gossip-${component}.cmake"
      DESTINATION "${gossip_config_dir}")
  endif()
endforeach()
if(TARGET gossip_redis)
  install(FILES "${CMAKE_CURRENT_LIST_DIR}/Findhiredis.cmake" DESTINATION "${gossip_config_dir}")
endif()

# What was fetched for these components is no part of the installation, and find_package(gossip) looks
# for it. Said when somebody installs, since most who configure never do.
set(gossip_missing "")
foreach(name IN LISTS gossip_fetched)
  string(APPEND gossip_missing "\n  ${name} ${gossip_dependency_${name}_LEAST} or newer \
(Debian and Ubuntu: ${gossip_dependency_${name}_APT})")
endforeach()
if(gossip_missing)
  install(CODE "message(WARNING \"gossip is installed, but not what was fetched to build it, which \
its components json and redis need:${gossip_missing}\n\
Without these, find_package(gossip COMPONENTS ...) will not find the components. Install them, \
or name their prefix in CMAKE_PREFIX_PATH; or install gossip with -DGOSSIP_WITH_REDIS=OFF \
-DGOSSIP_WITH_JSON=OFF.\")")
endif()

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/gossip-config.cmake.in"
  "${PROJECT_BINARY_DIR}/gossip-config.cmake"
  INSTALL_DESTINATION "${gossip_config_dir}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/gossip-config-version.cmake"
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES
  "${PROJECT_BINARY_DIR}/gossip-config.cmake"
  "${PROJECT_BINARY_DIR}/gossip-config-version.cmake"
  DESTINATION "${gossip_config_dir}")

# pkg-config: `Libs:` appears only where threads need one (an old C library).
file(RELATIVE_PATH gossip_pc_prefix "/${gossip_pkgconfig_dir}" "/")
string(REGEX REPLACE "/$" "" gossip_pc_prefix "${gossip_pc_prefix}")
set(gossip_pc_libs "")
if(CMAKE_THREAD_LIBS_INIT)
  set(gossip_pc_libs "Libs: ${CMAKE_THREAD_LIBS_INIT}\n")
endif()
configure_file(
  "${CMAKE_CURRENT_LIST_DIR}/gossip.pc.in" "${PROJECT_BINARY_DIR}/gossip.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/gossip.pc" DESTINATION "${gossip_pkgconfig_dir}")

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
  DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/gossip")
