// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Priority of an event. Layer: core.

#include <cstdint>

namespace gossip {

/// How urgent an event is. Events of one priority are first in, first out.
enum class Priority : std::uint8_t {
  high,    ///< overtakes what waits with a lower priority
  normal,  ///< the default
  low,     ///< waits for the others, but is never starved
};

/// "high", "normal" or "low".
[[nodiscard]] constexpr const char* to_string(Priority priority) noexcept {
  switch (priority) {
    case Priority::high: return "high";
    case Priority::normal: return "normal";
    case Priority::low: return "low";
  }
  return "unknown";
}

}  // namespace gossip
