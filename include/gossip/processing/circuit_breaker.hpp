// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// circuit_breaker: stops calling a processor that keeps failing, for a while. Layer: processing.

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
#include <concepts>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace gossip {

/// Whether a circuit breaker lets calls through.
enum class CircuitState : std::uint8_t {
  closed,     ///< every call
  open,       ///< none
  half_open,  ///< a few, to see whether the processor works again
};

/// "closed", "open" or "half_open"; static storage.
[[nodiscard]] constexpr const char* to_string(CircuitState state) noexcept {
  return state == CircuitState::closed ? "closed"
         : state == CircuitState::open ? "open"
                                       : "half_open";
}

/// What can be chosen for circuit_breaker().
struct CircuitBreakerOptions {
  /// After how many failures in a row it opens; at least 1. // calls
  unsigned failure_threshold = 5;
  /// How long it stays open before it is half open, 0 to 365 days.
  std::chrono::nanoseconds open_for = std::chrono::seconds{30};
  /// How many calls it lets through while it is half open; if all of them succeed it closes, with
  /// the first that fails it opens again. At least 1. // calls
  unsigned probes = 1;
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const CircuitBreakerOptions& options) {
  using detail::refuse_option;
  if (options.failure_threshold < 1) return refuse_option("failure_threshold", "0", "1 or more");
  if (options.open_for < std::chrono::nanoseconds::zero() ||
      options.open_for > std::chrono::hours{24 * 365}) {
    return refuse_option("open_for", std::to_string(options.open_for.count()) + " ns",
                         "0 to 365 days");
  }
  if (options.probes < 1) return refuse_option("probes", "0", "1 or more");
  return {};
}

/// The predicate that circuit_breaker() uses by default: true for every failure but those that are
/// the event's own fault: a validation, a type assertion, no data, an invalid event, an unsupported
/// event type.
struct TripsCircuit {
  /// True if `failure` counts.
  [[nodiscard]] bool operator()(const Status& failure) const noexcept {
    return !is_validation(failure) && !is_type_assertion(failure) && !is_no_data(failure) &&
           !is_invalid_event(failure) && !is_unsupported_event_type(failure);
  }
};

/// Told of no change; what circuit_breaker() uses by default.
struct IgnoreCircuitChange {
  /// Does nothing.
  constexpr void operator()(CircuitState, CircuitState) const noexcept {}
};

namespace detail {

/// The state of one circuit breaker. While it is closed a successful call costs two reads of shared
/// memory that nobody writes; everything else takes a short lock, never around user code.
class Circuit {
 public:
  explicit Circuit(const CircuitBreakerOptions& options) noexcept : options_{options} {}

  SharedCount count;  ///< of the copies of a processor

  /// A change of the state; from == to: none.
  struct Change {
    CircuitState from = CircuitState::closed;
    CircuitState to = CircuitState::closed;
  };
  /// What a call has to bring back.
  struct Ticket {
    std::uint64_t phase;
    bool admitted;
    Change change;
  };

  /// Asks whether a call may be made.
  Ticket enter(const Context& context) {
    // (1) acquire: pairs with (3), so that what belongs to the phase is seen
    const std::uint64_t phase = phase_.load(std::memory_order_acquire);
    if (state_of(phase) == CircuitState::closed) [[likely]]
      return {phase, true, {}};
    const SteadyTime now = context.now();
    const std::lock_guard lock{mutex_};
    return enter_locked(now);
  }

  /// Reports what came of a call that was admitted.
  Change leave(std::uint64_t phase, bool failed, const Context& context) {
    if (state_of(phase) == CircuitState::closed) {
      // (2) relaxed: a call of another phase has no say; that a phase ends just now does no harm,
      // since a new one clears the count
      if (phase_.load(std::memory_order_relaxed) != phase) return {};
      if (!failed) {
        if (failures_.load(std::memory_order_relaxed) != 0) {
          failures_.store(0, std::memory_order_relaxed);
        }
        return {};
      }
      const unsigned failures = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
      if (failures < options_.failure_threshold) return {};
    }
    const SteadyTime now = context.now();
    const std::lock_guard lock{mutex_};
    if (phase_.load(std::memory_order_relaxed) != phase) return {};
    if (failed) {
      open_until_ = later(now, options_.open_for);
      return change_to(CircuitState::open);
    }
    return ++succeeded_ == options_.probes ? change_to(CircuitState::closed) : Change{};
  }

 private:
  static CircuitState state_of(std::uint64_t phase) noexcept {
    return static_cast<CircuitState>(phase % 4);
  }

