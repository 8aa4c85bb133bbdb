// SPDX-License-Identifier: MIT
// EXPECT-ERROR: constraint.*Event
#include <gossip/gossip.hpp>

gossip::Event<int&>* event = nullptr;
