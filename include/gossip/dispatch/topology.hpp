// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Topology: who gets which events on a bus. Layer: dispatch.

#include <gossip/core/source_location.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/ordering.hpp>
#include <gossip/dispatch/overflow_policy.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gossip {

/// An event type that a bus has met.
struct EventTypeTopology {
  std::string_view event_type;  ///< such as "auth.user.created"; lives for ever
  std::string_view payload;     ///< its C++ type, as the compiler spells it; lives for ever
};

/// A subscription of a bus.
struct SubscriptionTopology {
  SubscriptionId id;                          ///< as Subscription::id()
  std::string name;                           ///< SubscribeOptions::name
  std::string subscribed_to;                  ///< an event type, or a pattern
  bool pattern = false;                       ///< which of the two
  std::vector<std::string_view> event_types;  ///< of which it gets the events, of those met so far
  std::vector<std::string_view> middleware;   ///< around the processor, the outermost first
  /// SubscribeOptions::lifetime
  SubscribeOptions::Lifetime lifetime = SubscribeOptions::Lifetime::until_cancelled;
  int priority = 0;                                     ///< SubscribeOptions::priority
  Ordering::Kind ordering = Ordering::Kind::unordered;  ///< of SubscribeOptions::ordering
  std::size_t max_concurrency = 0;  ///< SubscribeOptions::max_concurrency; 0: no cap // events
  SourceLocation where;             ///< SubscribeOptions::where
};

/// How a bus is wired at a moment.
struct Topology {
  std::string_view provider;  ///< its C++ type, as the compiler spells it; lives for ever
  std::size_t workers = 0;    ///< threads that run processors // threads
  std::size_t capacity = 0;   ///< of the queue // events
  OverflowPolicy overflow = OverflowPolicy::block;  ///< BusOptions::overflow
  std::vector<EventTypeTopology> types;             ///< in the order in which the bus met them
  std::vector<SubscriptionTopology> subscriptions;  ///< those that exist
};

}  // namespace gossip
