// SPDX-License-Identifier: MIT
// EXPECT-ERROR: event_pattern_is_invalid
#include <gossip/gossip.hpp>

inline constexpr gossip::EventPattern pattern{"order.>.created"};
