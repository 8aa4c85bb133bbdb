// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Filter: which events a processor is called for; composition of filters. Layer: processing.

#include <gossip/core/any_event.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/status.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <concepts>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gossip {
namespace detail {

struct FilterBase;

// clang-format off

/// A filter of gossip's own: it looks at the event, never at the payload alone.
template <class F>
concept OwnFilter = std::derived_from<F, FilterBase>;

template <class F, class E>
concept DataFilter = TypedEvent<E> && !OwnFilter<F> && requires {
  requires !std::is_void_v<typename E::payload_type>;
  requires std::predicate<const F&, const typename E::payload_type&>;
};

template <class F, class E>
concept EventFilter = std::predicate<const F&, const E&>;

}  // namespace detail

/// Anything that says yes or no to an event `E`, an `Event<T>` or AnyEvent: callable, also where it
/// is const, as `(const T&)` or as `(const E&)`, the first that fits, with a result that is a bool.
/// Semantic requirements, for a filter `f`:
/// 1. It depends on nothing but the event and its own state, and changes neither.
/// 2. Calls from several workers at once are safe.
template <class F, class E>
concept Filter = std::move_constructible<F> &&
    (std::same_as<E, AnyEvent> || detail::TypedEvent<E>) &&
    (detail::DataFilter<F, E> || detail::EventFilter<F, E>);

// clang-format on

/// Asks a filter.
/// @throws what the filter throws
template <class E, Filter<E> F>
[[nodiscard]] constexpr bool passes(const F& filter, const E& event) {
  if constexpr (detail::DataFilter<F, E>) {
    return std::invoke(filter, event.data());
  } else {
    return std::invoke(filter, event);
  }
}

namespace detail {

enum class Quantifier : unsigned char { all, any, none };

/// Passes what all, any or none of some filters pass. They are asked from the left, until the
/// answer is known.
template <Quantifier quantifier, class... Fs>
class Combined;

/// Base of gossip's own filters: gives them `&&`, `||` and `!`, and gives those to nothing else.
struct FilterBase {
  template <OwnFilter A, OwnFilter B>
  [[nodiscard]] friend constexpr auto operator&&(A left, B right) {
    return Combined<Quantifier::all, A, B>{std::move(left), std::move(right)};
  }
  template <OwnFilter A, OwnFilter B>
  [[nodiscard]] friend constexpr auto operator||(A left, B right) {
    return Combined<Quantifier::any, A, B>{std::move(left), std::move(right)};
  }
  template <OwnFilter A>
  [[nodiscard]] friend constexpr auto operator!(A filter) {
    return Combined<Quantifier::none, A>{std::move(filter)};
  }
};

template <Quantifier quantifier, class... Fs>
class Combined : public FilterBase {
 public:
  constexpr explicit Combined(Fs... filters) : filters_{std::move(filters)...} {}

  template <class E>
    requires(Filter<Fs, E>&&...)
  [[nodiscard]] constexpr bool operator()(const E& event) const {
    return std::apply(
        [&](const Fs&... filters) {
          if constexpr (quantifier == Quantifier::all) {
            return (passes(filters, event) && ...);
          } else {
            return (passes(filters, event) || ...) == (quantifier == Quantifier::any);
          }
        },
        filters_);
  }

 private:
  std::tuple<Fs...> filters_;
};

/// A processor that is called for what a filter passes.
template <class F, class P>
class Filtered {
 public:
  static constexpr const char* middleware_name = "filter";
  using wrapped_type = P;

  constexpr Filtered(F filter, P next) : filter_(std::move(filter)), next_(std::move(next)) {}

  template <class E>
    requires(Filter<F, E>&& Handler<P, E>)
  Status operator()(const E& event, Context& context) {
    if (!passes(filter_, event)) return {};
    return handle(next_, event, context);
  }
  /// See ChoosesEvents.
  template <class E>
    requires(Filter<F, E>)
  [[nodiscard]] bool wants(const E& event) const { return passes(filter_, event); }

 private:
  F filter_;
  P next_;
};

/// The middleware of a filter.
template <class F>
class FilterMiddleware : public MiddlewareBase {
 public:
  constexpr explicit FilterMiddleware(F filter) : filter_(std::move(filter)) {}

  template <MaybeCallable P>
  [[nodiscard]] constexpr auto operator()(P next) const {
    return Filtered<F, P>{filter_, std::move(next)};
  }

 private:
  F filter_;
};

}  // namespace detail

/// Passes what every one of `filters` passes; without any, everything.
/// @return          a filter of every event that all of them are filters of
/// @throws          what moving a filter throws
/// @par Complexity  no allocation, no indirection; asked from the left, until the answer is known
template <detail::MaybeCallable... Fs>
[[nodiscard]] constexpr auto all_of(Fs... filters) {
  return detail::Combined<detail::Quantifier::all, Fs...>{std::move(filters)...};
}

/// Passes what at least one of `filters` passes; without any, nothing. Else as all_of.
template <detail::MaybeCallable... Fs>
[[nodiscard]] constexpr auto any_of(Fs... filters) {
  return detail::Combined<detail::Quantifier::any, Fs...>{std::move(filters)...};
}

/// Passes what not one of `filters` passes; without any, everything. Else as all_of.
template <detail::MaybeCallable... Fs>
[[nodiscard]] constexpr auto none_of(Fs... filters) {
  return detail::Combined<detail::Quantifier::none, Fs...>{std::move(filters)...};
}

/// Passes what `filter` does not. Else as all_of.
template <detail::MaybeCallable F>
// NOLINTNEXTLINE(readability-identifier-naming)
[[nodiscard]] constexpr auto not_(F filter) {
  return none_of(std::move(filter));
}

/// `predicate` as a filter that `&&`, `||` and `!` compose; they leave everything else alone.
template <detail::MaybeCallable F>
[[nodiscard]] constexpr auto where(F predicate) {
  return all_of(std::move(predicate));
}

/// `processor`, called for the events that `filter` passes. What `filter` throws is the processor's
/// failure.
/// @return          a processor of every event of which `filter` is a filter and `processor` a
///                  processor; what does not pass is a success
/// @throws          what moving the two throws
/// @par Complexity  no allocation, no indirection
template <detail::MaybeCallable F, detail::MaybeCallable P>
[[nodiscard]] constexpr auto filtered(F filter, P processor) {
  return detail::Filtered<F, P>{std::move(filter), std::move(processor)};
}

/// The same as a middleware: `chain(recovery(), filtered(filter))(processor)`.
template <detail::MaybeCallable F>
[[nodiscard]] constexpr auto filtered(F filter) {
  return detail::FilterMiddleware<F>{std::move(filter)};
}

}  // namespace gossip
