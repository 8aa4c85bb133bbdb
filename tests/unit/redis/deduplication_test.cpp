// SPDX-License-Identifier: MIT
#include <gossip/redis/deduplication.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>

using gossip::redis::RecentIds;

TEST_CASE("RecentIds: a repetition is told, until the id is forgotten", "[redis]") {
  RecentIds ids{2};
  REQUIRE(ids.add("a"));
  REQUIRE_FALSE(ids.add("a"));
  REQUIRE(ids.add("b"));
  REQUIRE(ids.contains("a"));
  REQUIRE(ids.add("c"));  // forgets a
  REQUIRE_FALSE(ids.contains("a"));
  REQUIRE(ids.contains("b"));
  REQUIRE(ids.add("a"));
}

TEST_CASE("RecentIds: no id, or no window, is no repetition", "[redis]") {
  RecentIds ids{2};
  REQUIRE(ids.add(""));
  REQUIRE(ids.add(""));
  RecentIds none{0};
  REQUIRE(none.add("a"));
  REQUIRE(none.add("a"));
  REQUIRE_FALSE(none.contains("a"));
}
