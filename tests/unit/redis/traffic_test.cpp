// SPDX-License-Identifier: MIT
#include <gossip/redis/traffic.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::redis::Traffic;
using gossip::redis::TrafficStatistics;

TEST_CASE("Traffic: a round trip is what was sent and then an answer, however many", "[redis]") {
  Traffic traffic;
  traffic.received(1);  // nobody asked
  REQUIRE(traffic.statistics().round_trips == 0);
  traffic.sent(10);
  traffic.sent(20);
  traffic.received(0);
  REQUIRE(traffic.statistics().round_trips == 0);
  traffic.received(5);
  traffic.received(5);
  REQUIRE(traffic.statistics().round_trips == 1);
  traffic.sent(0);
  traffic.received(5);
  REQUIRE(traffic.statistics().round_trips == 1);
  REQUIRE(traffic.statistics().sent == 30);
  REQUIRE(traffic.statistics().received == 16);
}

TEST_CASE("Traffic: that of two connections is added", "[redis]") {
  const TrafficStatistics both = TrafficStatistics{1, 2, 3} + TrafficStatistics{10, 20, 30};
  REQUIRE(both.sent == 11);
  REQUIRE(both.received == 22);
  REQUIRE(both.round_trips == 33);
}
