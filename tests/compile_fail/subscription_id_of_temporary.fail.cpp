// SPDX-License-Identifier: MIT
// EXPECT-ERROR: deleted (member )?function
#include <gossip/gossip.hpp>

inline constexpr gossip::EventType<int> counted{"things.counted"};

gossip::SubscriptionId use(gossip::EventBus<>& bus) {
  return bus.subscribe(counted, [](int) {}).id();
}
