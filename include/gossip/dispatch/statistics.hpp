// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Statistics: what a bus has done so far. Layer: dispatch.

#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/histogram.hpp>
#include <gossip/dispatch/lane_statistics.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gossip {

/// What happened to the events of one type. // events
struct EventTypeStatistics {
  std::string_view event_type;    ///< such as "auth.user.created"
  std::uint64_t dispatched = 0;   ///< handed to the processors subscribed at that moment
  std::uint64_t not_handled = 0;  ///< rejected, dropped or abandoned
  Histogram waited = {};          ///< see BusOptions::measure
};

/// What happened at one subscription. // calls
struct SubscriptionStatistics {
  SubscriptionId id;            ///< as Subscription::id()
  std::string name;             ///< SubscribeOptions::name
  std::string event_type;       ///< such as "auth.user.created", or the pattern
  std::uint64_t delivered = 0;  ///< calls that succeeded
  std::uint64_t failed = 0;     ///< calls that reported an error
  LaneStatistics lane = {};     ///< its lane; all 0 if it has none
  Histogram took = {};          ///< see BusOptions::measure
};

/// A snapshot of a bus. Taken while the bus works, each number is right by itself, and the sums may
/// be off by what happens meanwhile; while nothing is published or handled, all are exact, and
///
///     published == handled + dropped_oldest + abandoned
///
///     deferred == deferred deliveries made + deferred_waiting + deferred_dropped
///
///     scheduled == scheduled_fired + scheduled_cancelled + scheduled_dropped + scheduled_waiting
///
///     published + rejected + refused_closed + refused_invalid + dropped_newest == calls of publish,
///
/// but for those that failed before they got to the queue (a payload or a key function that threw).
/// An event that lanes took counts as published, once, and as handled when the subscriptions without
/// a lane have handled it, or at once if there are none; what becomes of it in each lane is in
/// `lanes`, where the sums are exact at any time.
///
/// All but `depth`, `in_flight` and those that end in `_waiting` count from the construction of the bus.
struct Statistics {
  std::uint64_t published = 0;       ///< accepted into the queue // events
  std::uint64_t handled = 0;         ///< taken from the queue, all their processors done // events
  std::uint64_t unmatched = 0;       ///< dispatched when nobody was subscribed // events
  std::uint64_t delivered = 0;       ///< successful calls of processors // calls
  std::uint64_t failed = 0;          ///< calls that reported an error // calls
  std::uint64_t rejected = 0;        ///< refused: the queue was full (not in `published`) // events
  std::uint64_t refused_closed = 0;  ///< refused: the bus was closed (not in `published`) // events
  /// Refused: the type has another payload, or an option is out of range // events
  std::uint64_t refused_invalid = 0;
  std::uint64_t dropped_oldest = 0;    ///< dropped from the queue to make space // events
  std::uint64_t dropped_newest = 0;    ///< dropped for want of space (not in `published`) // events
  std::uint64_t abandoned = 0;         ///< still queued at the shutdown's deadline // events
  std::uint64_t deferred = 0;          ///< failures for which another attempt was arranged // calls
  std::uint64_t deferred_dropped = 0;  ///< of these, not made: unsubscribed, shut down // calls
  std::size_t deferred_waiting = 0;    ///< of these, still to be made // calls
  std::uint64_t scheduled = 0;         ///< publish_after, _at and _every accepted // schedules
  std::uint64_t scheduled_fired = 0;   ///< of these, done: their one event's time came // schedules
  std::uint64_t scheduled_cancelled = 0;  ///< of these, cancelled // schedules
  std::uint64_t scheduled_dropped = 0;    ///< of these, left at the shutdown // schedules
  std::size_t scheduled_waiting = 0;      ///< of these, still to be published // schedules
  std::uint64_t scheduled_refused = 0;    ///< too many, closed, or wrong // schedules
  std::uint64_t scheduled_failed = 0;   ///< scheduled events that could not be published // events
  std::uint64_t scheduled_skipped = 0;  ///< of repeated ones, too late to be published // events
  std::uint64_t handler_failures = 0;   ///< exceptions out of on_error and on_stall // calls
  std::uint64_t stalled = 0;            ///< see BusOptions::stall_after // calls
  std::size_t depth = 0;                ///< waiting in the queue now // events
  std::size_t in_flight = 0;            ///< being handled now // events
  std::size_t capacity = 0;             ///< of the queue // events
  std::size_t workers = 0;              ///< threads that run processors // threads
  LaneStatistics lanes = {};            ///< of all subscriptions that have, or had, a lane
  std::vector<EventTypeStatistics> types;             ///< in the order in which the bus met them
  std::vector<SubscriptionStatistics> subscriptions;  ///< those that exist now
};

/// What shutdown() did.
struct ShutdownReport {
  bool complete = false;        ///< every worker has ended
  std::uint64_t abandoned = 0;  ///< events that were still queued at the deadline // events
  std::uint64_t abandoned_in_lanes = 0;  ///< events that were still in lanes, per lane // events
  std::uint64_t abandoned_attempts = 0;  ///< attempts that were still to be made // calls
  std::uint64_t dropped_scheduled = 0;   ///< schedules that were not due, or not done // schedules

  /// True if the shutdown is complete and nothing was left of what had been published. What was
  /// scheduled for later does not count.
  [[nodiscard]] bool clean() const noexcept {
    return complete && abandoned == 0 && abandoned_in_lanes == 0 && abandoned_attempts == 0;
  }
};

}  // namespace gossip
