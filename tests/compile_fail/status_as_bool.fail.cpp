// SPDX-License-Identifier: MIT
// EXPECT-ERROR: (cannot convert|no viable conversion).*Status
#include <gossip/gossip.hpp>

bool use(const gossip::Status& status) { return status; }
