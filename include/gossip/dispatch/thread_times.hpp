// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ThreadTimes: how long events waited and calls took, as one thread has seen it. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/live_histogram.hpp>

#include <cstdint>

namespace gossip::detail {

/// What one thread is measuring in one dispatch: nothing, or a call that it is in.
struct CallTiming {
  std::uint64_t serial = 0;  ///< of the subscription whose call began; 0: none
  std::uint32_t index = 0;   ///< of that subscription
  bool wait_known = false;   ///< the wait of the event being dispatched has been recorded
  Timestamp began{};         ///< the call
};

/// What one thread has measured on one bus. Virtual, so that programs that never measure compile
/// nothing of it.
///
/// Thread safety: begin(), end() and wait() by the owning thread alone; the tables tell for themselves.
struct ThreadTimes {
  /// @param by  copied; what it refers to outlives this
  explicit ThreadTimes(const ClockView& by) noexcept : clock{by} {}
  ThreadTimes(const ThreadTimes&) = delete;
  ThreadTimes& operator=(const ThreadTimes&) = delete;
  virtual ~ThreadTimes() = default;

  const ClockView clock;
  HistogramTable waited;  ///< from an event's time stamp to its first call; by event type index
  HistogramTable took;    ///< calls; by subscription index

  /// A call begins.
  virtual void begin(CallTiming& timing, std::uint64_t serial, std::uint32_t index) const noexcept {
    timing.serial = serial;
    timing.index = index;
    timing.began = clock.to_time(clock.clock, clock.ticks(clock.clock));
  }
  /// The call that began last is over, if there is one.
  virtual void end(CallTiming& timing) noexcept {
    if (timing.serial == 0) return;
    const Timestamp now = clock.to_time(clock.clock, clock.ticks(clock.clock));
    took.record(timing.index, timing.serial, nanoseconds_between(timing.began, now));
    timing.serial = 0;
  }
  /// An event is about to be handled, by the call that began last.
  /// @param stamped  the epoch if it has no time stamp
  virtual void wait(CallTiming& timing, std::uint32_t type, Timestamp stamped) noexcept {
    timing.wait_known = true;
    if (stamped == Timestamp{}) return;
    waited.record(type, any_tenant, nanoseconds_between(stamped, timing.began));
  }

  static constexpr std::uint64_t any_tenant = 1;  ///< event types have one for ever

 private:
  /// Clocks of other machines may be ahead.
  static std::uint64_t nanoseconds_between(Timestamp from, Timestamp to) noexcept {
    return to < from ? 0 : static_cast<std::uint64_t>((to - from).count());
  }
};

}  // namespace gossip::detail
