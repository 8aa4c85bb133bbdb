// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Filters on an event's metadata. Layer: processing.

#include <gossip/core/metadata.hpp>
#include <gossip/core/metadata_match.hpp>
#include <gossip/processing/filter.hpp>

#include <concepts>
#include <string>
#include <utility>

namespace gossip {
namespace detail {

class HasMetadata : public FilterBase {
 public:
  explicit HasMetadata(std::string key) noexcept : key_{std::move(key)} {}

  template <class E>
    requires(std::same_as<E, AnyEvent> || TypedEvent<E>)
  [[nodiscard]] bool operator()(const E& event) const noexcept {
    return event.metadata().contains(key_);
  }

 private:
  MetadataKey key_;
};

class ByMetadata : public FilterBase {
 public:
  ByMetadata(std::string key, MetadataValue value) noexcept
      : wanted_{MetadataKey{std::move(key)}, std::move(value)} {}

  template <class E>
    requires(std::same_as<E, AnyEvent> || TypedEvent<E>)
  [[nodiscard]] bool operator()(const E& event) const noexcept {
    return wanted_.is_in(event.metadata());
  }

 private:
  MetadataMatch wanted_;
};

}  // namespace detail

/// Passes events that have a metadata entry `key`, whatever its value.
/// @return             a filter of every event; `&&`, `||` and `!` compose it
/// @throws             std::bad_alloc; asked, it throws nothing
/// @par Thread safety  asked by any thread
/// @par Complexity     linear in the number of entries; asked, it never allocates
[[nodiscard]] inline detail::HasMetadata has_metadata(std::string key) {
  return detail::HasMetadata{std::move(key)};
}

/// Passes events whose metadata entry `key` equals `value`: integers of all widths compare by their
/// number; values of unlike kinds, such as 5, 5.0, "5" and true, are never equal. Else as
/// has_metadata.
[[nodiscard]] inline detail::ByMetadata by_metadata(std::string key, MetadataValue value) {
  return {std::move(key), std::move(value)};
}

}  // namespace gossip
