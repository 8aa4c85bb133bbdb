// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// PatternSubscribing: how a bus is subscribed to patterns of event types. Layer: bus.

#include <gossip/core/any_event.hpp>
#include <gossip/core/any_processor.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event_pattern.hpp>
#include <gossip/core/subscription.hpp>
#include <gossip/dispatch/any_call.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/processing/filter.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace gossip {

/// The part of an EventBus that subscribes to patterns.
///
/// Thread safety: all members from any thread at once.
/// @tparam Bus  the EventBus, of which this is a base
template <class Bus>
class PatternSubscribing {
 public:
  /// Registers a processor for the events of every type that `pattern` matches: of the types that
  /// the bus has met, and of those it meets later. (It meets a type when somebody subscribes to it,
  /// publishes an event of it or asks for its publisher.)
  /// @param pattern    such as "order.*" or "order.>"; see EventPattern, whose constructor throws a
  ///                   ValidationError if it is none
  /// @param processor  see AnyProcessor; moved or copied in; called by several workers at once
  /// @return           the handle that keeps it registered
  /// @throws           Errc::closed, or what the provider refuses, as Error; TypeAssertionError if the
  ///                   options' key function takes one payload alone; std::invalid_argument if an
  ///                   option is out of range; std::bad_alloc, and what moving the processor throws
  /// @par Blocking     a mutex that is held while the types are matched, never while user code runs
  /// @par Complexity   linear in the number of types that the bus has met; an event is not matched
  ///                   against patterns
  /// @par Ordering     as when subscribing to each of these types, see EventBus; before the processors
  ///                   of a type that the bus meets later
  /// @{
  template <std::convertible_to<EventPattern> Text, AnyProcessor F>
  Subscription subscribe(const Text& pattern, F&& processor, SubscribeOptions options = {}) {
    const auto& core = static_cast<Bus&>(*this).core_;
    const EventPattern checked{pattern};
    if (core->dispatcher().closed()) throw Error{Errc::closed, "subscribe"};
    const detail::ErasedProcessor erased = detail::erase_any_processor(std::forward<F>(processor));
    Subscription subscription = Bus::Core::subscribe_to(core, checked, erased, std::move(options));
    core->connect_all(checked);
    return subscription;
  }
  template <std::convertible_to<EventPattern> Text, class F>
    requires(!AnyProcessor<F>)
  Subscription subscribe(const Text& pattern, F&& processor,  // takes const AnyEvent&
                         SubscribeOptions options = {})
  = delete;
  /// Of these events, the ones that `filter` passes; see Filter.
  template <std::convertible_to<EventPattern> Text, class W, AnyProcessor F>
    requires(Filter<std::decay_t<W>, AnyEvent>)
  Subscription subscribe(const Text& pattern, W&& filter, F&& processor,
                         SubscribeOptions options = {}) {
    return subscribe(pattern, filtered(std::forward<W>(filter), std::forward<F>(processor)),
                     std::move(options));
  }
  template <std::convertible_to<EventPattern> Text, class W, class F>
    requires(Filter<std::decay_t<W>, AnyEvent> && !AnyProcessor<F> &&
             !std::convertible_to<F, SubscribeOptions>)
  Subscription subscribe(const Text& pattern, W&& filter, F&& processor,  // const AnyEvent&
                         SubscribeOptions options = {})
  = delete;
  /// @}

 protected:
  PatternSubscribing() = default;
  ~PatternSubscribing() = default;
};

}  // namespace gossip
