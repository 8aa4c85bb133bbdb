// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_id.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::redis::before_millisecond_of;
using gossip::redis::is_after;

TEST_CASE("before_millisecond_of: the end of the millisecond before", "[redis]") {
  REQUIRE(before_millisecond_of("1700000000000-5") == "1699999999999-18446744073709551615");
  REQUIRE(before_millisecond_of("1-0") == "0-18446744073709551615");
  REQUIRE(before_millisecond_of("0-7") == "0");
}

TEST_CASE("before_millisecond_of: what is no id stays", "[redis]") {
  for (const char* id : {"0", "$", "", "1700000000000", "-5", "x-5", "99999999999999999999-1"}) {
    REQUIRE(before_millisecond_of(id) == id);
  }
}

TEST_CASE("is_after: by time, then by number; not by text", "[redis]") {
  REQUIRE(is_after("10-0", "9-5"));
  REQUIRE(is_after("9-10", "9-9"));
  REQUIRE_FALSE(is_after("9-9", "9-9"));
  REQUIRE_FALSE(is_after("9-5", "10-0"));
  REQUIRE(is_after("0-1", "0"));
  REQUIRE(is_after("1-0", "$"));
  REQUIRE_FALSE(is_after("", "0-0"));
}
