// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The order of the ids in a stream. Layer: redis.

#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// Whether the stream id `later` comes after `earlier`. A text that is no id ("$") counts as 0-0, as
/// "0" does.
[[nodiscard]] inline bool is_after(std::string_view later, std::string_view earlier) noexcept {
  const auto parse = [](std::string_view id) {
    std::pair<std::uint64_t, std::uint64_t> parts{};
    const char* const end = id.data() + id.size();
    const auto first = std::from_chars(id.data(), end, parts.first);
    if (first.ptr != end && *first.ptr == '-') std::from_chars(first.ptr + 1, end, parts.second);
    return parts;
  };
  return parse(later) > parse(earlier);
}

}  // namespace gossip::redis
