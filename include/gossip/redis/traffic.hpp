// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Traffic: what has gone over a connection. Layer: redis.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gossip::redis {

/// What has gone to the server and come from it, without what TLS adds, and over how many connections.
struct TrafficStatistics {
  std::uint64_t sent = 0;         ///< to the server // bytes
  std::uint64_t received = 0;     ///< from the server // bytes
  std::uint64_t round_trips = 0;  ///< something was sent, then something came; many commands may
                                  ///< share one // times
  std::uint64_t connects = 0;     ///< the server has taken a connection, and who it is for // times
  std::uint64_t reconnects = 0;   ///< of these, those after the first of each // times

  /// Both together.
  friend TrafficStatistics operator+(const TrafficStatistics& one,
                                     const TrafficStatistics& other) noexcept {
    return {one.sent + other.sent, one.received + other.received,
            one.round_trips + other.round_trips, one.connects + other.connects,
            one.reconnects + other.reconnects};
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
  /// The connection may be used: for the first time, or again.
  void connected() noexcept { add(connects_, 1); }
  /// All of it so far. @par Thread safety any thread
  [[nodiscard]] TrafficStatistics statistics() const noexcept {
    const std::uint64_t connects = connects_.load(std::memory_order_relaxed);
    return {sent_.load(std::memory_order_relaxed), received_.load(std::memory_order_relaxed),
            round_trips_.load(std::memory_order_relaxed), connects,
            connects == 0 ? 0 : connects - 1};
  }

 private:
  /// Only one thread writes: nothing can come in between.
  static void add(std::atomic<std::uint64_t>& number, std::uint64_t more) noexcept {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> round_trips_{0};
  std::atomic<std::uint64_t> connects_{0};
  bool asked_ = false;  ///< something was sent since something came
};

}  // namespace gossip::redis
