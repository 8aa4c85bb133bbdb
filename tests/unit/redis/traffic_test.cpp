// SPDX-License-Identifier: MIT
#include <gossip/redis/traffic.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>

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

TEST_CASE("Traffic: the first connection is no reconnection", "[redis]") {
  Traffic traffic;
  REQUIRE(traffic.statistics().connects == 0);
  REQUIRE(traffic.statistics().reconnects == 0);
  for (const std::uint64_t times : {1U, 2U, 3U}) {
    traffic.connected();
    REQUIRE(traffic.statistics().connects == times);
    REQUIRE(traffic.statistics().reconnects == times - 1);
  }
}

TEST_CASE("Traffic: that of two connections is added", "[redis]") {
  const TrafficStatistics both =
      TrafficStatistics{1, 2, 3, 4, 5} + TrafficStatistics{10, 20, 30, 40, 50};
  REQUIRE(both.sent == 11);
  REQUIRE(both.received == 22);
  REQUIRE(both.round_trips == 33);
  REQUIRE(both.connects == 44);
  REQUIRE(both.reconnects == 55);
}
