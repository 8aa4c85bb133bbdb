// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// A topology for what writes topologies: two types, and two subscriptions that differ in everything.

#include <gossip/dispatch/topology.hpp>

namespace gossip::test {

[[nodiscard]] inline Topology small_topology() {
  Topology topology;
  topology.provider = "gossip::InMemoryProvider";
  topology.workers = 1;
  topology.capacity = 64;
  topology.types = {{"user.created", "User"}, {"order.placed", "Order"}};
  topology.subscriptions.push_back({.id = {7, 0},
                                    .name = "welcome",
                                    .subscribed_to = "user.created",
                                    .event_types = {"user.created"},
                                    .middleware = {"retry", "timeout"},
                                    .priority = -3,
                                    .ordering = gossip::Ordering::Kind::by_key,
                                    .where = {"/src/mail.cpp", 12, "main"}});
  topology.subscriptions.push_back({.id = {8, 1},
                                    .name = {},
                                    .subscribed_to = "*.placed",
                                    .pattern = true,
                                    .event_types = {"order.placed"},
                                    .middleware = {},
                                    .lifetime = SubscribeOptions::Lifetime::once,
                                    .max_concurrency = 4,
                                    .where = {}});
  return topology;
}

}  // namespace gossip::test
