// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// metrics: hands the figures of each call of a processor to a hook. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

namespace gossip {

/// What came of one call of a processor.
enum class CallOutcome : std::uint8_t {
  ok,        ///< it succeeded
  failed,    ///< it failed for good
  deferred,  ///< it failed, and another attempt has been arranged
};

/// The figures of one call of a processor; trivial to copy, and to keep while its bus lives.
struct CallMetrics {
  std::string_view event_type;        ///< such as "auth.user.created"; lives for ever
  SubscriptionId subscription;        ///< whose processor was called
  unsigned attempt;                   ///< 1 for the first call for this event
  CallOutcome outcome;                ///< what came of it
  std::chrono::nanoseconds duration;  ///< of the call, by the bus's clock
};

/// What metrics() tells about calls: callable, also where it is const, with a `const CallMetrics&`.
/// Semantic requirement: calls from several workers at once are safe; no lock is held around them.
template <class H>
concept MetricsHook = std::copy_constructible<H> && std::invocable<const H&, const CallMetrics&>;

namespace detail {

/// A processor made by metrics().
template <class Next, class Hook>
class Measuring {
 public:
  static constexpr const char* middleware_name = "metrics";
  using wrapped_type = Next;

  Measuring(Hook hook, Next next) : hook_(std::move(hook)), next_(std::move(next)) {}

  template <class E>
    requires(Handler<Next, E>)
  Status operator()(const E& event, Context& context) {
    const SteadyTime start = context.now();
    return handle_observed(next_, event, context, [&](const Status& status) {
      const CallOutcome outcome = status.ok()          ? CallOutcome::ok
                                  : context.deferred() ? CallOutcome::deferred
                                                       : CallOutcome::failed;
      const CallMetrics metrics{event.type(), context.subscription(), context.attempt(), outcome,
                                context.now() - start};
      std::as_const(hook_)(metrics);
    });
  }

 private:
  [[no_unique_address]] Hook hook_;
  Next next_;
};

template <class Hook>
class MetricsMiddleware : public MiddlewareBase {
 public:
  explicit MetricsMiddleware(Hook hook) : hook_(std::move(hook)) {}

  template <MaybeCallable P>
  [[nodiscard]] auto operator()(P next) const {
    return Measuring<P, Hook>{hook_, std::move(next)};
  }

 private:
  [[no_unique_address]] Hook hook_;
};

}  // namespace detail

/// A middleware that hands the figures of each call of its processor to `hook`, after the call, on
/// the same thread. The status and what the processor throws pass through unchanged. Each attempt of
/// an event that is retried further in is a call of its own.
///
/// Example: examples/processing/composing.cpp.
///
/// @param hook         see MetricsHook; copied into each processor. What it throws takes the place of
///                     the call's outcome
/// @throws             what moving the hook throws
/// @par Blocking       never by itself
/// @par Thread safety  the processor it makes may be called by any number of threads
/// @par Complexity     O(1): the clock is read twice per call; no allocation unless the processor
///                     throws
template <MetricsHook Hook>
[[nodiscard]] detail::MetricsMiddleware<Hook> metrics(Hook hook) {
  return detail::MetricsMiddleware<Hook>{std::move(hook)};
}

}  // namespace gossip
