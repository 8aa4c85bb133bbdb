// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_id.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::redis::is_after;

TEST_CASE("is_after: by time, then by number; not by text", "[redis]") {
  REQUIRE(is_after("10-0", "9-5"));
  REQUIRE(is_after("9-10", "9-9"));
  REQUIRE_FALSE(is_after("9-9", "9-9"));
  REQUIRE_FALSE(is_after("9-5", "10-0"));
  REQUIRE(is_after("0-1", "0"));
  REQUIRE(is_after("1-0", "$"));
  REQUIRE_FALSE(is_after("", "0-0"));
}
