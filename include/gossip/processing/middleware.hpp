// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Middleware: what wraps a processor and is a processor again; chain() and `|` compose it.
/// Layer: processing.

#include <gossip/core/context.hpp>
#include <gossip/core/status.hpp>
#include <gossip/processing/handler.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gossip {
namespace detail {

/// A processor in the one form that middleware calls: `next(event, context)`, which returns a
/// Status, whatever form the processor has. Callable where it is const, as processors that several
/// workers call at once are anyway.
template <MaybeCallable P>
class Next {
 public:
  using wrapped_type = P;  // see ProcessorLayer

  explicit Next(P processor) : processor_(std::move(processor)) {}

  template <class E>
    requires(Handler<P, E>)
  Status operator()(const E& event, Context& context) const {
    return handle(processor_, event, context);
  }

 private:
  mutable P processor_;
};

/// Stands for any processor.
struct ProcessorArchetype {
  template <class E>
  Status operator()(const E&, Context&) const {
    return {};
  }
};

}  // namespace detail

/// Anything that takes a processor and returns the processor that wraps it. Semantic requirements,
/// for a middleware `m`:
/// 1. `m(next)` keeps `next`, moved, and may be called any number of times.
/// 2. What it returns is a Processor of every payload of which `next` is one, and, to be of use
///    for patterns, of AnyEvent: it calls `next(event, context)`, which returns a Status, as often
///    as it likes, and returns a Status that tells what came of it.
/// 3. State of its own that a call changes is safe from several workers at once, and no lock is
///    held while `next` runs.
///
/// What it returns may say what it is, for EventBus::topology(), by a static member
/// `constexpr const char* middleware_name` and the type `wrapped_type` of what it wraps.
///
/// @code
/// auto shout = [](auto next) {
///   return [next = std::move(next)](const auto& event, gossip::Context& context) {
///     std::puts("here it comes");
///     return next(event, context);
///   };
/// };
/// @endcode
template <class M>
concept Middleware = std::move_constructible<M> &&
    std::invocable<const M&, detail::Next<detail::ProcessorArchetype>> &&
    detail::MaybeCallable<std::invoke_result_t<const M&, detail::Next<detail::ProcessorArchetype>>>;

namespace detail {

template <class... Ms>
class Chain;

/// Base of gossip's own middleware: gives it `|`, and gives it to nothing else.
struct MiddlewareBase {
  /// chain(outer, inner), if one of them is of gossip's own.
  template <Middleware A, Middleware B>
  [[nodiscard]] friend constexpr auto operator|(A outer, B inner) {
    return Chain<A, B>{std::move(outer), std::move(inner)};
  }
};

/// Several middlewares as one.
template <class... Ms>
class Chain : public MiddlewareBase {
 public:
  constexpr explicit Chain(Ms... middlewares) : middlewares_{std::move(middlewares)...} {}

  template <MaybeCallable P>
  [[nodiscard]] constexpr auto operator()(P processor) const {
    return wrap<0>(std::move(processor));
  }

 private:
  template <std::size_t I, class P>
  constexpr auto wrap(P processor) const {
    if constexpr (I == sizeof...(Ms)) {
      return processor;
    } else {
      return std::get<I>(middlewares_)(Next{wrap<I + 1>(std::move(processor))});
    }
  }

  std::tuple<Ms...> middlewares_;
};

}  // namespace detail

/// Several middlewares as one, the first outermost. Without any it is the identity. Composed when it
/// is compiled: what it makes of a processor is one object without any indirection.
/// @return          a middleware: `chain(a, b)(processor)` is a(b(processor)), but that each is given
///                  a `next` that is called as `next(event, context)` and returns a Status
/// @throws          what copying a middleware or moving a processor throws
/// @par Complexity  no allocation, but what a middleware's own state needs
template <Middleware... Ms>
[[nodiscard]] constexpr auto chain(Ms... middlewares) {
  return detail::Chain<Ms...>{std::move(middlewares)...};
}

}  // namespace gossip
