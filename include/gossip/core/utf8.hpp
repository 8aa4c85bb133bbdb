// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// UTF-8: checking it, and writing a character of it. Layer: core.

#include <cstddef>
#include <string>
#include <string_view>

namespace gossip::detail {

/// The size of the character that `text` begins with; 0 if that is not UTF-8 (RFC 3629: no overlong
/// forms, no surrogates, nothing beyond U+10FFFF). // bytes
[[nodiscard]] inline std::size_t utf8_size(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = at(0);
  if (first < 0x80) return text.empty() ? 0 : 1;
  const std::size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size == 0 || first > 0xf4) return 0;
  const unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < least || at(1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((at(i) & 0xc0U) != 0x80U) return 0;
  }
  return size;
}

/// Appends a character. @param code  at most 0x10ffff, and no surrogate
inline void append_utf8(unsigned code, std::string& text) {
  const auto append = [&](unsigned byte) { text += static_cast<char>(byte); };
  const auto append_rest = [&](unsigned shift) { append(0x80U | (code >> shift & 0x3fU)); };
  if (code < 0x80) return append(code);
  if (code < 0x800) {
    append(0xc0U | code >> 6U);
  } else if (code < 0x10000) {
    append(0xe0U | code >> 12U);
    append_rest(6);
  } else {
    append(0xf0U | code >> 18U);
    append_rest(12);
    append_rest(6);
  }
  append_rest(0);
}

/// Calls `visit` with each character of a text, as UTF-8; with U+FFFD for each byte that is none.
template <class Visit>
void for_each_character(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const std::size_t size = utf8_size(text);
    visit(size == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
}

}  // namespace gossip::detail
