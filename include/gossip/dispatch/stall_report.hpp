// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StallReport: a processor that has been running for long, and who made it. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/source_location.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/core/text.hpp>

#include <cstdint>
#include <string>

namespace gossip {

/// A call that has been running for BusOptions::stall_after, as BusOptions::on_stall is told.
struct StallReport {
  SubscriptionId subscription;           ///< whose processor runs
  std::string subscription_name;         ///< SubscribeOptions::name
  std::string subscribed_to;             ///< such as "auth.user.created", or the pattern
  SourceLocation where;                  ///< SubscribeOptions::where
  std::chrono::nanoseconds running_for;  ///< at least
  int worker;  ///< index of the worker that runs it; -1: a thread that is inside publish_sync
};

/// A sentence about it, such as "'mail' (user.created, subscribed at main.cpp:12) has been running for
/// 2000 ms on worker 0". @throws std::bad_alloc
[[nodiscard]] inline std::string to_string(const StallReport& report) {
  using detail::Decimal;
  const auto milliseconds = static_cast<std::uint64_t>(report.running_for.count() / 1'000'000);
  std::string text = detail::join({"'", report.subscription_name, "' (", report.subscribed_to});
  if (report.where.line != 0) {
    text += detail::join({", subscribed at ", report.where.file, ":", Decimal{report.where.line}});
  }
  text += detail::join({") has been running for ", Decimal{milliseconds}, " ms "});
  if (report.worker < 0) return text + "inside publish_sync";
  return text + detail::join({"on worker ", detail::signed_decimal(report.worker)});
}

}  // namespace gossip
