// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <utility>

gossip::Subscription use(gossip::Subscription& subscription) { return std::move(subscription); }
