// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// dead_letter: hands an event at which a processor failed for good to somebody else.
/// Layer: processing.

#include <gossip/core/any_event.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/processing/failure.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace gossip {

/// An event that a processor could not handle.
struct DeadLetter {
  AnyEvent event;               ///< a copy that may be kept
  Status error;                 ///< why it failed; never success
  SubscriptionId subscription;  ///< whose processor failed
  unsigned attempts = 1;        ///< how often it was tried
};

/// What a processor's failure becomes once its event has been handed over as a dead letter.
enum class DeadLetterThen : std::uint8_t {
  fail,  ///< it stays a failure: the error handler, or the publisher of publish_sync, is told too
  swallow,  ///< a success: the dead letter is all that is heard of it
};

/// What can be chosen for dead_letter().
struct DeadLetterOptions {
  /// What becomes of the failure.
  DeadLetterThen then = DeadLetterThen::fail;
};

namespace detail {

/// A processor made by dead_letter().
template <class Next, class Sink>
class DeadLettering {
 public:
  static constexpr const char* middleware_name = "dead_letter";
  using wrapped_type = Next;

  DeadLettering(Sink sink, const DeadLetterOptions& options, Next next)
      : sink_(std::move(sink)), options_{options}, next_(std::move(next)) {}

  template <class E>
  requires Handler<Next, E> Status operator()(const E& event, Context& context) {
    Status failure = handle_caught(next_, event, context);
    if (failure.ok() || context.deferred() || is_letter(event)) return failure;
    const Status sent = send(event, failure, context);
    if (!sent.ok()) return explained(failure, {"and its dead letter: ", sent.what()});
    return options_.then == DeadLetterThen::swallow ? Status{} : failure;
  }

 private:
  template <class T>
  static constexpr bool is_letter(const Event<T>& /*event*/) noexcept {
    return std::same_as<T, DeadLetter>;
  }
  template <std::same_as<AnyEvent> E>
  static bool is_letter(const E& event) noexcept {
    return event.template get_if<DeadLetter>() != nullptr;
  }

  template <class T>
  static AnyEvent copy_of(const Event<T>& event) {
    const AnyEvent view = AnyEventAccess::refer_to(event);
    return AnyEvent{view};  // a copy, which owns its event; returning `view` would not make one
  }
  static AnyEvent copy_of(const AnyEvent& event) { return event; }

  template <class E>
  Status send(const E& event, const Status& failure, const Context& context) noexcept {
    try {
      DeadLetter letter{copy_of(event), failure, context.subscription(), context.attempt()};
      if constexpr (std::is_void_v<std::invoke_result_t<Sink&, DeadLetter&&>>) {
        sink_(std::move(letter));
        return {};
      } else {
        return sink_(std::move(letter));
      }
    } catch (...) {
      return status_of_current_exception();
    }
  }

  [[no_unique_address]] Sink sink_;
  DeadLetterOptions options_;
  [[no_unique_address]] Next next_;
};

/// A middleware made by dead_letter().
template <class Sink>
class DeadLetterMiddleware : public MiddlewareBase {
 public:
  DeadLetterMiddleware(Sink sink, const DeadLetterOptions& options)
      : sink_(std::move(sink)), options_{options} {}

  template <MaybeCallable Next>
  [[nodiscard]] auto operator()(Next next) const {
    return DeadLettering<Next, Sink>{sink_, options_, std::move(next)};
  }

 private:
  Sink sink_;
  DeadLetterOptions options_;
};

/// Takes dead letters.
template <class F>
concept DeadLetterSink =
    std::invocable<F&, DeadLetter&&> && ProcessorResult<std::invoke_result_t<F&, DeadLetter&&>>;

/// Publishes what it is given, through a `Bus` that it does not own.
template <class Bus>
struct DeadLetterPublisher {
  Bus* bus;
  EventType<DeadLetter> type;

  Status operator()(DeadLetter&& letter) const { return bus->publish(type, std::move(letter)); }
};

}  // namespace detail

/// A middleware that hands the events at which a processor failed for good to `sink`. A failure for
/// which another attempt has been arranged is not one of them: put it around retry(), not inside.
///
/// If the sink refuses or throws, the failure that it was told of remains, and mentions that; the
/// same if the event cannot be copied (a payload that can only be moved). A dead letter at which a
/// processor fails is not sent again.
///
/// Example: examples/processing/failures.cpp.
///
/// @param sink        called as `(DeadLetter&&)` by the thread of the call, by several at once;
///                    returns void or a Status
/// @throws            what moving the sink throws
/// @par Blocking      as the sink
/// @par Thread safety the processor it makes may be called by any number of threads
/// @par Complexity    nothing unless the processor fails; then a copy of the event, which allocates
template <detail::DeadLetterSink Sink>
[[nodiscard]] auto dead_letter(Sink sink, const DeadLetterOptions& options = {}) {
  return detail::DeadLetterMiddleware<Sink>{std::move(sink), options};
}

/// The same, published as events of `type`.
/// @param bus  has `publish(type, DeadLetter&&)`, as every EventBus; outlives the processor
template <class Bus>
  requires requires(Bus& bus, const EventType<DeadLetter>& type, DeadLetter letter) {
    { bus.publish(type, std::move(letter)) } -> std::same_as<Status>;
  }
[[nodiscard]] auto dead_letter(Bus& bus, const EventType<DeadLetter>& type,
                               const DeadLetterOptions& options = {}) {
  return dead_letter(detail::DeadLetterPublisher<Bus>{&bus, type}, options);
}

}  // namespace gossip
