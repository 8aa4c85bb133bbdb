// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// WorkQueue: everything that waits for a worker: events by priority, and tasks. Layer: dispatch.

#include <gossip/core/atomic_pointer.hpp>
#include <gossip/core/priority.hpp>
#include <gossip/dispatch/envelope.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/queue/mpmc_queue.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

namespace gossip::detail {

/// A ring of events per priority, and a queue of tasks. The rings of high and low priority are made
/// when they are first used; until something other than an event of normal priority has come,
/// workers look at one ring and one flag.
///
/// A worker's turns go round: of 32 turns, 27 look for events of high priority first, 4 for normal
/// ones and 1 for low ones; who finds nothing there takes the most urgent that waits. So, while all
/// wait, every lane gets its share and none starves. Tasks rank as normal events and take turns with
/// them.
///
/// The tickets of a ring begin at a number of its own (first_ticket), so that a ticket is unique on
/// the bus and tells the event's priority.
///
/// Thread safety: any thread. Progress: as MpmcQueue; a ring's first use, and tasks, take a mutex.
class WorkQueue {
 public:
  using Ring = MpmcQueue<Envelope>;

  /// @param capacity  of each ring // events
  explicit WorkQueue(std::size_t capacity) : capacity_{capacity}, normal_{capacity} {}
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue() {
    delete high_.load(std::memory_order_relaxed);
    delete low_.load(std::memory_order_relaxed);
  }

  /// The ring for events of that priority. Where memory runs out at a ring's first use, the one of
  /// normal priority.
  [[nodiscard]] Ring& ring(Priority priority) noexcept {
    if (priority == Priority::normal) [[likely]]
      return normal_;
    AtomicPointer<Ring>& place = priority == Priority::high ? high_ : low_;
    Ring* ring = place.load(std::memory_order_acquire);  // (1) pairs with (2)
    return ring != nullptr ? *ring : make_ring(place, priority);
  }

  /// Makes a task wait. @return false after close_tasks()
  bool post(Task& task) noexcept {
    mixed_.store(true, std::memory_order_relaxed);  // before the caller wakes somebody
    return tasks_.try_push(task);
  }

  /// From now on one thread takes all events: nobody else calls take(), or claims from a ring.
  /// @pre nobody uses the queue yet
  void take_alone() noexcept { alone_ = true; }

  /// Takes what is to be done next: calls `on_event(claim)` or `on_task(task)`.
  /// @param turn  the worker's own count of turns
  /// @return      false if there is nothing
  template <class OnEvent, class OnTask>
  bool take(std::uint32_t& turn, OnEvent&& on_event, OnTask&& on_task) {
    if (!mixed_.load(std::memory_order_relaxed)) [[likely]] {
      auto claim = claim_from(normal_);
      if (!claim) return false;
      on_event(claim);
      return true;
    }
    auto events = on_event;  // copies, so that nothing of the originals has to be in memory
    auto tasks = on_task;
    return take_in_turn(turn, events, tasks);
  }

  /// From now on no ring takes an event; see MpmcQueue::close.
  void close() noexcept {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    for (Ring* ring = &normal_; ring != nullptr; ring = next(ring)) ring->close();
  }
  [[nodiscard]] bool closed() const noexcept { return normal_.closed(); }
  /// From now on post() refuses.
  void close_tasks() noexcept { tasks_.close(); }
  /// Gives back a task that no worker has taken; null if there is none.
  Task* take_task() noexcept { return tasks_.try_pop(); }

  /// The rings that are in use, one after the other: the first, for events of normal priority, and the
  /// one after `ring`; null behind the last.
  /// @{
  [[nodiscard]] Ring* first() noexcept { return &normal_; }
  [[nodiscard]] Ring* next(const Ring* ring) const noexcept {
    // (3) seq_cst, pairs with (2): part of looking at all heads and tails, see WorkerParking
    Ring* const high = high_.load(std::memory_order_seq_cst);
    if (ring == &normal_ && high != nullptr) return high;
    Ring* const low = low_.load(std::memory_order_seq_cst);
    return ring == low ? nullptr : low;
  }
  /// @}

