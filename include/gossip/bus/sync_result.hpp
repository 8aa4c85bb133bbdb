// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SyncOptions and SyncResult: what publish_sync takes and answers. Layer: bus.

#include <gossip/core/clock.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/subscription_id.hpp>

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace gossip {

/// What surrounds a publish_sync.
struct SyncOptions {
  /// In the bus's clock. No processor is begun after it; those left out are reported with Errc::timeout.
  SteadyTime deadline = SteadyTime::max();
  /// No processor is begun once a stop is requested; those left out are reported with
  /// Errc::cancelled. Processors see it as their context's stop_token.
  std::stop_token stop = {};
};

/// A processor that failed, or was left out, in a publish_sync.
struct SyncError {
  SubscriptionId subscription;    ///< which one
  std::string subscription_name;  ///< SubscribeOptions::name
  Status status;                  ///< never success
};

/// What came of a publish_sync. Ignoring it would lose errors, hence [[nodiscard]].
class [[nodiscard]] SyncResult {
 public:
  /// Why nothing was called: Errc::closed, or a TypeAssertionError. Success otherwise.
  Status refused = {};
  /// Every failure with its subscription, in the order of the calls.
  std::vector<SyncError> errors = {};
  /// How many processors were called. // calls
  std::uint64_t calls = 0;

  /// True if every processor was called and succeeded.
  [[nodiscard]] bool ok() const noexcept { return refused.ok() && errors.empty(); }
  /// As ok().
  [[nodiscard]] explicit operator bool() const noexcept { return ok(); }
  /// Throws what was refused, or else the first error, as its own type; nothing if all went well.
  void throw_if_error() const {
    refused.throw_if_error();
    if (!errors.empty()) errors.front().status.throw_if_error();
  }
};

}  // namespace gossip
