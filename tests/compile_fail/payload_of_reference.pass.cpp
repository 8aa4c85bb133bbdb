// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

gossip::Event<int>* event = nullptr;
