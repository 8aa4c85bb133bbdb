// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// deduplicate: a processor handles an event once, though it is delivered twice. Layer: processing.

#include <gossip/core/any_event.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/processing/detail/seen_keys.hpp>
#include <gossip/processing/failure.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace gossip {

/// What can be chosen for deduplicate().
struct DeduplicateOptions {
  /// How many events are remembered, 1 to 16777216; beyond it the oldest is forgotten.
  // events
  std::size_t capacity = 1024;
  /// How long each is remembered; more than 0. nanoseconds::max(): while there is room.
  std::chrono::nanoseconds window = std::chrono::minutes{10};
  /// What a duplicate gets while the first delivery is being handled, or waits for its next attempt.
  enum class Unfinished : std::uint8_t {
    succeed,  ///< success, as later
    refuse,  ///< Errc::retryable: the first may still fail. For transports that deliver again until
             ///< they hear of a success
  };
  Unfinished unfinished = Unfinished::succeed;  ///< see Unfinished
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const DeduplicateOptions& options) {
  using detail::refuse_option;
  if (options.capacity < 1 || options.capacity > (std::size_t{1} << 24U)) {
    return refuse_option("capacity", std::to_string(options.capacity), "1 to 16777216");
  }
  if (options.window <= std::chrono::nanoseconds::zero()) {
    return refuse_option("window", std::to_string(options.window.count()) + " ns", "more than 0");
  }
  if (static_cast<unsigned>(options.unfinished) > 1) {
    return refuse_option("unfinished", std::to_string(static_cast<unsigned>(options.unfinished)),
                         "succeed, refuse");
  }
  return {};
}

/// The key that deduplicate() uses by default: the event's id.
struct EventIdKey {
  /// The id.
  template <class E>
    requires(std::same_as<E, AnyEvent> || detail::TypedEvent<E>)
  [[nodiscard]] EventId operator()(const E& event) const { return event.id(); }
};

namespace detail {

// clang-format off

template <class F, class E>
concept DataKey = TypedEvent<E> && !std::same_as<F, EventIdKey> &&
    requires(const F& f, const typename E::payload_type& data) {
      requires !std::is_void_v<typename E::payload_type>;
      SeenKey{std::invoke(f, data)};
    };

template <class F, class E>
concept EventKey = requires(const F& f, const E& event) { SeenKey{std::invoke(f, event)}; };

// clang-format on

/// A processor made by deduplicate().
template <class Next, class Key>
class Deduplicating {
 public:
  static constexpr const char* middleware_name = "deduplicate";
  using wrapped_type = Next;

  Deduplicating(const DeduplicateOptions& options, Key key, Next next)
      : key_(std::move(key)),
        refused_{options.unfinished == DeduplicateOptions::Unfinished::refuse
                     ? Status{RetryableError{"duplicate of an event that is being handled"}}
                     : Status{}},
        seen_{new SeenKeys{options.capacity, options.window}},
        next_(std::move(next)) {}

  template <class E>
    requires(Handler<Next, E> && (DataKey<Key, E> || EventKey<Key, E>))
  Status operator()(const E& event, Context& context) {
    const SeenKeys::Place place = seen_->enter(key_of(event), context.now(), context.attempt() > 1);
    if (place.found == SeenKeys::Found::finished) return {};
    if (place.found == SeenKeys::Found::unfinished) return refused_;
    return handle_observed(next_, event, context, [&](const Status& status) {
      if (status.ok()) {
        seen_->finish(place);
      } else if (!context.deferred()) {
        seen_->forget(place);
      }
    });
  }

 private:
  template <class E>
  SeenKey key_of(const E& event) const {
    if constexpr (DataKey<Key, E>) {
      return SeenKey{std::invoke(key_, event.data())};
    } else {
      return SeenKey{std::invoke(key_, event)};
    }
  }

  [[no_unique_address]] Key key_;
  Status refused_;
  Shared<SeenKeys> seen_;
  Next next_;
};

template <class Key>
class Deduplicate : public MiddlewareBase {
 public:
  Deduplicate(const DeduplicateOptions& options, Key key)
      : options_{options}, key_(std::move(key)) {}

  template <MaybeCallable P>
  [[nodiscard]] auto operator()(P next) const {
    return Deduplicating<P, Key>{options_, key_, std::move(next)};
  }

 private:
  DeduplicateOptions options_;
  [[no_unique_address]] Key key_;
};

}  // namespace detail

/// A middleware that has its processor called for the first of several deliveries with the same key
/// only; a later one is a success without a call. A first delivery that fails for good is forgotten,
/// so that the event is handled when it is delivered again. Another attempt of a delivery, with
/// Context::attempt() above 1, always passes: put deduplicate outside of what asks for attempts.
/// Each processor that it wraps remembers for itself; copies of the wrapped processor share that.
///
/// The memory is bounded, by number and by time: a duplicate of what has been forgotten is handled.
///
/// Example: examples/processing/composing.cpp.
///
/// @param options      see DeduplicateOptions
/// @param key          callable, also where it is const, as `(const T&)` or as `(const Event<T>&)` or
///                     `(const AnyEvent&)`, the first that fits; returns an integer, an enumerator, a
///                     text or an EventId. Called by several workers at once
/// @throws             std::invalid_argument, which names the option, its value and what is allowed
/// @par Blocking       a mutex that is held for less than a microsecond, never while user code runs
/// @par Thread safety  the processor it makes may be called by any number of threads
/// @par Complexity     O(1) on average. Room for `capacity` keys is allocated when it wraps; after
///                     that only texts of more than 15 bytes are
template <std::copy_constructible Key = EventIdKey>
[[nodiscard]] detail::Deduplicate<Key> deduplicate(const DeduplicateOptions& options = {},
                                                   Key key = {}) {
  return {detail::require_valid("DeduplicateOptions", options), std::move(key)};
}

}  // namespace gossip
