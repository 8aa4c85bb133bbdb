// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SpaceGate: where publishers wait until a full queue has space, and who of them goes on.
/// Layer: queue.

#include <gossip/core/chrono.hpp>
#include <gossip/queue/platform.hpp>
#include <gossip/queue/wait_gate.hpp>

#include <atomic>
#include <bit>
#include <cstdint>

namespace gossip::detail {

/// Publishers that refill a queue side by side take its cache lines from one another, and those that
/// watch it take the processors from the consumers: eight on two processors made an event cost three
/// times what one does. So
///
/// 1. one of those that wait *watches* the queue: it gives other threads turns, and goes on as soon
///    as half of the queue is free. The others sleep at once;
/// 2. while somebody watches, consumers wake nobody. Otherwise they wake one when half of the queue
///    is free, since one can keep several consumers busy; another one each time that what is left
///    has halved again, and all when nothing is left;
/// 3. who has watched and goes on wakes one of the others, unless that was done within the last
///    0.1 ms: so the luckier ones cannot starve it. Besides, a sleeper looks again after a
///    millisecond.
///
/// No wake-up is lost: who stops watching says so, then counts as a waiter, then looks at the queue;
/// a consumer takes a value, then looks for waiters and for who watches. All are sequentially
/// consistent; or, if values are taken by plain stores, there is a light fence after them, and who
/// waits makes a heavy one.
///
/// Several queues may share a gate. The one that is woken when half of a queue is free may then be
/// one that waits for another; who sleeps beside an empty queue is always woken. `Queue` has size(),
/// capacity() and tail() as MpmcQueue has; the tail is changed by sequentially consistent
/// read-modify-writes.
///
/// Thread safety: any thread. Progress: has_waiters() is wait-free; the rest blocks on a mutex.
template <class Platform = NativePlatform>
class SpaceGate {
 public:
  /// How consumers change the queues' heads, by_read_modify_writes if it is not said.
  /// @pre nobody uses the gate yet
  void heads_change(Changes how) noexcept { heads_ = how; }

  /// Waits until half of `queue` is free, or `stop()`, or a millisecond has gone by; perhaps less.
  /// @param stop  short, and ours: runs under the gate's lock
  template <class Queue, class Stop>
  void wait(const Queue& queue, Stop&& stop) {
    const auto worth_a_look = [&] { return queue.size() <= queue.capacity() / 2 || stop(); };
    std::uintptr_t nobody = 0;
    if (watched_.load(std::memory_order_relaxed) == nobody &&
        watched_.compare_exchange_strong(nobody, name_of(queue))) {
      const bool holds = Platform::take_turns_until(worth_a_look, looks);
      const bool wake_another = holds && has_waiters() && is_their_turn();
      watched_.store(0, std::memory_order_seq_cst);  // (1) read by (2)
      if (wake_another) {
        called_.fetch_add(1, std::memory_order_seq_cst);
        sleepers_.notify_one();
      }
      if (holds) return;
    }
    const std::uint32_t called = called_.load(std::memory_order_seq_cst);
    bool fenced = heads_ != Changes::by_stores;
    sleepers_.wait_until(Platform::now() + longest_wait, [&] {
      if (!fenced) Platform::heavy_fence();  // after it counts as a waiter
      fenced = true;
      return worth_a_look() || called_.load(std::memory_order_seq_cst) != called;
    });
  }

  /// For a consumer, after it has taken a value, and after a light fence if that was by plain stores:
  /// whether somebody sleeps here.
  [[nodiscard]] bool has_waiters() const noexcept { return sleepers_.has_waiters(); }

  /// If so: wakes whom it must.
  /// @param ticket  of the value, taken by this thread: while nobody publishes, each consumer sees
  ///                another number left
  template <class Queue>
  void wake(const Queue& queue, std::uint64_t ticket) noexcept {
    if (watched_.load(std::memory_order_seq_cst) == name_of(queue)) return;  // (2)
    const std::uint64_t left = queue.tail() - (ticket + 1);
    if (left == 0) {
      sleepers_.notify_all();
    } else if (left <= queue.capacity() / 2 && std::has_single_bit(left)) {
      sleepers_.notify_one();
    }
  }

  /// Makes everybody look whether to stop.
  void notify_all() noexcept { sleepers_.notify_all(); }

 private:
  static constexpr unsigned looks = 20;
  static constexpr std::chrono::nanoseconds longest_wait = std::chrono::milliseconds{1};
  static constexpr std::chrono::nanoseconds share = std::chrono::microseconds{100};

  template <class Queue>
  static std::uintptr_t name_of(const Queue& queue) noexcept {
    return reinterpret_cast<std::uintptr_t>(&queue);
  }

  /// For who watches: whether it is time to wake a sleeper, though it would find less than half free.
  bool is_their_turn() noexcept {
    const SteadyTime now = Platform::now();
    if (now - called_at_ < share) return false;
    called_at_ = now;
    return true;
  }

  Changes heads_ = Changes::by_read_modify_writes;
  typename Platform::template Atomic<std::uintptr_t> watched_{0};  ///< the queue's name; 0: none
  SteadyTime called_at_{};                                         ///< of who watches
  typename Platform::template Atomic<std::uint32_t> called_{0};  ///< how often somebody was, by 3.
  WaitGate<Platform, Changes::by_read_modify_writes> sleepers_;  ///< where wait() fences by itself
};

}  // namespace gossip::detail
