// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <vector>

inline constexpr gossip::EventType<std::vector<int>> numbers{"test.numbers"};

gossip::Status use(gossip::EventBus<>& bus) {
  return bus.publish_batch(numbers, std::vector<std::vector<int>>{{5, 6}}).status;
}
