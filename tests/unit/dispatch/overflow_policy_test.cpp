// SPDX-License-Identifier: MIT
#include <gossip/dispatch/overflow_policy.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string_view>

using gossip::OverflowPolicy;

TEST_CASE("OverflowPolicy: every policy has its name", "[dispatch]") {
  REQUIRE(std::string_view{to_string(OverflowPolicy::block)} == "block");
  REQUIRE(std::string_view{to_string(OverflowPolicy::reject)} == "reject");
  REQUIRE(std::string_view{to_string(OverflowPolicy::drop_oldest)} == "drop_oldest");
  REQUIRE(std::string_view{to_string(OverflowPolicy::drop_newest)} == "drop_newest");
  REQUIRE(std::string_view{to_string(static_cast<OverflowPolicy>(99))} == "unknown");
}
