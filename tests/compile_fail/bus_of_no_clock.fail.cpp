// SPDX-License-Identifier: MIT
// EXPECT-ERROR: constraint.*EventBus
#include <gossip/gossip.hpp>

#include <chrono>

using Bus = gossip::EventBus<gossip::InMemoryProvider, std::chrono::steady_clock>;
Bus* bus = nullptr;
