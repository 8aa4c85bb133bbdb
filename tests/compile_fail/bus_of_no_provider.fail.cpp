// SPDX-License-Identifier: MIT
// EXPECT-ERROR: constraint.*EventBus
#include <gossip/gossip.hpp>

struct Radio {
  struct Options {};
};

using Bus = gossip::EventBus<Radio>;
Bus* bus = nullptr;
