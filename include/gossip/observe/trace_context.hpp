// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TraceContext: which trace an event belongs to, as the W3C recommendation "Trace Context" writes it.
/// Layer: observe.

#include <gossip/core/metadata.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gossip {

/// The metadata key of a trace context's ids and flags.
inline constexpr std::string_view traceparent_key = "traceparent";
/// The metadata key of what tracing systems add to it.
inline constexpr std::string_view tracestate_key = "tracestate";

/// A place in a trace: which trace, and which span of it is the parent of what comes.
struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};  ///< all zero: none
  std::array<std::uint8_t, 8> span_id{};    ///< all zero: none; called parent-id on the wire
  std::uint8_t flags =
      0;  ///< bit 0: sampled; bit 1: the trace id is random; the rest is not passed on
  std::string state = {};  ///< the value of `tracestate`; empty for none

  /// True if both ids are there.
  [[nodiscard]] bool valid() const noexcept {
    return trace_id != decltype(trace_id){} && span_id != decltype(span_id){};
  }
  /// True if whoever began the span may have recorded it.
  [[nodiscard]] bool sampled() const noexcept { return (flags & 1U) != 0; }

  [[nodiscard]] friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

namespace detail {

/// Reads `text` as bytes in lower-case hexadecimal digits.
/// @return false if it is something else
template <std::size_t N>
[[nodiscard]] constexpr bool read_hexadecimal(std::string_view text,
                                              std::array<std::uint8_t, N>& bytes) noexcept {
  if (text.size() != 2 * N) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return false;
    const int value = digit ? c - '0' : c - 'a' + 10;
    bytes[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? value << 4 : bytes[i / 2] | value);
  }
  return true;
}

template <std::size_t N>
void append_hexadecimal(const std::array<std::uint8_t, N>& bytes, std::string& text) {
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 0xfU];
  }
}

/// Whether `key` is one of a tracestate: "vendor", or "tenant@vendor".
[[nodiscard]] constexpr bool is_tracestate_key(std::string_view key) noexcept {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto part = [&](std::string_view text, std::size_t longest, bool digit_first) {
    if (text.empty() || text.size() > longest) return false;
    if (!letter(text.front()) && !(digit_first && digit(text.front()))) return false;
    return std::ranges::all_of(text, [&](char c) {
      return letter(c) || digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
    });
  };
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) return part(key, 256, false);
  return part(key.substr(0, at), 241, true) && part(key.substr(at + 1), 14, false);
}

/// Whether `value` is one of a tracestate.
[[nodiscard]] constexpr bool is_tracestate_value(std::string_view value) noexcept {
  if (value.empty() || value.size() > 256 || value.back() == ' ') return false;
  return std::ranges::all_of(value,
                             [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

/// The next member of a tracestate, taken off `rest`, without the spaces around it.
[[nodiscard]] constexpr std::string_view next_tracestate_member(std::string_view& rest) noexcept {
  std::string_view member = rest.substr(0, rest.find(','));
  rest.remove_prefix(member.size() == rest.size() ? rest.size() : member.size() + 1);
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!member.empty() && blank(member.front())) member.remove_prefix(1);
  while (!member.empty() && blank(member.back())) member.remove_suffix(1);
  return member;
}

}  // namespace detail

/// Whether `text` is a tracestate: up to 32 members `key=value` with different keys. @throws nothing
/// @par Complexity  quadratic in the number of members
[[nodiscard]] constexpr bool is_tracestate(std::string_view text) noexcept {
  std::array<std::string_view, 32> keys;
  std::size_t count = 0;
  while (!text.empty()) {
    const std::string_view member = detail::next_tracestate_member(text);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos || count == keys.size()) return false;
    const std::string_view key = member.substr(0, equals);
    if (!detail::is_tracestate_key(key)) return false;
    if (!detail::is_tracestate_value(member.substr(equals + 1))) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (keys[i] == key) return false;
    }
    keys[count++] = key;
  }
  return true;
}

