// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

inline constexpr gossip::EventType<int> counted{"things.counted"};

gossip::SubscriptionId use(gossip::EventBus<>& bus) {
  return bus.subscribe(counted, [](int) {}).detach();
}
