// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Base64 (RFC 4648, with padding). Layer: redis.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// The 64 digits, by value.
inline constexpr std::string_view base64_digits{
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};

/// Appends bytes in Base64.
inline void append_base64(std::string_view bytes, std::string& text) {
  for (; !bytes.empty(); bytes.remove_prefix(bytes.size() < 3 ? bytes.size() : 3)) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= bytes.size() ? base64_digits[group >> (18 - 6 * i) & 63U] : '=';
    }
  }
}

/// Reads Base64. @param bytes  set on success
/// @return false if it is none; only what append_base64() writes is
[[nodiscard]] inline bool read_base64(std::string_view text, std::string& bytes) {
  if (text.size() % 4 != 0) return false;
  std::string result;
  for (; !text.empty(); text.remove_prefix(4)) {
    const std::string_view quad = text.substr(0, 4);
    std::size_t digits = 4;
    if (text.size() == 4 && quad[3] == '=') digits = quad[2] == '=' ? 2 : 3;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto value = i < digits ? base64_digits.find(quad[i]) : 0;
      if (value == std::string_view::npos) return false;
      group = group << 6U | static_cast<std::uint32_t>(value);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const auto byte = static_cast<unsigned char>(group >> (16 - 8 * i) & 255U);
      if (i + 1 < digits) {
        result += static_cast<char>(byte);
      } else if (byte != 0) {
        return false;
      }
    }
  }
  bytes = std::move(result);
  return true;
}

}  // namespace gossip::redis
