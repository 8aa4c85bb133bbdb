// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// LanePlaces: how publishers wait for a place in a lane. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/queue/back_off.hpp>
#include <gossip/queue/wait_gate.hpp>

#include <atomic>
#include <cstddef>

namespace gossip::detail {

/// Knows how many places of a lane are in use, and lets publishers sleep until half of them are
/// free.
///
/// Thread safety: set() under the lane's lock, everything else from any thread, without it.
class LanePlaces {
 public:
  /// @param used   places taken or reserved
  /// @param total  all places
  void set(std::size_t used, std::size_t total) noexcept {
    used_.store(used, std::memory_order_release);
    total_.store(total, std::memory_order_release);
  }

  /// After set(): wakes who waits, if half of the places are free.
  void notify() noexcept {
    if (half_free()) gate_.notify();
  }
  /// Makes everybody who waits look at what has changed.
  void notify_all() noexcept { gate_.notify_all(); }

  /// Sleeps until half of the places are free, or `stop()`; a millisecond at most, so that luckier
  /// publishers cannot starve the caller.
  template <class Stop>
  void wait(Stop&& stop) {
    const auto worth_a_look = [&] { return half_free() || stop(); };
    if (!take_turns_until(worth_a_look, looks)) {
      gate_.wait_until(std::chrono::steady_clock::now() + longest_wait, worth_a_look);
    }
  }
  /// For a thread that must not sleep: gives others a few turns. @return true if there may be a place
  bool look() noexcept {
    return take_turns_until([this] { return used() < total(); }, looks);
  }

 private:
  static constexpr unsigned looks = 20;
  static constexpr std::chrono::nanoseconds longest_wait = std::chrono::milliseconds{1};

  [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t total() const noexcept {
    return total_.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool half_free() const noexcept { return used() <= total() / 2; }

  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> total_{0};
  WaitGate<> gate_;
};

}  // namespace gossip::detail
