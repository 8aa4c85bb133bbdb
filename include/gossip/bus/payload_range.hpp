// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// PayloadRange: what EventBus::publish_batch takes. Layer: bus.

#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>

#include <concepts>
#include <cstddef>
#include <span>  // and the ranges:: names below, without the views of <ranges>
#include <type_traits>

namespace gossip {

/// What came of a publish_batch.
struct BatchResult {
  std::size_t published = 0;  ///< how many were accepted, from the first on // events
  Status status = {};         ///< why the next one was not; success if all were
};

// clang-format off
namespace detail {

/// A `Range&&` that is a container which gives its elements away, and they are payloads.
template <class Range, class T>
concept GivesAway =
    !std::is_lvalue_reference_v<Range> && !std::ranges::enable_view<Range> &&
    std::same_as<std::ranges::range_reference_t<Range>, StoredPayload<T>&>;

}  // namespace detail

/// A range, as a forwarding reference `Range&&` takes it, whose elements are payloads of an
/// `EventType<T>`: convertible to one, implicitly, as what publish() takes has to be. Payloads that can
/// only be moved come from a container that is given away, or from a range that makes them.
template <class Range, class T>
concept PayloadRange =
    detail::GivesAway<Range, T> ||
    std::convertible_to<std::ranges::range_reference_t<Range>, StoredPayload<T>>;

// clang-format on

}  // namespace gossip
