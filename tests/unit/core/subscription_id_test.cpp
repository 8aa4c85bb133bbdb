// SPDX-License-Identifier: MIT
#include <gossip/core/subscription_id.hpp>

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <unordered_set>

namespace {

using gossip::SubscriptionId;

TEST_CASE("SubscriptionId: is no subscription by default", "[subscription_id]") {
  CHECK(SubscriptionId{}.serial == 0);
  CHECK(SubscriptionId{} == SubscriptionId{0, 0});
}

TEST_CASE("SubscriptionId: equal means the same serial and place", "[subscription_id]") {
  CHECK(SubscriptionId{1, 2} == SubscriptionId{1, 2});
  CHECK(SubscriptionId{1, 2} != SubscriptionId{2, 2});
  CHECK(SubscriptionId{1, 2} != SubscriptionId{1, 3});
  CHECK(SubscriptionId{1, 9} < SubscriptionId{2, 0});
}

TEST_CASE("SubscriptionId: can be kept in a hash table", "[subscription_id]") {
  const std::unordered_set<SubscriptionId> ids{{1, 0}, {2, 0}, {1, 0}};
  CHECK(ids.size() == 2);
  CHECK(ids.contains({2, 0}));
  CHECK(std::hash<SubscriptionId>{}({7, 1}) == std::hash<SubscriptionId>{}({7, 1}));
}

}  // namespace
