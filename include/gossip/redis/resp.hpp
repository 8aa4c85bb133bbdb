// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The pieces of Redis's protocol (RESP) that a client writes. Layer: redis.

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace gossip::redis {

/// A number as decimal text, without an allocation.
class Digits {
 public:
  /// @param number  of any integral type
  template <std::integral I>
  explicit Digits(I number) noexcept
      : size_{static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof text_, number).ptr -
                                       text_)} {}
  /// The digits; lives as long as this.
  [[nodiscard]] std::string_view text() const noexcept { return {text_, size_}; }

 private:
  char text_[24] = {};
  std::size_t size_;
};

/// Appends a mark (`*` for an array, `$` for a bulk string), how many elements or bytes follow, and the
/// end of the line.
/// @throws std::bad_alloc
inline void append_head(std::string& wire, char mark, std::size_t count) {
  wire += mark;
  wire += Digits{count}.text();
  wire.append("\r\n", 2);
}

/// Appends a bulk string: any bytes.
/// @throws std::bad_alloc
inline void append_bulk(std::string& wire, std::string_view bytes) {
  append_head(wire, '$', bytes.size());
  wire += bytes;
  wire.append("\r\n", 2);
}

}  // namespace gossip::redis
