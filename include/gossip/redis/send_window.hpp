// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SendWindow: how much may be under way on a connection that keeps being lost. Layer: redis.

#include <algorithm>
#include <cstddef>

namespace gossip::redis {

/// Whoever sends everything again after each loss makes no progress where a connection does not live
/// long enough for all of it. So the window is halved with each loss and grows by one with each answer,
/// which doubles it per round trip: the slow start of TCP (Jacobson, "Congestion Avoidance and
/// Control", SIGCOMM 1988).
///
/// Thread safety: none.
class SendWindow {
 public:
  /// @param most  its size at first, and the largest // commands, or events
  explicit SendWindow(std::size_t most) noexcept : most_{most}, size_{most} {}

  /// How much may be under way, at least 1.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Answers came.
  void answered(std::size_t count = 1) noexcept { size_ += std::min(count, most_ - size_); }

  /// The connection was lost.
  /// @param unanswered  what was under way; 0 changes nothing
  void lost(std::size_t unanswered) noexcept {
    if (unanswered != 0) size_ = std::max<std::size_t>(1, std::min(size_, unanswered) / 2);
  }

 private:
  const std::size_t most_;
  std::size_t size_;
};

}  // namespace gossip::redis
