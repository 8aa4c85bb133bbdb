# SPDX-License-Identifier: MIT
# What our own tests, benchmarks and examples need, and no user of the library ever sees.
# Dependencies come first, so that no flag of ours reaches them.

set(CMAKE_CXX_STANDARD 20)  # before Catch2: its ABI depends on it
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)  # there are none

if(GOSSIP_BUILD_TESTS OR GOSSIP_BUILD_BENCHMARKS)
  include(cmake/dependencies.cmake)
endif()

if(GOSSIP_BUILD_TESTS)
  set(CMAKE_UNITY_BUILD ON)  # a third of the time, where Catch2 is built here
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 24)
  FetchContent_MakeAvailable(Catch2)
  unset(CMAKE_UNITY_BUILD)
  unset(CMAKE_UNITY_BUILD_BATCH_SIZE)
  if(DEFINED catch2_SOURCE_DIR AND IS_DIRECTORY "${catch2_SOURCE_DIR}/extras")
    list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
  endif()
endif()

if(GOSSIP_BUILD_BENCHMARKS)
  set(BENCHMARK_ENABLE_TESTING OFF)
  set(BENCHMARK_ENABLE_GTEST_TESTS OFF)
  set(BENCHMARK_ENABLE_INSTALL OFF)
  set(BENCHMARK_INSTALL_DOCS OFF)
  FetchContent_MakeAvailable(benchmark)
endif()

if(GOSSIP_DEVELOPER)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set_target_properties(gossip PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  add_compile_options(
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Werror)
endif()
