// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

int main() {
  gossip::EventBus bus;
  const auto any = [](const gossip::AnyEvent&) { return true; };
  auto subscription = bus.subscribe("order.*", any, [](const gossip::AnyEvent&) {});
}
