// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

inline constexpr gossip::EventType<int> type{"user.created"};
