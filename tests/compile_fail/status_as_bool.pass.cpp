// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

bool use(const gossip::Status& status) { return status.ok(); }
