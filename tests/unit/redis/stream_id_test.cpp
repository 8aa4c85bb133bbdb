// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_id.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::redis::before_millisecond_of;

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
