// SPDX-License-Identifier: MIT
// EXPECT-ERROR: event_patterns_are_tokens_or_asterisks_joined_by_dots_with_greater_than_only_at_the_end
#include <gossip/gossip.hpp>

inline constexpr gossip::EventPattern pattern{"order.>.created"};
