// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// timeout: limits how long a processor may take for an event. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/late.hpp>
#include <gossip/core/shared.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/processing/call_watch.hpp>
#include <gossip/processing/failure.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>
#include <gossip/processing/stalled_call.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

namespace gossip {

/// What can be chosen for timeout().
struct TimeoutOptions {
  /// How long a call may take, 1 ns to 365 days.
  std::chrono::nanoseconds limit = std::chrono::seconds{30};
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const TimeoutOptions& options) {
  if (options.limit > std::chrono::nanoseconds::zero() &&
      options.limit <= std::chrono::hours{24 * 365}) {
    return {};
  }
  return detail::refuse_option("limit", std::to_string(options.limit.count()) + " ns",
                               "1 ns to 365 days");
}

namespace detail {

/// What the processors that one timeout() wraps have counted.
struct TimeoutCounts {
  SharedCount count;  ///< of the middleware, its processors and their reports
  std::atomic<std::uint64_t> timed_out{0};
  std::atomic<std::uint64_t> stalled{0};
  std::atomic<std::uint64_t> failed_reports{0};
};

/// A processor made by timeout().
template <class Next, class OnStalled>
class Limited {
 public:
  static constexpr const char* middleware_name = "timeout";
  using wrapped_type = Next;

  Limited(std::chrono::nanoseconds limit, OnStalled on_stalled, const Shared<TimeoutCounts>& counts,
          Next next)
      : limit_{limit}, counts_{counts}, reports_{std::move(on_stalled)}, next_(std::move(next)) {}

  template <class E>
  requires Handler<Next, E> Status operator()(const E& event, Context& context) {
    const SteadyTime begin = context.now();
    const SteadyTime end = later(begin, limit_);
    Status status = call(event, context, end);
    const SteadyTime now = context.now();
    return now < end ? status : timed_out(now - begin, status);
  }

 private:
  template <class E>
  Status call(const E& event, Context& context, SteadyTime end) {
    const SteadyTime outer = context.deadline();
    const SteadyTime deadline = outer < end ? outer : end;
    Timer* const timer = ContextAccess::timer(context);
    if (timer == nullptr) {
      Context inner = context.with_stop(context.stop_token(), deadline);
      return handle_caught(next_, event, inner);
    }
    const WatchedCall watched{this, &event, &context, [](const WatchedCall& self) noexcept {
                                static_cast<Limited*>(self.processor)
                                    ->stalled(*static_cast<const E*>(self.event), *self.context);
                              }};
    const CallWatch<Late<WatchedCall, E>> watch{*timer, watched, deadline, later(end, limit_)};
    Context inner = context.with_stop(watch.stop_token(), deadline);
    return handle_caught(next_, event, inner);
  }

  Status timed_out(std::chrono::nanoseconds time, const Status& status) const noexcept {
    counts_->timed_out.fetch_add(1, std::memory_order_relaxed);
    try {
      std::string message = "returned after ";
      message += std::to_string(time.count());
      message += " ns";
      return TimeoutError{limit_, std::move(message), status.error()};
    } catch (const std::bad_alloc&) {
      return Errc::timeout;
    }
  }

  /// On the timer's thread, while the call runs.
  template <class E>
  void stalled(const E& event, const Context& context) noexcept {
    counts_->stalled.fetch_add(1, std::memory_order_relaxed);
    if constexpr (!std::same_as<OnStalled, NoStallReport>) {
      try {
        reports_.send(
            *ContextAccess::timer(context),
            StalledCall{std::string{event.type()}, event.id(), context.subscription(),
                        std::string{context.subscription_name()}, context.attempt(), limit_},
            [counts = counts_] { count_failed_report(*counts); });
      } catch (const std::exception&) {
        count_failed_report(*counts_);
      }
    }
  }

  static void count_failed_report(TimeoutCounts& counts) noexcept {
    counts.failed_reports.fetch_add(1, std::memory_order_relaxed);
  }

  std::chrono::nanoseconds limit_;
  Shared<TimeoutCounts> counts_;
  [[no_unique_address]] StallReports<OnStalled> reports_;
  [[no_unique_address]] Next next_;
};

/// A middleware made by timeout(). Copies share what they have counted.
template <class OnStalled>
class Timeout : public MiddlewareBase {
 public:
  Timeout(const TimeoutOptions& options, OnStalled on_stalled)
      : limit_{options.limit}, on_stalled_(std::move(on_stalled)) {}

  template <MaybeCallable Next>
  [[nodiscard]] auto operator()(Next next) const {
    return Limited<Next, OnStalled>{limit_, on_stalled_, counts_, std::move(next)};
  }

  /// How many calls of the processors that it wrapped took too long. // calls
  [[nodiscard]] std::uint64_t timed_out() const noexcept {
    return counts_->timed_out.load(std::memory_order_relaxed);
  }
  /// How many took more than twice as long as they may. // calls
  [[nodiscard]] std::uint64_t stalled() const noexcept {
    return counts_->stalled.load(std::memory_order_relaxed);
  }
  /// How many of these could not be reported: `on_stalled` threw, or memory ran out. // calls
  [[nodiscard]] std::uint64_t failed_reports() const noexcept {
    return counts_->failed_reports.load(std::memory_order_relaxed);
  }

 private:
  std::chrono::nanoseconds limit_;
  OnStalled on_stalled_;
  Shared<TimeoutCounts> counts_{new TimeoutCounts};
};

}  // namespace detail

/// A middleware that limits how long a processor may take for one event.
///
/// A running call is never abandoned. At its deadline the stop_token of its Context is tripped, so
/// that the processor can give up; one that returns late is reported as a TimeoutError, with the
/// failure it returned, if any, as the cause, even if it reported success. One that still runs when
/// twice its limit has passed is counted as stalled and, while it runs, told to `on_stalled`. The
/// deadline in the Context is the earlier one of the limit's and of what surrounds the call; tokens
/// and deadlines go by the bus's clock. Without a bus, that is with a Context made by hand, a late
/// return is all that can be noticed.
///
/// Example: examples/processing/failures.cpp.
///
/// @param options     see TimeoutOptions
/// @param on_stalled  called as `(const StalledCall&)` on the thread of the bus's timer, so it should
///                    be brief; it may do anything, cancelling the subscription included. What it
///                    throws is counted and dropped. It is not called once the subscription has
///                    ended: cancelling waits for a report under way, unless done from inside it
/// @return            a middleware that also tells timed_out(), stalled() and failed_reports()
/// @throws std::invalid_argument  the limit is out of range; names its value and what is allowed
/// @par Blocking      a call that returns past its deadline waits for its stop callbacks to end
/// @par Thread safety the processor it makes may be called by any number of threads
/// @par Complexity    two readings of the clock, a task of the timer and a stop state for each call
template <std::invocable<const StalledCall&> OnStalled = detail::NoStallReport>
[[nodiscard]] detail::Timeout<OnStalled> timeout(const TimeoutOptions& options = {},
                                                 OnStalled on_stalled = {}) {
  return {detail::require_valid("TimeoutOptions", options), std::move(on_stalled)};
}

}  // namespace gossip
