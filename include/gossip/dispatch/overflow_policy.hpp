// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// OverflowPolicy: what happens to an event for which there is no space. Layer: dispatch.

#include <cstdint>

namespace gossip {

/// What publishing does when the queue is full. Every policy counts what it does (see Statistics).
enum class OverflowPolicy : std::uint8_t {
  block,        ///< wait for space; a worker runs queued events meanwhile
  reject,       ///< refuse: publish answers Errc::queue_full and leaves the payload untouched
  drop_oldest,  ///< make space by dropping the event that waits longest
  drop_newest,  ///< drop the event being published; publish answers success
};

/// The policy's name, such as "drop_oldest"; "unknown" for a value that is none.
[[nodiscard]] constexpr const char* to_string(OverflowPolicy policy) noexcept {
  switch (policy) {
    case OverflowPolicy::block: return "block";
    case OverflowPolicy::reject: return "reject";
    case OverflowPolicy::drop_oldest: return "drop_oldest";
    case OverflowPolicy::drop_newest: return "drop_newest";
  }
  return "unknown";
}

}  // namespace gossip
