// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

void use(gossip::EventBus<>& bus) {
  const auto& other = bus;
  (void)other;
}
