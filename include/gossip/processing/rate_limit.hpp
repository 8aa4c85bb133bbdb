// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// rate_limit: a processor is called no more often than at a given rate. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/shared.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/processing/failure.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace gossip {

/// What can be chosen for rate_limit().
struct RateLimitOptions {
  /// How many calls there may be per `period`, in the long run; at least 1, and so few that there is
  /// at most one per 100 ns. // calls
  std::size_t rate = 100;
  /// The time to which the rate refers, more than 0 and at most 365 days.
  std::chrono::nanoseconds period = std::chrono::seconds{1};
  /// How many calls there may be at once after a quiet time, 0 to 1000000000; 0 stands for `rate`.
  // calls
  std::size_t burst = 0;
  /// What becomes of an event that exceeds the rate.
  enum class Excess : std::uint8_t {
    refuse,  ///< it fails with Errc::retryable, "rate limit"
    defer,  ///< its next attempt comes when it is its turn; in publish_sync the call waits in place
  };
  Excess excess = Excess::refuse;  ///< see Excess
  /// How far the turn of a deferred event may lie ahead, 0 to 365 days; what would have to wait
  /// longer is refused.
  std::chrono::nanoseconds max_delay = std::chrono::minutes{1};
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const RateLimitOptions& options) {
  using detail::refuse_option;
  constexpr std::chrono::nanoseconds longest = std::chrono::hours{24 * 365};
  if (options.period <= std::chrono::nanoseconds::zero() || options.period > longest) {
    return refuse_option("period", std::to_string(options.period.count()) + " ns",
                         "more than 0, at most 365 days");
  }
  if (options.rate < 1 || options.rate > static_cast<std::uint64_t>(options.period.count()) / 100) {
    return refuse_option("rate", std::to_string(options.rate), "1 to one per 100 ns");
  }
  if (options.burst > 1'000'000'000) {
    return refuse_option("burst", std::to_string(options.burst), "0 to 1000000000");
  }
  if (static_cast<unsigned>(options.excess) > 1) {
    return refuse_option("excess", std::to_string(static_cast<unsigned>(options.excess)),
                         "refuse, defer");
  }
  if (options.max_delay < std::chrono::nanoseconds::zero() || options.max_delay > longest) {
    return refuse_option("max_delay", std::to_string(options.max_delay.count()) + " ns",
                         "0 to 365 days");
  }
  return {};
}

namespace detail {

/// A bucket into which a token falls at regular times, unless it is full. Kept as one number: when
/// the bucket will be full again (the generic cell rate algorithm, ITU-T I.371).
///
/// Lock-free.
class TokenBucket {
 public:
  explicit TokenBucket(const RateLimitOptions& options) noexcept {
    const auto rate = static_cast<std::int64_t>(options.rate);
    interval_ = (options.period.count() + rate - 1) / rate;
    const std::int64_t burst = options.burst == 0 ? rate : static_cast<std::int64_t>(options.burst);
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() / 4;
    tolerance_ = burst - 1 <= most / interval_ ? (burst - 1) * interval_ : most;
  }

  SharedCount count;  ///< of the copies of a processor

  /// Takes the next token, if it is there by `now + patience`.
  /// @return  how long after `now` it is there, 0 for at once; negative if none was taken
  std::chrono::nanoseconds take(SteadyTime now, std::chrono::nanoseconds patience) noexcept {
    const std::int64_t at = now.time_since_epoch().count();
    // (1) relaxed here and in (2) and (3): the number stands for itself and publishes nothing.
    std::int64_t full = full_at_.load(std::memory_order_relaxed);
    for (;;) {
      const std::int64_t begin = full > at ? full : at;
      const std::int64_t wait = begin - at - tolerance_;
      if (wait > patience.count()) return std::chrono::nanoseconds{-1};
      // (2)
      if (full_at_.compare_exchange_weak(full, begin + interval_, std::memory_order_relaxed)) {
        return std::chrono::nanoseconds{wait > 0 ? wait : 0};
      }
    }
  }
  /// Gives a token back that was not used.
  void give_back() noexcept { full_at_.fetch_sub(interval_, std::memory_order_relaxed); }  // (3)

