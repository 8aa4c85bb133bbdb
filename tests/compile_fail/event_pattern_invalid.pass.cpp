// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

inline constexpr gossip::EventPattern pattern{"order.*.created"};
