// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

int main() {
  gossip::EventBus bus;
  auto subscription = bus.subscribe("order.*", [](const gossip::AnyEvent&) {}, {.priority = 1});
}
