// SPDX-License-Identifier: MIT
#include <gossip/dispatch/topology.hpp>

#include <catch2/catch_test_macros.hpp>

namespace {

TEST_CASE("Topology: of nothing is empty, and knows no place", "[topology]") {
  const gossip::Topology topology;
  CHECK(topology.types.empty());
  CHECK(topology.subscriptions.empty());
  CHECK(topology.workers == 0);
  const gossip::SubscriptionTopology subscription;
  CHECK_FALSE(subscription.pattern);
  CHECK(subscription.where.line == 0);
}

}  // namespace
