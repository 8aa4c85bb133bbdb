// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// LaneStatistics: what happened to the events of subscriptions that have a lane. Layer: dispatch.

#include <cstddef>
#include <cstdint>

namespace gossip {

/// What happened in the lane of a subscription, or in all lanes of a bus. Always
///
///     accepted == handled + dropped_oldest + coalesced + unsubscribed + abandoned
///                 + waiting + in_flight
///
/// Calls by publish_sync pass the lane by and are not counted here.
struct LaneStatistics {
  std::uint64_t accepted = 0;        ///< got a place // events
  std::uint64_t handled = 0;         ///< their last attempt was made, whatever came of it // events
  std::uint64_t dropped_oldest = 0;  ///< dropped to make a place // events
  std::uint64_t coalesced = 0;       ///< replaced by a later one of the same key // events
  std::uint64_t unsubscribed = 0;    ///< dropped, since the subscription ended // events
  std::uint64_t abandoned = 0;       ///< left at the shutdown's deadline // events
  std::uint64_t dropped_newest = 0;  ///< dropped for want of a place (not in `accepted`) // events
  std::uint64_t rejected = 0;        ///< refused for want of a place (not in `accepted`) // events
  std::size_t waiting = 0;           ///< for a worker, or for their turn, now // events
  std::size_t in_flight = 0;         ///< being handled, or to be tried again, now // events
  std::size_t capacity = 0;  ///< how many may wait; 0: the subscription has no lane // events

  /// Adds each number.
  LaneStatistics& operator+=(const LaneStatistics& other) noexcept {
    accepted += other.accepted;
    handled += other.handled;
    dropped_oldest += other.dropped_oldest;
    coalesced += other.coalesced;
    unsubscribed += other.unsubscribed;
    abandoned += other.abandoned;
    dropped_newest += other.dropped_newest;
    rejected += other.rejected;
    waiting += other.waiting;
    in_flight += other.in_flight;
    capacity += other.capacity;
    return *this;
  }

  /// What has happened since `before`; what is now stays as it is.
  [[nodiscard]] LaneStatistics since(const LaneStatistics& before) const noexcept {
    LaneStatistics counts = *this;
    counts.accepted -= before.accepted;
    counts.handled -= before.handled;
    counts.dropped_oldest -= before.dropped_oldest;
    counts.coalesced -= before.coalesced;
    counts.unsubscribed -= before.unsubscribed;
    counts.abandoned -= before.abandoned;
    counts.dropped_newest -= before.dropped_newest;
    counts.rejected -= before.rejected;
    return counts;
  }
};

}  // namespace gossip
