// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The pieces of Redis's protocol (RESP) that a client writes. Layer: redis.

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <initializer_list>
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

/// What append_head() appends for that count. // bytes
[[nodiscard]] constexpr std::size_t head_size(std::size_t count) noexcept {
  std::size_t size = 4;  // the mark, a digit, and the end of the line
  while ((count /= 10) != 0) ++size;
  return size;
}
/// What append_bulk() appends for a text of that size. // bytes
[[nodiscard]] constexpr std::size_t bulk_size(std::size_t bytes) noexcept {
  return head_size(bytes) + bytes + 2;
}

/// Writes what append_head() appends. @return where it ends, at most 23 bytes behind `at`
inline char* write_head(char* at, char mark, std::size_t count) noexcept {
  *at = mark;
  at = std::to_chars(at + 1, at + 21, count).ptr;
  *at++ = '\r';
  *at++ = '\n';
  return at;
}

/// Appends a mark (`*` for an array, `$` for a bulk string), how many elements or bytes follow, and the
/// end of the line.
/// @throws std::bad_alloc
inline void append_head(std::string& wire, char mark, std::size_t count) {
  char text[24];
  wire.append(text, static_cast<std::size_t>(write_head(text, mark, count) - text));
}

/// Appends a bulk string: any bytes.
/// @throws std::bad_alloc
inline void append_bulk(std::string& wire, std::string_view bytes) {
  append_head(wire, '$', bytes.size());
  wire += bytes;
  wire.append("\r\n", 2);
}

/// Appends short bulk strings, in one go.
/// @throws std::bad_alloc
inline void append_bulks(std::string& wire, std::initializer_list<std::string_view> texts) {
  std::size_t size = 0;
  for (const std::string_view text : texts) size += bulk_size(text.size());
  const std::size_t before = wire.size();
  wire.resize(before + size);
  char* at = wire.data() + before;
  for (const std::string_view text : texts) {
    at = write_head(at, '$', text.size());
    at = std::copy(text.begin(), text.end(), at);
    *at++ = '\r';
    *at++ = '\n';
  }
}

}  // namespace gossip::redis
