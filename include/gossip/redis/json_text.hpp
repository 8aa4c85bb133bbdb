// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Writes JSON as Go's encoding/json does. Layer: redis.

#include <gossip/core/metadata.hpp>
#include <gossip/core/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace gossip::redis {

/// Appends a text in quotes. Escaped are quotes, backslashes, control characters, `<`, `>`, `&`,
/// U+2028 and U+2029.
/// @return false if it is not UTF-8
[[nodiscard]] inline bool append_json_text(std::string_view text, std::string& json) {
  constexpr std::string_view hexadecimal{"0123456789abcdef"};
  json += '"';
  while (!text.empty()) {
    const std::size_t size = gossip::detail::utf8_size(text);
    if (size == 0) return false;
    const char c = text.front();
    const auto code = static_cast<unsigned char>(c);
    constexpr std::string_view named{"\"\\\b\f\n\r\t"};
    if (const auto found = named.find(c); found != std::string_view::npos) {
      json += '\\';
      json += "\"\\bfnrt"[found];
    } else if (code < 0x20 || c == '<' || c == '>' || c == '&') {
      json += "\\u00";
      json += hexadecimal[code >> 4U];
      json += hexadecimal[code & 0xfU];
    } else if (text.compare(0, size, "\u2028") == 0) {
      json += "\\u2028";
    } else if (text.compare(0, size, "\u2029") == 0) {
      json += "\\u2029";
    } else {
      json.append(text.data(), size);
    }
    text.remove_prefix(size);
  }
  json += '"';
  return true;
}

/// Appends a number in the fewest digits that read back as the same; with an exponent from 1e21 on and
/// below 1e-6.
/// @return false if it is infinite or not a number
[[nodiscard]] inline bool append_json_real(double number, std::string& json) {
  if (!std::isfinite(number)) return false;
  char written[40];
  const auto end =
      std::to_chars(written, written + sizeof written, number, std::chars_format::scientific);
  std::string_view text{written, static_cast<std::size_t>(end.ptr - written)};
  if (text.front() == '-') {
    json += '-';
    text.remove_prefix(1);
  }
  const auto mark = text.find('e');
  std::string digits{text.substr(0, 1)};
  if (mark > 2) digits += text.substr(2, mark - 2);
  int exponent = 0;
  const bool small = text[mark + 1] == '-';
  std::from_chars(text.data() + mark + 2, text.data() + text.size(), exponent);
  if (small) exponent = -exponent;

  const auto count = static_cast<int>(digits.size());
  if (exponent < -6 || exponent >= 21) {
    json += digits.front();
    if (count > 1) {
      json += '.';
      json.append(digits, 1, std::string::npos);
    }
    json += small ? "e-" : "e+";
    json += std::to_string(small ? -exponent : exponent);
  } else if (exponent < 0) {
    json += "0.";
    json.append(static_cast<std::size_t>(-exponent - 1), '0');
    json += digits;
  } else if (count <= exponent + 1) {
    json += digits;
    json.append(static_cast<std::size_t>(exponent + 1 - count), '0');
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    json.append(digits, 0, whole);
    json += '.';
    // NOLINTNEXTLINE(readability-suspicious-call-argument)
    json.append(digits, whole, std::string::npos);
  }
  return true;
}

/// Appends a JSON number. With a fraction or an exponent it is written as append_json_real() does,
/// if it has no more digits than a double can need; every other one stays as it is.
inline void append_json_number(std::string_view number, std::string& json) {
  const std::string_view mantissa = number.substr(0, number.find_first_of("eE"));
  const auto first = std::min(mantissa.find_first_of("123456789"), mantissa.size());
  constexpr std::size_t most = std::numeric_limits<double>::max_digits10 + 1;  // and the point
  if (number.find_first_of(".eE") != std::string_view::npos && mantissa.size() - first <= most) {
    double real = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), real);
    if (parsed.ec == std::errc{} && append_json_real(real, json)) return;
  }
  json += number;
}

/// Appends a metadata value.
/// @return false if it is a text that is not UTF-8, or a number that JSON does not have
[[nodiscard]] inline bool append_json_value(const MetadataValue& value, std::string& json) {
  return value.visit([&](const auto& scalar) {
    using Scalar = std::remove_cvref_t<decltype(scalar)>;
    if constexpr (std::is_same_v<Scalar, std::nullptr_t>) {
      json += "null";
    } else if constexpr (std::is_same_v<Scalar, bool>) {
      json += scalar ? "true" : "false";
    } else if constexpr (std::is_same_v<Scalar, double>) {
      return append_json_real(scalar, json);
    } else if constexpr (std::is_same_v<Scalar, std::string>) {
      return append_json_text(scalar, json);
    } else {
      json += std::to_string(scalar);
    }
    return true;
  });
}

}  // namespace gossip::redis
