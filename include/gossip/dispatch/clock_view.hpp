// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ClockView: a bus's clock with its type erased. Layer: dispatch.

#include <gossip/core/clock.hpp>

#include <cstdint>

namespace gossip::detail {

/// A bus's clock with its type erased.
struct ClockView {
  const void* clock;
  Timestamp (*to_time)(const void* clock, std::uint64_t ticks);
  SteadyTime (*now)(const void* clock);
  std::uint64_t (*ticks)(const void* clock) = nullptr;

  template <Clock C>
  static ClockView of(const C& clock) noexcept {
    return {&clock,
            [](const void* self, std::uint64_t time) {
              return static_cast<const C*>(self)->to_time(time);
            },
            [](const void* self) { return static_cast<const C*>(self)->now(); },
            [](const void* self) { return static_cast<const C*>(self)->ticks(); }};
  }
};

}  // namespace gossip::detail
