// SPDX-License-Identifier: MIT
#include <gossip/redis/dead_letter.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using gossip::ValidationError;
using gossip::redis::dead_letter;
using gossip::redis::grave_of;
using gossip::redis::is_grave_of;

TEST_CASE("dead_letter: it says what it was, why, and how often it was tried", "[redis]") {
  const gossip::Status why = ValidationError{"data", "no number"};
  const auto words =
      dead_letter("shop:a.b", "1-0", why, 3, {{"data", "x"}, {"data", "y"}}).arguments();
  REQUIRE(words == std::vector<std::string>{"XADD", "shop:a.b.dead", "*", "dead-id", "1-0",
                                            "dead-reason", std::string{why.what()},
                                            "dead-deliveries", "3", "data", "x", "data", "y"});
  REQUIRE(dead_letter("a", "1-0", why, 1, {}).arguments().size() == 9);
}

TEST_CASE("dead_letter: a stream's dead letters are told from others", "[redis]") {
  REQUIRE(is_grave_of(grave_of("a.b"), "a.b"));
  for (const char* other : {"", "a", "a.b", "a.b.dea", "a.b.dead.dead", "c.b.dead"}) {
    REQUIRE_FALSE(is_grave_of(other, "a.b"));
  }
}
