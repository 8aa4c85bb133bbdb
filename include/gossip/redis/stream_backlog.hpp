// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamBacklog: what was read from streams and waits for room in the bus. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/wire_event.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace gossip::redis {

/// An event that has been read and is not in the bus yet.
struct WaitingEvent {
  std::shared_ptr<const Subscribed> type;  ///< what it was read for
  std::string id;                          ///< of its entry
  std::int64_t deliveries = 1;             ///< how often it has been delivered // times
  Fields fields;                           ///< as received
  WireEvent event;                         ///< as decoded, but for its payload
  unsigned failures = 0;                   ///< for want of memory // times

  /// What tells it from others: ids that others make need not differ from stream to stream.
  [[nodiscard]] std::string identity() const {
    std::string identity;
    if (event.id.empty()) return identity;
    identity = type->key;
    identity += ' ';
    identity += event.id;
    return identity;
  }
};

/// Events in the order in which they were read. Whether there is room for the first one is known only to
/// the bus, which decodes it to find out: so it is tried soon, and then less and less often, until something
/// is taken or done with.
///
/// Thread safety: none.
class StreamBacklog {
 public:
  /// After how long the first one is tried again.
  /// @{
  static constexpr std::chrono::milliseconds soonest{5};
  static constexpr std::chrono::milliseconds latest{200};
  /// @}

  /// @throws std::bad_alloc; then it is not in it
  void push(WaitingEvent event) { events_.push_back(std::move(event)); }
  /// Takes back what was pushed last. Not of an empty one.
  void take_back() noexcept { events_.pop_back(); }
  /// The first one is taken. Not of an empty one.
  void pop() noexcept {
    events_.pop_front();
    hurry();
  }
  /// Forgets all.
  void clear() noexcept {
    events_.clear();
    hurry();
  }
  /// The first one was refused.
  void refused(SteadyTime now) noexcept {
    due_ = now + delay_;
    delay_ = std::min(2 * delay_, latest);
  }
  /// There may be room: it is due at once.
  void hurry() noexcept {
    due_ = SteadyTime{};
    delay_ = soonest;
  }
  /// When the first one is to be tried.
  [[nodiscard]] SteadyTime due() const noexcept { return due_; }

  /// True if none waits.
  [[nodiscard]] bool empty() const noexcept { return events_.empty(); }
  /// How many wait. // events
  [[nodiscard]] std::size_t size() const noexcept { return events_.size(); }
  /// Not of an empty one.
  [[nodiscard]] WaitingEvent& front() noexcept { return events_.front(); }
  /// All of them.
  [[nodiscard]] const std::deque<WaitingEvent>& all() const noexcept { return events_; }

 private:
  std::deque<WaitingEvent> events_;
  SteadyTime due_{};
  std::chrono::milliseconds delay_ = soonest;
};

}  // namespace gossip::redis
