// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Coalescing: lets values gather before a consumer that outruns its producers. Layer: queue.

#include <gossip/core/chrono.hpp>
#include <gossip/queue/back_off.hpp>

#include <cstdint>

namespace gossip::detail {

/// A consumer that is faster than its producers finds the queue empty after each few values. It looks
/// at the slot that a producer is about to fill, and so takes its cache line away: each value costs both
/// of them the way of a line there and back. If it looks away for a moment instead, it finds a run of
/// values that nobody touches any more. Network interfaces moderate their interrupts like that.
///
/// Such a moment is worth it only if many values come within it. So it is tried after some short runs,
/// and repeated as long as long ones follow. If none does, the next trial comes after twice as many:
/// where values come slowly, one of 1024 waits for it.
///
/// Thread safety: none; one for each consumer.
class Coalescing {
 public:
  /// What a run must have for the wait before it to have been worth it. // values
  static constexpr std::uint64_t enough = 32;
  /// Short runs in a row before a trial, at first and at most. // runs
  /// @{
  static constexpr std::uint32_t first_patience = 16;
  static constexpr std::uint32_t last_patience = 1024;
  /// @}
  /// The longest wait: a value that is published at its beginning is handled that much later.
  static constexpr std::chrono::nanoseconds longest_wait = std::chrono::microseconds{4};

  /// For a consumer that has just found the queue empty: waits, if that is worth it, until half of the
  /// queue is full or `longest_wait` is over.
  /// @param queue  has capacity() and ready(ahead), as MpmcQueue has
  /// @param taken  how many values it has ever taken // values
  template <class Queue>
  void wait(const Queue& queue, std::uint64_t taken) noexcept {
    if (!is_due(taken)) return;
    const auto end = std::chrono::steady_clock::now() + longest_wait;
    do {
      pause_processor(8);
    } while (!queue.ready(queue.capacity() / 2 - 1) && std::chrono::steady_clock::now() < end);
  }

  /// Whether to wait now. To be called whenever the queue was found empty.
  bool is_due(std::uint64_t taken) noexcept {
    const bool is_long = taken - taken_before_ >= enough;
    taken_before_ = taken;
    if (is_long) {
      short_runs_ = 0;
      if (waits_) patience_ = first_patience;
    } else if (waits_) {
      waits_ = false;
      if (patience_ < last_patience) patience_ *= 2;
    } else if (++short_runs_ == patience_) {
      short_runs_ = 0;
      waits_ = true;
    }
    return waits_;
  }

 private:
  std::uint64_t taken_before_ = 0;
  std::uint32_t short_runs_ = 0;  ///< in a row, since the last wait
  std::uint32_t patience_ = first_patience;
  bool waits_ = false;
};

}  // namespace gossip::detail
