// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Context: what a processor may ask about the call it is in. Layer: core.

#include <gossip/core/clock.hpp>
#include <gossip/core/subscription_id.hpp>

#include <stop_token>

namespace gossip {

/// What surrounds one call of a processor: whether to stop, by when to be done, which attempt it
/// is and for which subscription. Lives as long as the call.
///
/// Thread safety: const members from any thread during the call.
class Context {
 public:
  /// For use by gossip and by tests of processors.
  /// @param stop      outlives the context
  /// @param deadline  SteadyTime::max() for none
  explicit Context(const std::stop_token& stop, SteadyTime deadline = SteadyTime::max(),
                   unsigned attempt = 1, SubscriptionId subscription = {}) noexcept
      : stop_{&stop}, deadline_{deadline}, attempt_{attempt}, subscription_{subscription} {}

  /// True once the bus shuts down past its deadline, or the publisher requested a stop.
  [[nodiscard]] bool stop_requested() const noexcept { return stop_->stop_requested(); }
  /// The token behind stop_requested(), for waiting and for callbacks.
  [[nodiscard]] const std::stop_token& stop_token() const noexcept { return *stop_; }
  /// By when the call should be done; SteadyTime::max() if there is no limit.
  [[nodiscard]] SteadyTime deadline() const noexcept { return deadline_; }
  /// 1 for the first call for an event, 2 for the first retry.
  [[nodiscard]] unsigned attempt() const noexcept { return attempt_; }
  /// The subscription that is being served.
  [[nodiscard]] SubscriptionId subscription() const noexcept { return subscription_; }

 private:
  const std::stop_token* stop_;
  SteadyTime deadline_;
  unsigned attempt_;
  SubscriptionId subscription_;
};

}  // namespace gossip
