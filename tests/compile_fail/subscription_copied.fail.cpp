// SPDX-License-Identifier: MIT
// EXPECT-ERROR: deleted.*Subscription
#include <gossip/gossip.hpp>

#include <utility>

gossip::Subscription use(gossip::Subscription& subscription) { return subscription; }
