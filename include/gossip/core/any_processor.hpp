// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// AnyProcessor: what may be subscribed to a pattern. Layer: core.

#include <gossip/core/any_event.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/processor.hpp>
#include <gossip/core/status.hpp>

#include <concepts>
#include <functional>
#include <type_traits>

namespace gossip {

namespace detail {

// clang-format off
template <class F>
concept TakesAnyContext = ProcessorCall<F, const AnyEvent&, Context&>;
template <class F>
concept TakesAnyEvent = ProcessorCall<F, const AnyEvent&>;
// clang-format on

}  // namespace detail

/// Anything callable as `(const AnyEvent&, Context&)` or `(const AnyEvent&)`; the first of these that
/// fits is used. It returns void or a Status. Semantic requirements as Processor; the AnyEvent refers
/// to the event being delivered, and a copy of it may be kept.
template <class F>
concept AnyProcessor = std::move_constructible<F> && std::destructible<F> &&
    (detail::TakesAnyContext<F> || detail::TakesAnyEvent<F>);

namespace detail {

/// Calls `processor` in the form it takes.
/// @return  its Status; success where it returns void
/// @throws  what it throws
template <class F>
  requires(TakesAnyContext<F> || TakesAnyEvent<F>)
Status invoke_any_processor(F& processor, const AnyEvent& event, Context& context) {
  const auto call = [&processor](auto&... args) -> Status {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, decltype(args)...>>) {
      std::invoke(processor, args...);
      return {};
    } else {
      return std::invoke(processor, args...);
    }
  };
  if constexpr (TakesAnyContext<F>) {
    return call(event, context);
  } else {
    return call(event);
  }
}

}  // namespace detail
}  // namespace gossip
