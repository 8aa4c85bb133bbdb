// SPDX-License-Identifier: MIT
// EXPECT-ERROR: read-only|const-qualified|cannot assign
#include <gossip/gossip.hpp>

void use(gossip::Event<int>& event) { event.data() = 5; }
