// SPDX-License-Identifier: MIT
#include <gossip/redis/dead_letter.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using gossip::ValidationError;
using gossip::redis::dead_letter;

TEST_CASE("dead_letter: it says what it was, why, and how often it was tried", "[redis]") {
  const gossip::Status why = ValidationError{"data", "no number"};
  const auto words =
      dead_letter("shop:a.b", "1-0", why, 3, {{"data", "x"}, {"data", "y"}}).arguments();
  REQUIRE(words == std::vector<std::string>{"XADD", "shop:a.b.dead", "*", "dead-id", "1-0",
                                            "dead-reason", std::string{why.what()},
                                            "dead-deliveries", "3", "data", "x", "data", "y"});
  REQUIRE(dead_letter("a", "1-0", why, 1, {}).arguments().size() == 9);
}
