// SPDX-License-Identifier: MIT
// EXPECT-ERROR: deleted (member )?function.*subscribe
#include <gossip/gossip.hpp>

int main() {
  gossip::EventBus bus;
  auto subscription = bus.subscribe("order.*", [](int) {}, {.priority = 1});
}
