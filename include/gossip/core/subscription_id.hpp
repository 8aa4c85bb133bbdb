// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SubscriptionId: which subscription it is. Layer: core.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace gossip {

/// The identity of a subscription; never used twice in a process, whatever the bus.
struct SubscriptionId {
  std::uint64_t serial = 0;  ///< unique in the process; 0 means "no subscription"
  std::uint32_t index = 0;   ///< where its bus keeps it

  [[nodiscard]] friend constexpr bool operator==(const SubscriptionId&,
                                                 const SubscriptionId&) = default;
  [[nodiscard]] friend constexpr auto operator<=>(const SubscriptionId&,
                                                  const SubscriptionId&) = default;
};

}  // namespace gossip

template <>
struct std::hash<gossip::SubscriptionId> {
  [[nodiscard]] std::size_t operator()(const gossip::SubscriptionId& id) const noexcept {
    return static_cast<std::size_t>(id.serial);
  }
};
