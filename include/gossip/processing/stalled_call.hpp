// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StalledCall: a call that runs far too long, as timeout() reports it. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/condition_variable.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/timer.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace gossip {

/// A call that still runs although twice its limit has passed. Refers to nothing of the call, which
/// may have ended by now.
struct StalledCall {
  std::string event_type;          ///< the event's
  EventId event_id;                ///< the event's
  SubscriptionId subscription;     ///< whose processor it is
  std::string subscription_name;   ///< SubscribeOptions::name
  unsigned attempt = 1;            ///< 1 for the first call for this event
  std::chrono::nanoseconds limit;  ///< what the call was allowed
};

namespace detail {

/// Stands for nobody who wants to be told.
struct NoStallReport {
  void operator()(const StalledCall& /*call*/) const noexcept {}
};

/// The report that this thread is making; null for none.
inline constinit thread_local const void* current_stall_report = nullptr;

/// Tells a user's `OnStalled` of stalled calls, in tasks of a timer of which no call waits. The last
/// copy of it waits for a report under way, unless it is destroyed from inside that report; nothing
/// is reported afterwards.
template <class OnStalled>
class StallReports {
 public:
  explicit StallReports(OnStalled on_stalled)
      : state_{close_at_end(std::make_shared<State>(std::move(on_stalled)))} {}

  /// @param failed  called if `OnStalled` throws; must not throw
  /// @throws        std::bad_alloc
  template <std::invocable Failed>
  void send(Timer& timer, StalledCall call, Failed failed) const {
    timer.schedule(SteadyTime::min(), [state = state_->shared_from_this(), call = std::move(call),
                                       failed = std::move(failed)] {
      if (!state->report(call)) failed();
    });
  }

 private:
  class State : public std::enable_shared_from_this<State> {
   public:
    explicit State(OnStalled on_stalled) : on_stalled_(std::move(on_stalled)) {}

    /// @return false if the user's code threw
    bool report(const StalledCall& call) noexcept {
      {
        const std::lock_guard lock{mutex_};
        if (closed_) return true;
        ++running_;
      }
      const void* const outer = std::exchange(current_stall_report, this);
      const bool done = tell(call);
      current_stall_report = outer;
      const std::lock_guard lock{mutex_};
      --running_;
      changed_.notify_all();
      return done;
    }

    void close() noexcept {
      std::unique_lock lock{mutex_};
      closed_ = true;
      const std::size_t own = current_stall_report == this ? 1 : 0;
      while (running_ != own) changed_.wait(lock);
    }

   private:
    bool tell(const StalledCall& call) noexcept {
      try {
        on_stalled_(call);
        return true;
      } catch (...) {
        return false;
      }
    }

    std::mutex mutex_;
    ConditionVariable changed_;
    std::size_t running_ = 0;  // reports
    bool closed_ = false;
    OnStalled on_stalled_;
  };

  /// The processor's way to its reports; when the last copy goes, they end.
  static std::shared_ptr<State> close_at_end(const std::shared_ptr<State>& state) {
    return {state.get(), [state](State* closing) { closing->close(); }};
  }

  std::shared_ptr<State> state_;
};

/// Nobody wants to be told.
template <>
class StallReports<NoStallReport> {
 public:
  explicit StallReports(NoStallReport /*nobody*/) noexcept {}
};

}  // namespace detail
}  // namespace gossip
