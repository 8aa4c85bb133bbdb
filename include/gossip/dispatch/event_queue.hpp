// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// EventQueue: the queue of a bus with its overflow policy: how events get in, and who waits.
/// Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/envelope.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/dispatch/work_queue.hpp>
#include <gossip/queue/asymmetric_fence.hpp>
#include <gossip/queue/back_off.hpp>
#include <gossip/queue/coalescing.hpp>
#include <gossip/queue/space_gate.hpp>
#include <gossip/queue/wait_gate.hpp>
#include <gossip/queue/worker_parking.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <thread>

namespace gossip::detail {

/// Takes an event out of the queue, frees its slot, then destroys it: its destructor may publish.
template <class T>
void discard_event(MpmcQueue<Envelope>::Claim& claim) noexcept {
  open_envelope<T>(
      *claim, (*claim).type->name, EventSource{}, unnumbered, [&] { claim.release(); },
      [](const Event<T>& event) { EventAccess::header(brought_by(event)).receipt.fail(); });
}

/// Where published events, and tasks, wait for workers.
///
/// A publisher that finds no space does what the policy says. If it must wait, SpaceGate says for how
/// long. A worker (of whatever bus) does not sleep but runs queued events of its own bus, so that
/// workers never wait for one another in a circle.
///
/// Thread safety: any thread. Progress: as MpmcQueue, until there is no space or a worker has to be
/// woken.
class EventQueue {
 public:
  using Ring = WorkQueue::Ring;

  EventQueue(const BusOptions& options, std::size_t workers)
      : policy_{options.overflow}, work_{options.capacity}, parking_{workers} {}
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;
  ~EventQueue() { sweep(); }

  // ---- For publishers -------------------------------------------------------------------------

  /// Puts an event into the queue, as the overflow policy says.
  /// @param data    moved from on success; untouched on failure if it can be moved without throwing
  /// @param extras  moved from on success, untouched on failure; may be null
  /// @param self    the dispatcher that this queue belongs to: its own workers may still publish
  ///                while it is being drained
  /// @return        ok, Errc::queue_full, Errc::closed
  /// @throws        nothing if the payload travels inline; else std::bad_alloc and what moving
  ///                the payload throws, before anything has happened
  template <Payload T>
  Status accept(TypeEntry& type, StoredPayload<T>& data, EventTime time, Owner<EventExtras>& extras,
                Priority priority, const void* self) noexcept(travels_inline<T>) {
    Parcel<T> parcel{type.name, data};
    Ring& ring = work_.ring(priority);
    auto push = [&](bool though_closed) noexcept {
      const auto make = [&](void* storage) noexcept {
        auto* envelope = ::new (storage) Envelope;
        envelope->type = &type;
        envelope->time = time;
        envelope->extras = extras.release();
        parcel.put_into(envelope->payload);
      };
      return though_closed ? ring.try_push_with_if_closed(make) : ring.try_push_with(make);
    };
    if (push(false)) [[likely]] {
      parking_.notify(work_);
      return {};
    }
    auto push_again = push;  // of the first one, nothing has to be in memory
    Status status = accept_when_full(type, ring, self,
                                     {&push_again, [](void* call, bool though_closed) noexcept {
                                        return (*static_cast<decltype(push)*>(call))(though_closed);
                                      }});
    if (!status.ok()) parcel.give_back();
    if (status.ok() && extras) extras->receipt.fail();  // it was dropped
    return status;
  }

  /// Makes a task wait for a worker.
  /// @return  false once the workers are ending: the task is still the caller's
  bool post(Task& task) noexcept {
    if (!work_.post(task)) return false;
    parking_.notify(work_);
    return true;
  }

  // ---- For workers ----------------------------------------------------------------------------

  /// What a worker has learnt of how to wait.
  struct Waiting {
    Coalescing coalescing;
    SpinsWhileWorth spins;
    TurnsWhileShort turns;
  };

  /// One worker is about to start, and nobody else will take events while it runs. If publishers do
  /// not either, to drop the oldest, and those that wait can fence for it, it takes them by plain stores.
  /// @pre nobody uses the queue yet
  void take_alone() noexcept {
    if (policy_ == OverflowPolicy::drop_oldest || !has_membarrier) return;
    work_.take_alone();
    space_.heads_change(Changes::by_stores);
  }

  /// See WorkQueue::take.
  template <class OnEvent, class OnTask>
  bool take(std::uint32_t& turn, OnEvent&& on_event, OnTask&& on_task) {
    return work_.take(turn, on_event, on_task);
  }

  /// After a claim has been released: wakes publishers that wait for space.
  void slot_freed(std::uint64_t ticket) noexcept {
    // Claiming has moved the head, which is all that who waits looks at.
    light_fence(true);  // free: by plain stores it moves only where there is membarrier
    if (space_.has_waiters()) [[unlikely]]
      space_.wake(work_.ring(priority_of(ticket)), ticket);
  }

  /// Waits, for a short while, for an event. @return true if there is one
  [[nodiscard]] bool spin_for_event() const noexcept {
    return spin_until([this] { return work_.ready(); }, worker_looks, worker_turns);
  }
  /// The same, as is best after what the worker has met before: lets events gather if that is worth it,
  /// leaves the wait out where it was in vain, and gives no turns where those were long.
  /// @param handled  how many events it has handled // events
  [[nodiscard]] bool spin_for_event(Waiting& waiting, std::uint64_t handled) noexcept {
    waiting.coalescing.wait(*work_.first(), handled);
    const auto ready = [this] { return work_.ready(); };
    return waiting.spins.try_one([&] {
      return spin_until(ready, worker_looks) ||
             waiting.turns.until(ready, worker_turns, &give_turn);
    });
  }

