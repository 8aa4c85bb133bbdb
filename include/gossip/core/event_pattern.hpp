// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// EventPattern: names many event types at once, by wildcards. Layer: core.

#include <gossip/core/error.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/status.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gossip {

namespace detail {

/// Where a text stops being a pattern, and what would have been right there.
struct PatternFault {
  std::size_t position = no_fault;  ///< of the byte; no_fault in a valid pattern
  const char* allowed = nullptr;
};

constexpr PatternFault find_pattern_fault(std::string_view text) noexcept {
  enum class After : std::uint8_t { dot, character, token_wildcard, rest_wildcard };
  auto after = After::dot;
  for (std::size_t i = 0;; ++i) {
    const bool end = i == text.size();
    const char c = end ? '\0' : text[i];
    if (i == max_event_type_name_bytes && !end) return {i, "the end, after at most 255 bytes"};
    switch (after) {
      case After::dot:
        if (!end && is_event_type_character(c)) {
          after = After::character;
        } else if (!end && (c == '*' || c == '>')) {
          after = c == '*' ? After::token_wildcard : After::rest_wildcard;
        } else {
          return {i, "a letter, a digit, '_', '-', '*' or '>'"};
        }
        break;
      case After::character:
        if (end) return {};
        if (c == '.') {
          after = After::dot;
        } else if (!is_event_type_character(c)) {
          return {i, "a letter, a digit, '_', '-', '.' or the end"};
        }
        break;
      case After::token_wildcard:
        if (end) return {};
        if (c != '.') return {i, "'.' or the end, since '*' is a whole token"};
        after = After::dot;
        break;
      case After::rest_wildcard:
        if (end) return {};
        return {i, "the end, since '>' stands for all that is left"};
    }
  }
}

inline ValidationError pattern_error(std::string_view text, const PatternFault& fault) {
  return {"pattern", join({"event pattern \"", printable(text.substr(0, max_event_type_name_bytes)),
                           "\": invalid at byte ", Decimal{fault.position},
                           "; allowed there: ", fault.allowed})};
}

/// The compiler prints its name where a constant expression would call it.
[[noreturn]] inline void event_pattern_is_invalid(std::string_view text,
                                                  const PatternFault& fault) {
  throw pattern_error(text, fault);
}

}  // namespace detail

/// A pattern of event type names: tokens joined by dots, as in a name, of which some may be
/// wildcards. `*` stands for one token, whatever it is; `>`, which can only be the last, for one
/// token or more. So "order.*" matches "order.created" and neither "order" nor "order.item.added";
/// "order.>" matches both of the longer ones; ">" matches every name; a pattern without wildcards
/// matches the name that it spells. At most 255 bytes.
///
/// Example: examples/processing/patterns.cpp.
///
/// Thread safety: immutable; trivially copyable. It owns its text.
class EventPattern {
 public:
  /// From a literal or any other text, which is copied. In a constant expression an invalid pattern
  /// does not compile.
  /// @throws ValidationError  the pattern is invalid; says at which byte, counted from 0, and what
  ///                          is allowed there
  template <std::convertible_to<std::string_view> S>
  constexpr EventPattern(const S& text) : EventPattern{Checked{}, text} {}

  /// Whether `text` is a pattern.
  /// @return  success, or the ValidationError that the constructor throws
  /// @throws  std::bad_alloc, if it is none
  [[nodiscard]] static Status check(std::string_view text) {
    const detail::PatternFault fault = detail::find_pattern_fault(text);
    if (fault.position == detail::no_fault) return {};
    return detail::pattern_error(text, fault);
  }

  /// Whether `name` is one that the pattern stands for.
  /// @param name      the name of an event type. In any other text `*` matches one byte or more that
  ///                  are no dots, and `>` one byte or more of any kind
  /// @throws          nothing
  /// @par Thread safety any thread
  /// @par Complexity  linear in the shorter of pattern and name; no allocation
  [[nodiscard]] constexpr bool matches(std::string_view name) const noexcept {
    std::size_t at = 0;  // in the name
    for (std::size_t i = 0; i < size_; ++i) {
      if (text_[i] == '>') return at < name.size();
      if (text_[i] == '*') {
        const std::size_t begin = at;
        while (at < name.size() && name[at] != '.') ++at;
        if (at == begin) return false;
      } else {
        if (at == name.size() || name[at] != text_[i]) return false;
        ++at;
      }
    }
    return at == name.size();
  }

  /// True if there is no wildcard, so that one name alone matches.
  [[nodiscard]] constexpr bool is_exact() const noexcept {
    return text().find_first_of("*>") == std::string_view::npos;
  }

  /// The pattern's text; lives as long as the pattern.
  [[nodiscard]] constexpr std::string_view text() const noexcept { return {text_, size_}; }

  [[nodiscard]] friend constexpr bool operator==(const EventPattern& a,
                                                 const EventPattern& b) noexcept {
    return a.text() == b.text();
  }

 private:
  struct Checked {};

  constexpr EventPattern(Checked /*tag*/, std::string_view text) {
    const detail::PatternFault fault = detail::find_pattern_fault(text);
    if (fault.position != detail::no_fault) detail::event_pattern_is_invalid(text, fault);
    size_ = static_cast<std::uint8_t>(text.size());
    for (std::size_t i = 0; i < size_; ++i) text_[i] = text[i];
  }

  char text_[max_event_type_name_bytes] = {};
  std::uint8_t size_ = 0;  // bytes
};

static_assert(max_event_type_name_bytes <= 255, "EventPattern counts bytes in one byte");

}  // namespace gossip
