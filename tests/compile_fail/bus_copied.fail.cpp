// SPDX-License-Identifier: MIT
// EXPECT-ERROR: deleted.*EventBus
#include <gossip/gossip.hpp>

void use(gossip::EventBus<>& bus) {
  const auto other = bus;
  (void)other;
}
