// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Context: what a processor may ask about the call it is in. Layer: core.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/condition_variable.hpp>
#include <gossip/core/subscription_id.hpp>

#include <mutex>
#include <stop_token>
#include <string_view>

namespace gossip {

namespace detail {

class Timer;
struct ContextAccess;
struct ContextSupport;

/// What whoever makes a call can do for it. Null members: it cannot.
struct ContextOperations {
  /// The time by the clock behind the call; null stands for the steady clock.
  SteadyTime (*now)(const ContextSupport& call) noexcept = nullptr;
  /// Arranges another attempt; see Context::defer. Null where a call may wait in place instead.
  bool (*defer)(ContextSupport& call, std::chrono::nanoseconds delay) noexcept = nullptr;
  /// The timer that goes by `now`.
  Timer* (*timer)(const ContextSupport& call) noexcept = nullptr;
  /// Waits until that time by `now`; false once a stop is requested. Null: waits in real time.
  bool (*wait)(ContextSupport& call, const std::stop_token& stop, SteadyTime until) = nullptr;
  /// The name of the subscription that is being served.
  std::string_view (*name)(const ContextSupport& call) noexcept = nullptr;
};

/// What the contexts of one call share. Outlives them.
struct ContextSupport {
  const ContextOperations* operations = nullptr;  ///< null: a context made by hand
  bool deferred = false;                          ///< another attempt has been arranged
};

/// `time + delay`, or the end of time where that is sooner. A negative delay counts as none.
[[nodiscard]] constexpr SteadyTime later(SteadyTime time, std::chrono::nanoseconds delay) noexcept {
  if (delay <= std::chrono::nanoseconds::zero()) return time;
  return time < SteadyTime::max() - delay ? time + delay : SteadyTime::max();
}

/// Sleeps until `time`. A template, so that only its users pay for compiling it.
/// @return  false if a stop was requested first
template <class Time>
bool sleep_unless_stopped(const std::stop_token& stop, Time time) {
  std::mutex mutex;
  ConditionVariable stopped;
  const std::stop_callback wake{stop, [&] {
                                  const std::lock_guard lock{mutex};
                                  stopped.notify_all();
                                }};
  std::unique_lock lock{mutex};
  while (!stop.stop_requested()) {
    if (!stopped.wait_until(lock, time)) return !stop.stop_requested();
  }
  return false;
}

}  // namespace detail

/// What surrounds one call of a processor: whether to stop, by when to be done, which attempt it
/// is and for which subscription; and how to ask for another attempt. Lives as long as the call.
///
/// Thread safety: const members from any thread during the call; defer() and wait_for() on the
/// thread of the call.
class Context {
 public:
  /// For use by gossip and by tests of processors.
  /// @param stop      outlives the context
  /// @param deadline  SteadyTime::max() for none
  /// @param support   who makes the call; null for a context made by hand
  explicit Context(const std::stop_token& stop, SteadyTime deadline = SteadyTime::max(),
                   unsigned attempt = 1, SubscriptionId subscription = {},
                   detail::ContextSupport* support = nullptr) noexcept
      : stop_{&stop},
        deadline_{deadline},
        attempt_{attempt},
        subscription_{subscription},
        support_{support} {}
  /// A context refers to its token: a temporary one, such as `source.get_token()`, needs a name.
  explicit Context(const std::stop_token&& stop, SteadyTime deadline = {}, unsigned attempt = {},
                   SubscriptionId subscription = {},
                   detail::ContextSupport* support = {}) = delete;  // give the token a name

  /// True once the bus shuts down past its deadline, the publisher requested a stop, or a limit of
  /// time around the processor has run out.
  [[nodiscard]] bool stop_requested() const noexcept { return stop_->stop_requested(); }
  /// The token behind stop_requested(), for waiting and for callbacks.
  [[nodiscard]] const std::stop_token& stop_token() const noexcept { return *stop_; }
  /// By when the call should be done, in the time of now(); SteadyTime::max() if there is no limit.
  [[nodiscard]] SteadyTime deadline() const noexcept { return deadline_; }
  /// 1 for the first call for an event, 2 for the first retry. After a call inside which attempts were
  /// repeated in place: the last of them.
  [[nodiscard]] unsigned attempt() const noexcept { return attempt_; }
  /// The subscription that is being served.
  [[nodiscard]] SubscriptionId subscription() const noexcept { return subscription_; }
  /// Its SubscribeOptions::name; empty if no bus makes the call. Valid during the call.
  [[nodiscard]] std::string_view subscription_name() const noexcept {
    const detail::ContextOperations* can = operations();
    return can != nullptr && can->name != nullptr ? can->name(*support_) : std::string_view{};
  }
  /// The time by the bus's clock; by the steady clock if no bus makes the call.
  [[nodiscard]] SteadyTime now() const noexcept {
    const detail::ContextOperations* can = operations();
    return can != nullptr && can->now != nullptr ? can->now(*support_)
                                                 : std::chrono::steady_clock::now();
  }
  /// True once another attempt for this event has been arranged: the failure that the processor
  /// then reports is not final.
  [[nodiscard]] bool deferred() const noexcept { return support_ != nullptr && support_->deferred; }

