// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <string>

gossip::EventType<int> use(const std::string& name) { return gossip::EventType<int>::parse(name); }