  /// As MpmcQueue's members of the same names, for all rings and the tasks together: what
  /// WorkerParking wants to know.
  /// @{
  [[nodiscard]] bool ready() const noexcept {
    if (normal_.ready()) return true;
    if (!mixed_.load(std::memory_order_relaxed)) return false;
    if (!tasks_.empty()) return true;
    for (const Ring* ring = &normal_; ring != nullptr; ring = next(ring)) {
      if (ring->ready()) return true;
    }
    return false;
  }
  [[nodiscard]] std::uint64_t head() const noexcept { return taken() + tasks_.popped(); }
  [[nodiscard]] std::uint64_t tail() const noexcept { return pushed() + tasks_.pushed(); }
  /// @}

  /// How many events were ever taken, and pushed. // events
  /// @{
  [[nodiscard]] std::uint64_t taken() const noexcept {
    std::uint64_t sum = 0;
    for (const Ring* ring = &normal_; ring != nullptr; ring = next(ring))
      sum += count(ring->head());
    return sum;
  }
  [[nodiscard]] std::uint64_t pushed() const noexcept {
    std::uint64_t sum = 0;
    for (const Ring* ring = &normal_; ring != nullptr; ring = next(ring))
      sum += count(ring->tail());
    return sum;
  }
  /// @}
  /// Of each ring. // events
  [[nodiscard]] std::size_t capacity() const noexcept { return normal_.capacity(); }

 private:
  Ring::Claim claim_from(Ring& ring) const noexcept {
    return alone_ ? ring.try_claim_alone() : ring.try_claim();
  }

  static constexpr std::uint32_t low_share = 32;
  static constexpr std::uint32_t normal_share = 8;

  static std::uint64_t count(std::uint64_t ticket) noexcept {
    return ticket & (first_ticket(Priority::high) - 1);
  }

  /// Out of line, so that buses without priorities and tasks save no registers for it.
  template <class OnEvent, class OnTask>
  [[gnu::noinline]] bool take_in_turn(std::uint32_t& turn, OnEvent& on_event, OnTask& on_task) {
    ++turn;
    const auto try_ring = [&](Ring* ring) {
      if (ring == nullptr) return false;
      auto claim = claim_from(*ring);
      if (!claim) return false;
      on_event(claim);
      return true;
    };
    const auto try_task = [&] {
      Task* task = tasks_.try_pop();
      if (task == nullptr) return false;
      on_task(*task);
      return true;
    };
    const auto try_normal = [&] {
      return turn % 2 == 0 ? try_task() || try_ring(&normal_) : try_ring(&normal_) || try_task();
    };
    Ring* const high = high_.load(std::memory_order_acquire);
    Ring* const low = low_.load(std::memory_order_acquire);
    if (turn % low_share == 0 && try_ring(low)) return true;
    if (turn % normal_share == normal_share / 2 && try_normal()) return true;
    return try_ring(high) || try_normal() || try_ring(low);
  }

  Ring& make_ring(AtomicPointer<Ring>& place, Priority priority) noexcept {
    const std::lock_guard lock{mutex_};
    if (Ring* ring = place.load(std::memory_order_relaxed)) return *ring;
    try {
      auto* ring = new Ring{capacity_, first_ticket(priority)};
      if (closed_) ring->close();
      mixed_.store(true, std::memory_order_relaxed);  // before anybody finds the ring
      place.store(ring, std::memory_order_seq_cst);   // (2) pairs with (1) and (3)
      return *ring;
    } catch (const std::bad_alloc&) {
      return normal_;
    }
  }

  const std::size_t capacity_;
  bool alone_ = false;
  std::atomic<bool> mixed_{false};  ///< something other than a normal event has come
  AtomicPointer<Ring> high_{nullptr};
  AtomicPointer<Ring> low_{nullptr};
  std::mutex mutex_;
  bool closed_ = false;
  Ring normal_;
  TaskQueue tasks_;
};

}  // namespace gossip::detail