  Ticket enter_locked(SteadyTime now) {
    Change change;
    std::uint64_t phase = phase_.load(std::memory_order_relaxed);
    if (state_of(phase) == CircuitState::open && now >= open_until_) {
      change = change_to(CircuitState::half_open);
      phase = phase_.load(std::memory_order_relaxed);
    }
    const bool admitted = state_of(phase) == CircuitState::closed ||
                          (state_of(phase) == CircuitState::half_open && begun_ < options_.probes);
    if (admitted) ++begun_;
    return {phase, admitted, change};
  }

  /// Begins a phase: a number that never comes again, and the state in its last two bits.
  Change change_to(CircuitState state) noexcept {
    const std::uint64_t phase = phase_.load(std::memory_order_relaxed);
    failures_.store(0, std::memory_order_relaxed);
    begun_ = 0;
    succeeded_ = 0;
    const std::uint64_t next = (phase / 4 + 1) * 4 + static_cast<std::uint64_t>(state);
    phase_.store(next, std::memory_order_release);  // (3) pairs with (1)
    return {state_of(phase), state};
  }

  const CircuitBreakerOptions options_;
  std::atomic<std::uint64_t> phase_{0};
  std::atomic<unsigned> failures_{0};  // in a row, while closed
  std::mutex mutex_;
  SteadyTime open_until_{};
  unsigned begun_ = 0;      // probes
  unsigned succeeded_ = 0;  // probes
};

/// A processor made by circuit_breaker().
template <class Next, class Predicate, class OnChange>
class CircuitBroken {
 public:
  static constexpr const char* middleware_name = "circuit_breaker";
  using wrapped_type = Next;

  CircuitBroken(const CircuitBreakerOptions& options, Predicate trips, OnChange on_change,
                Next next)
      : trips_(std::move(trips)),
        on_change_(std::move(on_change)),
        refused_{RetryableError{"circuit breaker is open"}},
        circuit_{new Circuit{options}},
        next_(std::move(next)) {}

  template <class E>
    requires(Handler<Next, E>)
  Status operator()(const E& event, Context& context) {
    const Circuit::Ticket ticket = circuit_->enter(context);
    tell(ticket.change);
    if (!ticket.admitted) return refused_;
    return handle_observed(next_, event, context, [&](const Status& status) {
      const bool failed = !status.ok() && std::as_const(trips_)(status);
      tell(circuit_->leave(ticket.phase, failed, context));
    });
  }

 private:
  void tell(Circuit::Change change) const {
    if (change.from != change.to) [[unlikely]]
      on_change_(change.from, change.to);
  }

  [[no_unique_address]] Predicate trips_;
  [[no_unique_address]] OnChange on_change_;
  Status refused_;
  Shared<Circuit> circuit_;
  Next next_;
};

template <class Predicate, class OnChange>
class CircuitBreaker : public MiddlewareBase {
 public:
  CircuitBreaker(const CircuitBreakerOptions& options, Predicate trips, OnChange on_change)
      : options_{options}, trips_(std::move(trips)), on_change_(std::move(on_change)) {}

  template <MaybeCallable P>
  [[nodiscard]] auto operator()(P next) const {
    return CircuitBroken<P, Predicate, OnChange>{options_, trips_, on_change_, std::move(next)};
  }

 private:
  CircuitBreakerOptions options_;
  [[no_unique_address]] Predicate trips_;
  [[no_unique_address]] OnChange on_change_;
};

}  // namespace detail

/// A middleware that stops calling a processor which keeps failing, so that what it depends on can
/// recover: after a number of failures in a row it opens and fails every event at once, with
/// Errc::retryable; after a time it lets a few through, and closes if they succeed. Each processor
/// that it wraps has a breaker of its own; copies of the wrapped processor share it.
///
/// Example: examples/processing/composing.cpp.
///
/// @param options      see CircuitBreakerOptions
/// @param trips        `bool(const Status&)`: whether that failure counts. Another one counts as a
///                     success. Called by several workers at once; must not throw
/// @param on_change    `void(CircuitState from, CircuitState to)`: told of each change, on the thread
///                     of the call that caused it, without a lock: two changes made by two threads may
///                     be told in either order. Must not throw
/// @throws             std::invalid_argument, which names the option, its value and what is allowed
/// @par Blocking       a mutex that is held for some instructions, only while it is not closed or when
///                     it opens; never while user code runs
/// @par Thread safety  the processor it makes may be called by any number of threads
/// @par Complexity     O(1), no allocation unless the processor throws; the clock is read only while
///                     it is not closed, and when it opens
template <std::predicate<const Status&> Predicate = TripsCircuit,
          std::invocable<CircuitState, CircuitState> OnChange = IgnoreCircuitChange>
[[nodiscard]] detail::CircuitBreaker<Predicate, OnChange> circuit_breaker(
    const CircuitBreakerOptions& options = {}, Predicate trips = {}, OnChange on_change = {}) {
  return {detail::require_valid("CircuitBreakerOptions", options), std::move(trips),
          std::move(on_change)};
}

}  // namespace gossip
