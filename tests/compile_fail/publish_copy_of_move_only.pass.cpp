// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <memory>
#include <utility>

inline constexpr gossip::EventType<std::unique_ptr<int>> moved{"only.moved"};

gossip::Status use(gossip::EventBus<>& bus, std::unique_ptr<int>& data) {
  return bus.publish(moved, std::move(data));
}