  /// Notes that a call will come later for a token that was taken.
  void promise() noexcept { promised_.fetch_add(1, std::memory_order_relaxed); }
  /// @return  true if there was such a note; it is gone then
  bool redeem() noexcept {
    // (4) relaxed: only the number counts.
    std::size_t promised = promised_.load(std::memory_order_relaxed);
    while (promised != 0) {
      if (promised_.compare_exchange_weak(promised, promised - 1, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

 private:
  std::int64_t interval_;   // nanoseconds between tokens
  std::int64_t tolerance_;  // nanoseconds in which all but one of the tokens fall
  std::atomic<std::int64_t> full_at_{0};
  std::atomic<std::size_t> promised_{0};
};

/// A processor made by rate_limit().
template <class Next>
class RateLimited {
 public:
  static constexpr const char* middleware_name = "rate_limit";
  using wrapped_type = Next;

  RateLimited(const RateLimitOptions& options, Next next)
      : patience_{options.excess == RateLimitOptions::Excess::defer
                      ? options.max_delay
                      : std::chrono::nanoseconds::zero()},
        refused_{RetryableError{"rate limit"}},
        bucket_{new TokenBucket{options}},
        next_(std::move(next)) {}

  template <class E>
    requires(Handler<Next, E>)
  Status operator()(const E& event, Context& context) {
    TokenBucket& bucket = *bucket_;
    if (context.attempt() > 1 && bucket.redeem()) return handle(next_, event, context);
    const auto wait = bucket.take(context.now(), patience_);
    if (wait == std::chrono::nanoseconds::zero()) [[likely]]
      return handle(next_, event, context);
    if (wait < std::chrono::nanoseconds::zero()) return refused_;
    if (ContextAccess::may_wait(context)) {
      if (context.wait_for(wait)) return handle(next_, event, context);
    } else {
      bucket.promise();  // before another thread may come for it
      if (context.defer(wait)) return refused_;
      bucket.redeem();
    }
    bucket.give_back();
    return refused_;
  }

 private:
  std::chrono::nanoseconds patience_;
  Status refused_;
  Shared<TokenBucket> bucket_;
  Next next_;
};

class RateLimit : public MiddlewareBase {
 public:
  explicit RateLimit(const RateLimitOptions& options) noexcept : options_{options} {}

  template <MaybeCallable P>
  [[nodiscard]] auto operator()(P next) const {
    return RateLimited<P>{options_, std::move(next)};
  }

 private:
  RateLimitOptions options_;
};

}  // namespace detail

/// A middleware that has its processor called no more often than at a given rate (a token bucket).
/// Each processor that it wraps has a bucket of its own, which is full at the beginning; copies of
/// the wrapped processor share it.
///
/// With Excess::defer an event takes its turn when it first comes, so deferred ones come back one by
/// one, in that order, and are not put off again. Each deferral counts as an attempt: with retry()
/// further in, give that one attempt more, or refuse and put retry() outside.
///
/// Example: examples/processing/composing.cpp.
///
/// @param options      see RateLimitOptions
/// @throws             std::invalid_argument, which names the option, its value and what is allowed
/// @par Blocking       asynchronously never; with Excess::defer in publish_sync until its turn, a
///                     stop or the deadline
/// @par Thread safety  the processor it makes may be called by any number of threads
/// @par Progress       lock-free
/// @par Complexity     O(1); one reading of the clock and one atomic operation per call, no allocation
[[nodiscard]] inline detail::RateLimit rate_limit(const RateLimitOptions& options = {}) {
  return detail::RateLimit{detail::require_valid("RateLimitOptions", options)};
}

}  // namespace gossip
