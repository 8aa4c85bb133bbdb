// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Reply: what Redis answers. Layer: redis.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// One reply, whoever parsed it. Plain data, so that what the protocol decides is tested without a
/// socket.
struct Reply {
  /// What a reply can be.
  enum class Kind : std::uint8_t {
    nil,      ///< nothing
    status,   ///< a simple string, such as "OK"
    error,    ///< an error, such as "NOGROUP No such key ..."
    text,     ///< a bulk string: any bytes
    integer,  ///< a number
    array,    ///< other replies
  };

  Kind kind = Kind::nil;          ///< which one it is
  std::string text = {};          ///< of a status, an error, a text
  std::int64_t integer = 0;       ///< of an integer
  std::vector<Reply> items = {};  ///< of an array
  bool truncated = false;         ///< an array that was too large: the rest of it was not kept

  /// A reply of that kind.
  /// @{
  [[nodiscard]] static Reply of_nil() { return {}; }
  [[nodiscard]] static Reply of_status(std::string text) { return {Kind::status, std::move(text)}; }
  [[nodiscard]] static Reply of_error(std::string text) { return {Kind::error, std::move(text)}; }
  [[nodiscard]] static Reply of_text(std::string text) { return {Kind::text, std::move(text)}; }
  [[nodiscard]] static Reply of_integer(std::int64_t number) { return {Kind::integer, {}, number}; }
  [[nodiscard]] static Reply of_array(std::vector<Reply> items) {
    return {Kind::array, {}, 0, std::move(items)};
  }
  /// @}

  /// True if it is of that kind.
  /// @{
  [[nodiscard]] bool is_error() const noexcept { return kind == Kind::error; }
  [[nodiscard]] bool is_nil() const noexcept { return kind == Kind::nil; }
  [[nodiscard]] bool is_array() const noexcept { return kind == Kind::array; }
  /// @}
  /// True for a status or a text.
  [[nodiscard]] bool is_text() const noexcept { return kind == Kind::status || kind == Kind::text; }
  /// True if it answers nothing, where channels are listened to: what somebody has published there.
  [[nodiscard]] bool is_message() const noexcept {
    return items.size() >= 3 && (items[0].text == "message" || items[0].text == "pmessage");
  }
  /// The word by which an error begins, such as "NOGROUP"; empty for everything else.
  [[nodiscard]] std::string_view error_code() const noexcept {
    if (!is_error()) return {};
    return std::string_view{text}.substr(0, text.find(' '));
  }

  [[nodiscard]] friend bool operator==(const Reply&, const Reply&) = default;
};

}  // namespace gossip::redis
