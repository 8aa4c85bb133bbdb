// SPDX-License-Identifier: MIT
#include <gossip/dispatch/lane_statistics.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::LaneStatistics;

namespace {

constexpr LaneStatistics each{.accepted = 1,
                              .handled = 2,
                              .dropped_oldest = 3,
                              .coalesced = 4,
                              .unsubscribed = 5,
                              .abandoned = 6,
                              .dropped_newest = 7,
                              .rejected = 8,
                              .waiting = 9,
                              .in_flight = 10,
                              .capacity = 11};

}  // namespace

TEST_CASE("LaneStatistics: adds up every number", "[lanes]") {
  LaneStatistics sum = each;
  sum += each;
  CHECK(sum.accepted == 2);
  CHECK(sum.handled == 4);
  CHECK(sum.dropped_oldest == 6);
  CHECK(sum.coalesced == 8);
  CHECK(sum.unsubscribed == 10);
  CHECK(sum.abandoned == 12);
  CHECK(sum.dropped_newest == 14);
  CHECK(sum.rejected == 16);
  CHECK(sum.waiting == 18);
  CHECK(sum.in_flight == 20);
  CHECK(sum.capacity == 22);
}

TEST_CASE("LaneStatistics: what has happened since then, and what is now", "[lanes]") {
  const LaneStatistics since = each.since(each);
  CHECK(since.accepted == 0);
  CHECK(since.handled == 0);
  CHECK(since.dropped_oldest == 0);
  CHECK(since.coalesced == 0);
  CHECK(since.unsubscribed == 0);
  CHECK(since.abandoned == 0);
  CHECK(since.dropped_newest == 0);
  CHECK(since.rejected == 0);
  CHECK(since.waiting == 9);
  CHECK(since.in_flight == 10);
  CHECK(since.capacity == 11);
}
