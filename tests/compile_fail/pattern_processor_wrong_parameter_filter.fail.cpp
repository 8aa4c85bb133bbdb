// SPDX-License-Identifier: MIT
// EXPECT-ERROR: deleted (member )?function.*subscribe
#include <gossip/gossip.hpp>

int main() {
  gossip::EventBus bus;
  const auto any = [](const gossip::AnyEvent&) { return true; };
  auto subscription = bus.subscribe("order.*", any, [](int) {});
}
