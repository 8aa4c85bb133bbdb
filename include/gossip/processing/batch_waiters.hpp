// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BatchWaiters: threads that wait for a batch to make progress. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/condition_variable.hpp>
#include <gossip/dispatch/current_thread.hpp>

#include <cstddef>
#include <mutex>

namespace gossip::detail {

/// A condition variable that knows whether somebody waits. A bus's worker does not merely wait: it
/// runs queued events of its bus meanwhile, and where there are none, sleeps no longer than 1 ms.
///
/// Thread safety: under the lock that is given to wait(), all.
class BatchWaiters {
 public:
  using Lock = std::unique_lock<std::mutex>;

  /// Makes those who wait look again.
  void wake() noexcept {
    if (count_ != 0) changed_.notify_all();
  }

  /// Waits for wake(), for `deadline`, or for no apparent reason; unlocks meanwhile.
  /// @param worth_it  asked under the lock before sleeping, since a worker has unlocked it
  /// @return          false if the thread is a worker nested too deep to run events
  template <class Condition>
  bool wait(Lock& lock, SteadyTime deadline, Condition&& worth_it) {
    Help help = Help::no_event;
    if (current_thread.worker_of != nullptr) {
      lock.unlock();
      help = current_thread.help(current_thread.worker_of);
      lock.lock();
      if (help == Help::ran || !worth_it()) return true;
      const SteadyTime latest = std::chrono::steady_clock::now() + longest_of_worker;
      if (latest < deadline) deadline = latest;
    }
    ++count_;
    if (deadline == SteadyTime::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, deadline);
    }
    --count_;
    return help != Help::too_deep;
  }

  /// True once the time has come; never for SteadyTime::max().
  [[nodiscard]] static bool over(SteadyTime deadline) noexcept {
    return deadline != SteadyTime::max() && std::chrono::steady_clock::now() >= deadline;
  }

 private:
  static constexpr std::chrono::milliseconds longest_of_worker{1};

  ConditionVariable changed_;
  std::size_t count_ = 0;
};

}  // namespace gossip::detail
