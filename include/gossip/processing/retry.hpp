// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// retry: calls a processor that fails again, later and a limited number of times.
/// Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/processing/failure.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>

namespace gossip {

/// What can be chosen for retry().
struct RetryOptions {
  /// How often the processor is called for one event at most, the first time included; at least 1.
  // attempts
  unsigned max_attempts = 3;
  /// How long after the first failure it is called again, 0 to max_delay.
  std::chrono::nanoseconds initial_delay = std::chrono::milliseconds{100};
  /// By how much the delay grows with each further failure, 1 to 1000.
  double factor = 2.0;
  /// What the delay never exceeds, 0 to 365 days.
  std::chrono::nanoseconds max_delay = std::chrono::seconds{30};
  /// Up to which share of a delay is taken off it at random, so that those which failed together
  /// do not come back together; 0 (never) to 1.
  double jitter = 0.2;
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const RetryOptions& options) {
  using detail::refuse_option;
  const auto ns = [](std::chrono::nanoseconds time) {
    return std::to_string(time.count()) + " ns";
  };
  if (options.max_attempts < 1) return refuse_option("max_attempts", "0", "1 or more");
  if (options.max_delay < std::chrono::nanoseconds::zero() ||
      options.max_delay > std::chrono::hours{24 * 365}) {
    return refuse_option("max_delay", ns(options.max_delay), "0 to 365 days");
  }
  if (options.initial_delay < std::chrono::nanoseconds::zero() ||
      options.initial_delay > options.max_delay) {
    return refuse_option("initial_delay", ns(options.initial_delay), "0 to max_delay");
  }
  if (!(options.factor >= 1.0 && options.factor <= 1000.0)) {
    return refuse_option("factor", std::to_string(options.factor), "1 to 1000");
  }
  if (!(options.jitter >= 0.0 && options.jitter <= 1.0)) {
    return refuse_option("jitter", std::to_string(options.jitter), "0 to 1");
  }
  return {};
}

/// The predicate that retry() uses by default: true unless trying again cannot help, that is if the
/// error, or one of its causes, is fatal, a validation, a type assertion, no data, an invalid event
/// or an unsupported event type.
struct WorthRetrying {
  /// True if another attempt may help.
  [[nodiscard]] bool operator()(const Status& failure) const noexcept {
    return !is_fatal(failure) && !is_validation(failure) && !is_type_assertion(failure) &&
           !is_no_data(failure) && !is_invalid_event(failure) &&
           !is_unsupported_event_type(failure);
  }
};

namespace detail {

/// Numbers in [0, 1), of a generator that each thread has for itself (splitmix64, by G. Steele,
/// D. Lea and C. Flood).
struct RandomShare {
  double operator()() const noexcept {
    static thread_local std::uint64_t state = seed(&state);
    std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111eb;
    return static_cast<double>((mixed ^ (mixed >> 31U)) >> 11U) * 0x1p-53;
  }

 private:
  static std::uint64_t seed(const void* here) noexcept {
    return reinterpret_cast<std::uintptr_t>(here) ^
           static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
};

/// How long to wait after the failure of attempt number `attempt`.
/// @param share  at random, in [0, 1)
inline std::chrono::nanoseconds retry_delay(const RetryOptions& options, unsigned attempt,
                                            double share) noexcept {
  double power = 1.0;  // factor to the (attempt - 1)th; may become infinite
  double square = options.factor;
  for (unsigned exponent = attempt - 1; exponent != 0; exponent >>= 1U, square *= square) {
    if ((exponent & 1U) != 0) power *= square;
  }
  const auto cap = static_cast<double>(options.max_delay.count());
  const auto first = static_cast<double>(options.initial_delay.count());
  const double raised = first > 0.0 ? first * power : 0.0;
  const double delay = cap < raised ? cap : raised;
  const double part = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
  const double kept = 1.0 - options.jitter * part;
  return std::chrono::nanoseconds{static_cast<std::int64_t>(delay * kept)};
}

/// A processor made by retry().
template <class Next, class Predicate, class Random>
class Retrying {
 public:
  static constexpr const char* middleware_name = "retry";
  using wrapped_type = Next;

