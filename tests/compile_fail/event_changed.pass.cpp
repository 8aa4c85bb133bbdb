// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

int use(const gossip::Event<int>& event) { return event.data(); }
