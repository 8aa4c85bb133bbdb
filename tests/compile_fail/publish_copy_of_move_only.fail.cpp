// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no matching (member )?function.*publish
#include <gossip/gossip.hpp>

#include <memory>
#include <utility>

inline constexpr gossip::EventType<std::unique_ptr<int>> moved{"only.moved"};

gossip::Status use(gossip::EventBus<>& bus, std::unique_ptr<int>& data) {
  return bus.publish(moved, data);
}
