// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Traffic: what has gone over a connection. Layer: redis.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gossip::redis {

/// What has gone to the server and come from it, without what TLS adds.
struct TrafficStatistics {
  std::uint64_t sent = 0;         ///< to the server // bytes
  std::uint64_t received = 0;     ///< from the server // bytes
  std::uint64_t round_trips = 0;  ///< something was sent, then something came; many commands may
                                  ///< share one // times

  /// Both together.
  friend TrafficStatistics operator+(const TrafficStatistics& one,
                                     const TrafficStatistics& other) noexcept {
    return {one.sent + other.sent, one.received + other.received,
            one.round_trips + other.round_trips};
  }
};

/// Counts it.
///
/// Thread safety: statistics from any thread; the rest by one thread at a time.
class Traffic {
 public:
  /// Bytes have been sent, or have come; 0 changes nothing.
  /// @{
  void sent(std::size_t bytes) noexcept {
    if (bytes == 0) return;
    add(sent_, bytes);
    asked_ = true;
  }
  void received(std::size_t bytes) noexcept {
    if (bytes == 0) return;
    add(received_, bytes);
    if (asked_) add(round_trips_, 1);
    asked_ = false;
  }
  /// @}
  /// All of it so far. @par Thread safety any thread
  [[nodiscard]] TrafficStatistics statistics() const noexcept {
    return {sent_.load(std::memory_order_relaxed), received_.load(std::memory_order_relaxed),
            round_trips_.load(std::memory_order_relaxed)};
  }

 private:
  /// Only one thread writes: nothing can come in between.
  static void add(std::atomic<std::uint64_t>& number, std::uint64_t more) noexcept {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> round_trips_{0};
  bool asked_ = false;  ///< something was sent since something came
};

}  // namespace gossip::redis
