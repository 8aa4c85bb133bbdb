// SPDX-License-Identifier: MIT
#include <gossip/redis/wire_event.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::redis::WireEvent;

TEST_CASE("WireEvent: equal if every part is", "[redis]") {
  const WireEvent event{"1", "a.b", 5, "text/plain", "data", {}};
  WireEvent other = event;
  REQUIRE(event == other);
  other.metadata.set("key", 1);
  REQUIRE_FALSE(event == other);
}
