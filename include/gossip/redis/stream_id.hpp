// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Places in a stream. Layer: redis.

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace gossip::redis {

/// The last place before the millisecond of a stream id: where to go on when the stream may be another
/// one of the same name, whose ids begin anew within that millisecond. What is read a second time is
/// recognised by its event id. Anything that is no such id ("0", "$") is returned as it is.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string before_millisecond_of(std::string_view id) {
  std::uint64_t millisecond = 0;
  const auto parsed = std::from_chars(id.data(), id.data() + id.size(), millisecond);
  if (parsed.ec != std::errc{} || parsed.ptr == id.data() + id.size() || *parsed.ptr != '-') {
    return std::string{id};
  }
  if (millisecond == 0) return "0";
  std::string place = std::to_string(millisecond - 1);
  place += "-18446744073709551615";
  return place;
}

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