  Retrying(const RetryOptions& options, Predicate predicate, Random random, Next next)
      : options_{options},
        worthwhile_(std::move(predicate)),
        random_(std::move(random)),
        next_(std::move(next)) {}

  template <class E>
  requires Handler<Next, E> Status operator()(const E& event, Context& context) {
    for (unsigned attempt = context.attempt();; ++attempt) {
      ContextAccess::set_attempt(context, attempt);
      Status status = handle_caught(next_, event, context);
      if (status.ok() || context.deferred() || !worthwhile_(status)) return status;
      if (attempt >= options_.max_attempts) return gave_up(status, attempt, "");
      const auto delay = retry_delay(options_, attempt, static_cast<double>(random_()));
      if (context.defer(delay)) return status;
      if (!ContextAccess::may_wait(context)) {
        return gave_up(status, attempt, ": another could not be arranged");
      }
      if (!context.wait_for(delay)) {
        return gave_up(status, attempt, ": a stop was requested, or the deadline is too near");
      }
    }
  }

 private:
  static Status gave_up(const Status& status, unsigned attempts, const char* why) noexcept {
    return explained(status, {"gave up after ", std::to_string(attempts),
                              attempts == 1 ? " attempt" : " attempts", why});
  }

  RetryOptions options_;
  [[no_unique_address]] Predicate worthwhile_;
  [[no_unique_address]] Random random_;
  [[no_unique_address]] Next next_;
};

/// A middleware made by retry().
template <class Predicate, class Random>
class Retry : public MiddlewareBase {
 public:
  Retry(const RetryOptions& options, Predicate predicate, Random random)
      : options_{options}, predicate_(std::move(predicate)), random_(std::move(random)) {}

  template <MaybeCallable Next>
  [[nodiscard]] auto operator()(Next next) const {
    return Retrying<Next, Predicate, Random>{options_, predicate_, random_, std::move(next)};
  }

 private:
  RetryOptions options_;
  [[no_unique_address]] Predicate predicate_;
  [[no_unique_address]] Random random_;
};

}  // namespace detail

/// A middleware that has a processor called again for an event at which it failed, with delays that
/// grow exponentially.
///
/// Asynchronously no thread waits: the failed attempt returns, the bus's timer brings the event back
/// to this subscription alone, and everything around the retry sees each attempt as a call of its
/// own, with Context::attempt() 1, 2, ... and Context::deferred() after a failure that is not final.
/// In publish_sync, and with a context made by hand, it repeats in place with Context::wait_for; what
/// is around it sees one call, and afterwards the last attempt() of it.
///
/// The last failure keeps its kind, says how many attempts there were, and has the original as its
/// cause. A failure that is not worth retrying is handed on as it is.
///
/// Example: examples/processing/failures.cpp.
///
/// @param options    see RetryOptions
/// @param predicate  `bool(const Status&)`: whether to try again after that failure. Called by several
///                   workers at once; what it throws replaces the failure
/// @param random     returns numbers in [0, 1) for the jitter; called by several workers at once
/// @throws std::invalid_argument  an option is out of range; names it, its value, what is allowed
/// @par Blocking     asynchronously never; else for the delays, until a stop is requested or the
///                   deadline would pass
/// @par Thread safety  the processor it makes may be called by any number of threads
/// @par Complexity   O(1), no allocation of its own unless the processor fails
/// @par Ordering     while an event waits for its next attempt, later ones overtake it
template <std::predicate<const Status&> Predicate = WorthRetrying,
          std::invocable Random = detail::RandomShare>
[[nodiscard]] detail::Retry<Predicate, Random> retry(const RetryOptions& options = {},
                                                     Predicate predicate = {}, Random random = {}) {
  return {detail::require_valid("RetryOptions", options), std::move(predicate), std::move(random)};
}

}  // namespace gossip
