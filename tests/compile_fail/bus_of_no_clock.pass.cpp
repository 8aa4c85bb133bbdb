// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <chrono>

using Bus = gossip::EventBus<gossip::InMemoryProvider, gossip::SystemClock>;
Bus* bus = nullptr;
