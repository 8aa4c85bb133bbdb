// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// WaitGate: lets rare waiters sleep until a condition holds, at the price of one load for the
/// frequent side. Layer: queue.

#include <gossip/core/chrono.hpp>
#include <gossip/queue/platform.hpp>

#include <cstdint>
#include <mutex>

namespace gossip::detail {

/// How the state behind a gate's condition is changed, which decides about its fences.
enum class Changes : std::uint8_t {
  by_stores,              ///< of any kind: waiters make a heavy fence
  by_read_modify_writes,  ///< seq_cst ones, which are read seq_cst: nobody needs a fence
};

/// An event count. The frequent side changes the state behind the condition, then calls `notify()`;
/// a waiter registers, fences, and looks at the state again before it sleeps.
///
/// Thread safety: any thread. Progress: `has_waiters` is wait-free; the rest blocks on a mutex.
template <class Platform = NativePlatform, Changes changes = Changes::by_stores>
class WaitGate {
 public:
  /// True if somebody waits. To be called after the state has been changed and, if that was by
  /// stores, a light fence has been passed, the counterpart of (3).
  [[nodiscard]] bool has_waiters() const noexcept {
    return waiters_.load(std::memory_order_seq_cst) != 0;  // (1) Dekker with (2)
  }

  /// Makes every waiter look at its condition.
  void notify_all() noexcept {
    { const std::lock_guard lock{mutex_}; }  // a waiter that looked in vain is asleep by now
    changed_.notify_all();
  }

  /// Makes one waiter look at its condition.
  void notify_one() noexcept {
    { const std::lock_guard lock{mutex_}; }  // as above
    changed_.notify_one();
  }

  /// Makes every waiter look, if there is one. To be called after the state has been changed.
  void notify() noexcept {
    if constexpr (changes == Changes::by_stores) Platform::light_fence();  // Dekker with (3)
    if (has_waiters()) notify_all();
  }

  /// Sleeps until `condition()` holds or the time has come. `condition` runs under the gate's lock
  /// and must be short, and ours.
  /// @return  what `condition()` said last
  template <class Condition, class TimePoint>
  bool wait_until(const TimePoint& time, Condition&& condition) {
    std::unique_lock lock{mutex_};
    waiters_.fetch_add(1, std::memory_order_seq_cst);                      // (2) read by (1)
    if constexpr (changes == Changes::by_stores) Platform::heavy_fence();  // (3) see notify()
    bool holds = condition();
    while (!holds && wait_on(lock, time)) holds = condition();
    if (!holds) holds = condition();
    waiters_.fetch_sub(1, std::memory_order_relaxed);
    return holds;
  }

 private:
  /// @return false once the time has come
  template <class Lock, class TimePoint>
  bool wait_on(Lock& lock, const TimePoint& time) {
    if (time == TimePoint::max()) {
      changed_.wait(lock);
      return true;
    }
    return changed_.wait_until(lock, time);
  }

  typename Platform::template Atomic<std::uint32_t> waiters_{0};
  typename Platform::Mutex mutex_;
  typename Platform::ConditionVariable changed_;
};

}  // namespace gossip::detail