  /// Arranges that this subscription's processor is called again for this event, with attempt() one
  /// higher, after `delay`. No thread waits meanwhile. The processor then reports why this attempt
  /// failed.
  /// @param delay     a negative one counts as none
  /// @return          true if it is arranged, or was already, whatever the delay then; false if that
  ///                  is impossible: nobody could (publish_sync, a context made by hand), the payload
  ///                  cannot be copied, too many wait already, the bus shuts down
  /// @throws          nothing
  /// @par Blocking    never longer than a short lock
  bool defer(std::chrono::nanoseconds delay) noexcept {
    if (deferred()) return true;
    const detail::ContextOperations* can = operations();
    if (can == nullptr || can->defer == nullptr) return false;
    const auto positive =
        delay < std::chrono::nanoseconds::zero() ? std::chrono::nanoseconds{} : delay;
    return support_->deferred = can->defer(*support_, positive);
  }

  /// Waits in place, by the bus's clock. Not for asynchronous processors, whose worker it holds up:
  /// see defer().
  /// @param delay   a negative one counts as none
  /// @return        false, and at once, if the deadline would pass meanwhile or a stop is requested
  /// @throws        std::bad_alloc, std::system_error
  /// @par Blocking  for `delay`, or until a stop is requested
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> delay) {
    const SteadyTime start = now();
    const SteadyTime until = detail::later(start, delay);
    if (stop_requested() || until > deadline_) return false;
    if (until <= start) return true;
    const detail::ContextOperations* can = operations();
    if (can != nullptr && can->wait != nullptr) return can->wait(*support_, *stop_, until);
    return detail::sleep_unless_stopped(
        *stop_, detail::later(std::chrono::steady_clock::now(), until - start));
  }

  /// A context for a call inside this one, of the same delivery. Refers to what this one refers to.
  /// @{
  [[nodiscard]] Context with_attempt(unsigned attempt) const noexcept {
    Context inner = *this;
    inner.attempt_ = attempt;
    return inner;
  }
  /// @param stop  outlives the new context
  [[nodiscard]] Context with_stop(const std::stop_token& stop, SteadyTime deadline) const noexcept {
    Context inner = *this;
    inner.stop_ = &stop;
    inner.deadline_ = deadline;
    return inner;
  }
  Context with_stop(const std::stop_token&& stop, SteadyTime deadline) const = delete;
  /// @}

 private:
  friend struct detail::ContextAccess;

  [[nodiscard]] const detail::ContextOperations* operations() const noexcept {
    return support_ != nullptr ? support_->operations : nullptr;
  }

  const std::stop_token* stop_;
  SteadyTime deadline_;
  unsigned attempt_;
  SubscriptionId subscription_;
  detail::ContextSupport* support_;
};

namespace detail {

/// What gossip's own components ask of a context.
struct ContextAccess {
  /// The timer that goes by context.now(); null if there is none.
  [[nodiscard]] static Timer* timer(const Context& context) noexcept {
    const ContextOperations* can = context.operations();
    return can != nullptr && can->timer != nullptr ? can->timer(*context.support_) : nullptr;
  }
  /// True if the call may wait in place: whoever makes it could not arrange another attempt.
  [[nodiscard]] static bool may_wait(const Context& context) noexcept {
    const ContextOperations* can = context.operations();
    return can == nullptr || can->defer == nullptr;
  }
  /// Begins another attempt in place.
  static void set_attempt(Context& context, unsigned attempt) noexcept {
    context.attempt_ = attempt;
  }
};

}  // namespace detail
}  // namespace gossip
