// SPDX-License-Identifier: MIT
#include <gossip/core/chrono.hpp>

#include <catch2/catch_test_macros.hpp>

#include <type_traits>

using namespace std::chrono_literals;

TEST_CASE("chrono: durations, time points, clocks and literals are there", "[chrono]") {
  STATIC_REQUIRE(std::chrono::nanoseconds{2us} == 2000ns);
  STATIC_REQUIRE(std::chrono::ceil<std::chrono::milliseconds>(1500us) == 2ms);
  STATIC_REQUIRE(std::chrono::duration_cast<std::chrono::hours>(7200s) == 2h);
  STATIC_REQUIRE(std::chrono::steady_clock::is_steady);
  const auto before = std::chrono::steady_clock::now();
  CHECK(std::chrono::steady_clock::now() - before >= 0s);
  CHECK(std::chrono::system_clock::now() > std::chrono::system_clock::time_point{});
}