/// The value of a tracestate's member; empty if it has none of that key. @throws nothing
[[nodiscard]] constexpr std::string_view tracestate_member(std::string_view state,
                                                           std::string_view key) noexcept {
  while (!state.empty()) {
    const std::string_view member = detail::next_tracestate_member(state);
    const std::size_t equals = member.find('=');
    if (equals != std::string_view::npos && member.substr(0, equals) == key)
      return member.substr(equals + 1);
  }
  return {};
}

/// A tracestate with a member set, which comes first, as the recommendation demands of who changes it.
/// Beyond 32 members the last is left out.
/// @return          nothing if `key` or `value` cannot be one's
/// @throws          std::bad_alloc
[[nodiscard]] inline std::optional<std::string> with_tracestate_member(std::string_view state,
                                                                       std::string_view key,
                                                                       std::string_view value) {
  if (!detail::is_tracestate_key(key) || !detail::is_tracestate_value(value)) return std::nullopt;
  std::string changed{key};
  changed += '=';
  changed += value;
  for (std::size_t count = 1; !state.empty() && count < 32;) {
    const std::string_view member = detail::next_tracestate_member(state);
    if (member.empty() || member.substr(0, member.find('=')) == key) continue;
    changed += ',';
    changed += member;
    ++count;
  }
  return changed;
}

/// Reads a `traceparent`, and the `tracestate` beside it, strictly: lower-case digits, no zero ids,
/// version 00 of exactly 55 bytes, later versions as 00 with more behind it, never version ff. A
/// tracestate that is none is left out.
/// @return          nothing if `traceparent` is none
/// @throws          std::bad_alloc
/// @par Complexity  linear in the sizes; no allocation without a tracestate
[[nodiscard]] inline std::optional<TraceContext> parse_trace_context(
    std::string_view traceparent, std::string_view tracestate = {}) {
  constexpr std::size_t size = 55;  // bytes
  if (traceparent.size() < size) return std::nullopt;
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-')
    return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  std::optional<TraceContext> context{std::in_place};
  if (!detail::read_hexadecimal(traceparent.substr(0, 2), version) ||
      !detail::read_hexadecimal(traceparent.substr(3, 32), context->trace_id) ||
      !detail::read_hexadecimal(traceparent.substr(36, 16), context->span_id) ||
      !detail::read_hexadecimal(traceparent.substr(53, 2), flags) || !context->valid() ||
      version[0] == 0xff || (version[0] == 0 && traceparent.size() != size) ||
      (traceparent.size() > size && traceparent[size] != '-')) {
    return std::nullopt;
  }
  context->flags = flags[0] & 3U;
  if (is_tracestate(tracestate)) context->state = tracestate;
  return context;
}

/// The `traceparent` of a context, in version 00.
/// @pre     context.valid()
/// @throws  std::bad_alloc
[[nodiscard]] inline std::string to_traceparent(const TraceContext& context) {
  std::string text{"00-"};
  text.reserve(55);
  detail::append_hexadecimal(context.trace_id, text);
  text += '-';
  detail::append_hexadecimal(context.span_id, text);
  text += '-';
  detail::append_hexadecimal(std::array{static_cast<std::uint8_t>(context.flags & 3U)}, text);
  return text;
}

/// The trace context that an event carries; nothing if it carries none. @throws std::bad_alloc
[[nodiscard]] inline std::optional<TraceContext> trace_context_of(const Metadata& metadata) {
  const auto text = [&](std::string_view key) -> std::string_view {
    const auto* found = metadata.get_if<std::string>(key);
    return found == nullptr ? std::string_view{} : std::string_view{*found};
  };
  return parse_trace_context(text(traceparent_key), text(tracestate_key));
}

/// Sets the trace context that an event carries, in the place of the one that it has.
/// @pre     context.valid()
/// @throws  std::bad_alloc
inline void set_trace_context(Metadata& metadata, const TraceContext& context) {
  metadata.set(std::string{traceparent_key}, to_traceparent(context));
  if (!context.state.empty() || metadata.contains(tracestate_key)) {
    metadata.set(std::string{tracestate_key}, context.state);
  }
}

}  // namespace gossip
