// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

struct Radio {
  struct Options {};
};

using Bus = gossip::EventBus<gossip::InMemoryProvider>;
Bus* bus = nullptr;
