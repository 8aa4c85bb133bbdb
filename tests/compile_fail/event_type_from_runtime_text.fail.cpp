// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no matching (function|constructor).*EventType
#include <gossip/gossip.hpp>

#include <string>

gossip::EventType<int> use(const std::string& name) { return gossip::EventType<int>{name}; }
