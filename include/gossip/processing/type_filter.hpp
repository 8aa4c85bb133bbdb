// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// by_type: a filter on the name of an event's type. Layer: processing.

#include <gossip/core/event_pattern.hpp>
#include <gossip/processing/filter.hpp>

#include <concepts>

namespace gossip {
namespace detail {

class ByType : public FilterBase {
 public:
  constexpr explicit ByType(const EventPattern& pattern) noexcept : pattern_{pattern} {}

  template <class E>
    requires(std::same_as<E, AnyEvent> || TypedEvent<E>)
  [[nodiscard]] bool operator()(const E& event) const noexcept {
    return pattern_.matches(event.type());
  }

 private:
  EventPattern pattern_;
};

}  // namespace detail

/// Passes events whose type's name matches `pattern`. Of use inside a processor of many types; to
/// subscribe to a pattern costs less, since it is matched once per type and not once per event.
/// @param pattern      "order.*", say; see EventPattern, also for what making one throws
/// @return             a filter of every event; `&&`, `||` and `!` compose it
/// @throws             nothing, nor does asking it
/// @par Thread safety  asked by any thread
/// @par Complexity     linear in the shorter of pattern and name; no allocation
[[nodiscard]] constexpr detail::ByType by_type(const EventPattern& pattern) noexcept {
  return detail::ByType{pattern};
}

}  // namespace gossip
