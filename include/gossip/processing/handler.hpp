// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Handler: a processor of events of a known payload, or of events of any. Layer: processing.

#include <gossip/core/any_event.hpp>
#include <gossip/core/any_processor.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/processor.hpp>
#include <gossip/core/status.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace gossip::detail {

// clang-format off

/// An Event<T>.
template <class E>
concept TypedEvent = requires {
  // In here, as everything about payload_type: a constraint on a given type, such as AnyEvent, may
  // not name what that type lacks.
  requires std::same_as<E, Event<typename E::payload_type>>;
};

/// A processor of payload T.
template <class F, class T>
concept PayloadProcessor =
    TakesContext<F, T> || TakesData<F, T> || TakesEvent<F, T> || TakesNothing<F, T>;

/// Callable for an event `E`, which is an Event<T> or AnyEvent, in one of the forms of a processor.
/// What is composed around processors is written once for both:
///
/// @code
/// template <class E>
///   requires Handler<Next, E>
/// Status operator()(const E& event, Context& context) {
///   return handle(next_, event, context);
/// }
/// @endcode
template <class F, class E>
concept Handler =
    (std::same_as<E, AnyEvent> && (TakesAnyContext<F> || TakesAnyEvent<F>)) ||
    (TypedEvent<E> && requires { requires PayloadProcessor<F, typename E::payload_type>; });

/// What could be called at all; whether for a certain event, Handler and Filter tell.
template <class F>
concept MaybeCallable = std::move_constructible<F> &&
    (std::is_class_v<F> || std::is_member_pointer_v<F> ||
     std::is_function_v<std::remove_pointer_t<F>>);

// clang-format on

/// Calls `next` in the form it takes.
/// @return  its Status; success where it returns void
/// @throws  what it throws
template <class E, Handler<E> F>
Status handle(F& next, const E& event, Context& context) {
  if constexpr (!std::same_as<E, AnyEvent>) {
    return invoke_processor<typename E::payload_type>(next, event, context);
  } else {
    return invoke_any_processor(next, event, context);
  }
}

/// Calls `next` and tells `observe`, once, what came of it, also of an exception, which then passes
/// on; what `observe` throws takes its place.
template <class E, Handler<E> F, std::invocable<const Status&> Observe>
Status handle_observed(F& next, const E& event, Context& context, Observe observe) {
  Status status = [&]() -> Status {
    try {
      return handle(next, event, context);
    } catch (...) {
      observe(status_of_current_exception());
      throw;
    }
  }();
  observe(std::as_const(status));
  return status;
}

}  // namespace gossip::detail
