// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// CallWatch: looks after the time of one running call. Layer: processing.

#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/dispatch/timer.hpp>

#include <exception>
#include <stop_token>

namespace gossip::detail {

/// The call that is watched. Refers to what its thread holds.
struct WatchedCall {
  void* processor;
  const void* event;
  const Context* context;  ///< around the call
  void (*stalled)(const WatchedCall& call) noexcept;
};

/// While it lives, a call is running: at `deadline` its stop_token is tripped, and if it still runs
/// at `stall` that is told, once each, on the timer's thread. A stop of the context around it trips
/// the token too.
///
/// What the timer runs refers to this object, which therefore waits, in its destructor, for a task
/// of it that has begun. Such a task runs no code of users but their stop callbacks, for which a
/// std::stop_callback has to wait anyway; whatever else they want to be told has to go through a
/// task that does not belong to the call.
/// @tparam Call  WatchedCall. So only who uses timeout() compiles any of this.
template <class Call = WatchedCall>
class CallWatch {
 public:
  /// @throws std::bad_alloc, std::system_error (no thread)
  CallWatch(Timer& timer, const Call& call, SteadyTime deadline, SteadyTime stall)
      : timer_{timer}, call_{call}, stall_{stall} {
    // (1) The task may begin before its id is stored; it does not look at it.
    deadline_task_ = timer_.schedule(deadline, [this] { deadline_passed(); });
  }
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;
  ~CallWatch() {
    if (deadline_task_.serial == 0 || timer_.cancel(deadline_task_)) return;
    // (2) The first task has ended, so what it scheduled is known.
    if (stall_task_.serial != 0) timer_.cancel(stall_task_);
  }

  [[nodiscard]] const std::stop_token& stop_token() const noexcept { return token_; }

 private:
  struct Forward {
    std::stop_source* to;
    void operator()() const noexcept { to->request_stop(); }
  };

  void deadline_passed() noexcept {
    stop_.request_stop();
    try {
      stall_task_ = timer_.schedule(stall_, [this] { call_.stalled(call_); });
    } catch (const std::exception&) {
      call_.stalled(call_);  // too early, which is better than never
    }
  }

  Timer& timer_;
  const Call call_;
  const SteadyTime stall_;
  std::stop_source stop_;
  const std::stop_token token_ = stop_.get_token();
  const std::stop_callback<Forward> outer_{call_.context->stop_token(), Forward{&stop_}};
  TimerId deadline_task_;
  TimerId stall_task_;  ///< written by the first task
};

}  // namespace gossip::detail
