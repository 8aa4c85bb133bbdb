// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Processor: what may be subscribed to an event type. Layer: core.

#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>

#include <concepts>
#include <functional>
#include <type_traits>

namespace gossip {
namespace detail {

template <class R>
concept ProcessorResult = std::is_void_v<R> || std::same_as<std::remove_cvref_t<R>, Status>;

template <class F, class... Args>
concept ProcessorCall =
    std::invocable<F&, Args...> && ProcessorResult<std::invoke_result_t<F&, Args...>>;

template <class F, class T>
concept TakesContext = ProcessorCall < F,
        const Event<T>
&, Context& > ;
template <class F, class T>
concept TakesData = !std::is_void_v<T> && ProcessorCall<F, const StoredPayload<T>&>;
template <class F, class T>
concept TakesEvent = ProcessorCall < F,
        const Event<T>
& > ;
template <class F, class T>
concept TakesNothing = std::is_void_v<T> && ProcessorCall<F>;

}  // namespace detail

/// Anything callable as `(const Event<T>&, Context&)`, `(const T&)` or `(const Event<T>&)`, or,
/// where T is void, as `()`; the first of these that fits is used. It returns void or a Status.
/// Semantic requirements, for a processor `p`:
/// 1. Calls of `p` from several workers at once are safe, unless the bus has one worker; and so is a
///    call inside a call of `p`, if `p` publishes: where the queue is full, the worker handles what
///    waits there meanwhile.
/// 2. `p` keeps no reference to the event after it returns; it may keep a copy.
/// 3. `p` reports failure by a Status or an exception, which never ends a worker.
template <class F, class T>
concept Processor = std::move_constructible<F> && std::destructible<F> &&
    (detail::TakesContext<F, T> || detail::TakesData<F, T> || detail::TakesEvent<F, T> ||
     detail::TakesNothing<F, T>);

/// Calls `processor` in the form it takes.
/// @param context  nothing, if the processor takes none; else the one Context
/// @return         the processor's Status; success where it returns void
/// @throws         what the processor throws
template <class T, Processor<T> F, std::same_as<Context>... C>
  requires(sizeof...(C) == 1 || !detail::TakesContext<F, T>)
Status invoke_processor(F& processor, const Event<T>& event, C&... context) {
  const auto call = [&](auto&... args) -> Status {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, decltype(args)...>>) {
      std::invoke(processor, args...);
      return {};
    } else {
      return std::invoke(processor, args...);
    }
  };
  if constexpr (detail::TakesContext<F, T>) {
    return call(event, context...);
  } else if constexpr (detail::TakesData<F, T>) {
    return call(event.data());
  } else if constexpr (detail::TakesEvent<F, T>) {
    return call(event);
  } else {
    return call();
  }
}

}  // namespace gossip
