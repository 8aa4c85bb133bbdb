// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ConditionVariable: std::condition_variable, as far as it is used here. Layer: core.

#include <gossip/config.hpp>
#include <gossip/core/clock.hpp>

#include <mutex>

#if defined(GOSSIP_GLIBC_THREADS)
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <pthread.h>
#else
#include <condition_variable>
#endif

namespace gossip::detail {

#if defined(GOSSIP_GLIBC_THREADS)

/// What std::condition_variable is, on what that is made of. The standard's header has another class,
/// for which everybody would compile a std::shared_ptr of a mutex, and converts the times of all clocks.
///
/// Thread safety: as std::condition_variable.
class ConditionVariable {
 public:
  ConditionVariable() noexcept = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;
  ~ConditionVariable() { pthread_cond_destroy(&condition_); }

  void notify_one() noexcept { pthread_cond_signal(&condition_); }
  void notify_all() noexcept { pthread_cond_broadcast(&condition_); }

  /// Sleeps until notified, or for no reason. @pre this thread holds the lock
  void wait(std::unique_lock<std::mutex>& lock) noexcept {
    pthread_cond_wait(&condition_, lock.mutex()->native_handle());
  }
  /// The same, until `time` at the latest. @return false if that has come
  bool wait_until(std::unique_lock<std::mutex>& lock, SteadyTime time) noexcept {
    const std::int64_t ns = time.time_since_epoch().count();
    std::timespec until{};
    if (ns > 0) {
      until.tv_sec = static_cast<std::time_t>(ns / 1'000'000'000);
      until.tv_nsec = static_cast<long>(ns % 1'000'000'000);
    }
    return pthread_cond_clockwait(&condition_, lock.mutex()->native_handle(), CLOCK_MONOTONIC,
                                  &until) != ETIMEDOUT;
  }

 private:
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
};

#else

/// What std::condition_variable is.
///
/// Thread safety: as that.
class ConditionVariable {
 public:
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

  /// Sleeps until notified, or for no reason. @pre this thread holds the lock
  void wait(std::unique_lock<std::mutex>& lock) { condition_.wait(lock); }
  /// The same, until `time` at the latest. @return false if that has come
  bool wait_until(std::unique_lock<std::mutex>& lock, SteadyTime time) {
    return condition_.wait_until(lock, time) == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable condition_;
};

#endif

}  // namespace gossip::detail