  /// Sleeps until there may be an event, or release_workers().
  void park(std::size_t worker) { parking_.park(worker, work_); }

  /// Wakes all workers, and lets none sleep again.
  void release_workers() noexcept { parking_.stop(); }

  // ---- Life -----------------------------------------------------------------------------------

  /// From now on accept() answers Errc::closed, but to the bus's own workers.
  void close() noexcept {
    work_.close();
    space_.notify_all();  // else they would sleep on for a while
  }
  /// From now on to them too.
  void close_for_workers() noexcept {
    open_to_workers_.store(false, std::memory_order_release);
    space_.notify_all();
  }
  [[nodiscard]] bool closed() const noexcept { return work_.closed(); }
  /// True if accept() by this thread would answer Errc::closed.
  /// @param self  the dispatcher that this queue belongs to
  [[nodiscard]] bool closed_to_this_thread(const void* self) const noexcept {
    return closed() &&
           !(current_thread.worker_of == self && open_to_workers_.load(std::memory_order_acquire));
  }

  /// Destroys all events and abandons all tasks. @pre closed, no worker runs
  /// @return how many events
  std::uint64_t sweep() noexcept {
    std::uint64_t count = 0;
    for (Ring* ring = work_.first(); ring != nullptr; ring = work_.next(ring)) {
      while (ring->head() != ring->tail()) {
        if (auto claim = ring->try_claim()) {
          discard(claim);
          ++count;
        } else {
          pause_processor();  // a publisher is about to hand its slot over
        }
      }
    }
    work_.close_tasks();
    while (Task* task = work_.take_task()) task->abandon(*task);
    return count;
  }

  /// Counters and sizes, as in Statistics.
  /// @{
  [[nodiscard]] std::uint64_t published() const noexcept { return work_.pushed(); }
  [[nodiscard]] std::uint64_t taken() const noexcept { return work_.taken(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return work_.capacity(); }
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_.load(); }
  [[nodiscard]] std::uint64_t refused_closed() const noexcept { return refused_closed_.load(); }
  [[nodiscard]] std::uint64_t dropped_oldest() const noexcept { return dropped_oldest_.load(); }
  [[nodiscard]] std::uint64_t dropped_newest() const noexcept { return dropped_newest_.load(); }
  /// @}

  /// Counts an event for which a subscription's lane had no place, so that nobody got it.
  void count_rejected(TypeEntry& type) noexcept { refuse(type, rejected_); }
  /// Counts an event that never got as far as the queue, since the bus is closed.
  void count_refused() noexcept { refused_closed_.fetch_add(1, std::memory_order_relaxed); }

 private:
  static constexpr unsigned worker_looks = 10;
  static constexpr unsigned worker_turns = 8;

  /// A push with its payload, the payload's type erased.
  struct Push {
    void* call;
    bool (*invoke)(void* call, bool though_closed) noexcept;

    bool operator()(bool though_closed) const noexcept { return invoke(call, though_closed); }
  };

  Status accept_when_full(TypeEntry& type, Ring& ring, const void* self, Push push) noexcept {
    for (;;) {
      const bool is_closed = ring.closed();
      if (is_closed &&
          !(current_thread.worker_of == self && open_to_workers_.load(std::memory_order_acquire))) {
        count_refused();
        return Errc::closed;
      }
      if (push(is_closed)) {
        parking_.notify(work_);
        return {};
      }
      switch (policy_) {
        case OverflowPolicy::block:
          if (!wait_for_space(ring, self)) return refuse(type, rejected_), Errc::queue_full;
          break;
        case OverflowPolicy::reject: return refuse(type, rejected_), Errc::queue_full;
        case OverflowPolicy::drop_newest: return refuse(type, dropped_newest_), Status{};
        case OverflowPolicy::drop_oldest: drop_first(ring); break;
      }
    }
  }

  static void refuse(TypeEntry& type, std::atomic<std::uint64_t>& counter) noexcept {
    type.not_handled.fetch_add(1, std::memory_order_relaxed);
    counter.fetch_add(1, std::memory_order_relaxed);
  }

  void drop_first(Ring& ring) noexcept {
    if (ring.size() < ring.capacity()) {
      // Not full: a worker has yet to empty the slot that is wanted. Dropping others would not help.
      std::this_thread::yield();
    } else if (auto claim = ring.try_claim()) {
      discard(claim);
      dropped_oldest_.fetch_add(1, std::memory_order_release);
    } else {
      pause_processor();
    }
  }

  static void discard(Ring::Claim& claim) noexcept {
    TypeEntry& type = *(*claim).type;
    type.not_handled.fetch_add(1, std::memory_order_relaxed);
    type.operations->discard(claim);
  }

  /// @return false if this thread must not wait: a worker nested too deep, or a provider's thread
  bool wait_for_space(const Ring& ring, const void* self) noexcept {
    if (current_thread.never_waits) return false;
    if (current_thread.worker_of != nullptr) {
      switch (current_thread.help(current_thread.worker_of)) {
        case Help::ran: return true;
        case Help::too_deep: return false;
        case Help::no_event:
          // Of our own queue: its first event is about to be handed over, and it is for us to take.
          if (current_thread.worker_of == self) return give_turn(), true;
          break;
      }
    }
    space_.wait(ring, [&] { return ring.closed(); });
    return true;
  }

  const OverflowPolicy policy_;
  WorkQueue work_;
  WorkerParking<> parking_;
  SpaceGate<> space_;
  std::atomic<bool> open_to_workers_{true};
  std::atomic<std::uint64_t> rejected_{0};
  std::atomic<std::uint64_t> refused_closed_{0};
  std::atomic<std::uint64_t> dropped_oldest_{0};
  std::atomic<std::uint64_t> dropped_newest_{0};
};

}  // namespace gossip::detail
