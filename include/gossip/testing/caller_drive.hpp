// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// CallerDrive: does what a bus's workers do on the thread that asks for it, in an order that a seed
/// chooses. Layer: testing.

#include <gossip/core/causality.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/dispatcher.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/testing/test_provider.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gossip::detail {

/// Takes up to `workers` events and tasks out of the queue, as so many workers would that have not
/// begun with them, and runs one of them at a time. The thread that makes it counts as a worker while
/// it exists: where a worker would run something else rather than wait, this thread does too.
///
/// Thread safety: the thread that made it alone. Several may exist on one thread.
class CallerDrive {
 public:
  /// More than a test leads to, unless its events go round in a circle. // events and tasks
  static constexpr std::size_t generous = 100'000;

  /// @param dispatcher  not started, and never to be; outlives it
  /// @param openers     know the types of all events that are published; outlive it
  /// @param clock       the dispatcher's
  /// @param workers     how many are played // threads
  /// @param seed        of the order; 0: first come, first served
  CallerDrive(Dispatcher& dispatcher, const EventOpeners& openers, ManualClock clock,
              std::size_t workers, std::uint64_t seed)
      : dispatcher_{dispatcher},
        openers_{openers},
        clock_{std::move(clock)},
        slot_{dispatcher.slots_.mine(&dispatcher)},
        limit_{seed == 0 ? 1 : workers},
        random_{seed} {
    taken_.reserve(limit_);
    dispatcher_.calls_.allow_in_a_row(1);
    next_ = std::exchange(first_of_this_thread, this);
    become_worker();
    dispatcher_.timer_.pass_time_by(
        [](void* self, SteadyTime time) { static_cast<CallerDrive*>(self)->pass_until(time); },
        this);
  }
  CallerDrive(const CallerDrive&) = delete;
  CallerDrive& operator=(const CallerDrive&) = delete;
  ~CallerDrive() { leave(); }

  /// Runs one event or one task. @return false if there is none
  /// @throws std::bad_alloc, and what moving the payload throws
  bool run_one() {
    slot_.next_frame();  // nothing can fail once an event has been taken
    const AsWorker here{*this};
    if (take()) return true;
    if (taken_.empty()) return false;
    const auto chosen = taken_.begin() + static_cast<std::ptrdiff_t>(draw(taken_.size()));
    const Taken next = std::move(*chosen);
    taken_.erase(chosen);
    run(next);
    return true;
  }

  /// Runs all there is, and what that leads to.
  /// @param limit  how much at most // events and tasks
  /// @return       how much that was
  /// @throws std::runtime_error  at the limit there is more
  std::size_t run_all(std::size_t limit = generous) {
    std::size_t count = 0;
    while (count < limit && run_one()) ++count;
    if (count == limit && !idle()) {
      throw std::runtime_error{"TestBus: not at rest after " + std::to_string(limit) +
                               " events and tasks: is there a circle of events?"};
    }
    dispatcher_.registry_.collect();
    return count;
  }

  /// True if there is nothing to run before time goes on.
  [[nodiscard]] bool idle() const noexcept {
    return taken_.empty() && !dispatcher_.queue_.spin_for_event();
  }
  /// True if every event has been handled, and no delivery waits for its next attempt.
  [[nodiscard]] bool all_handled() const noexcept { return dispatcher_.all_handled(); }

  /// Lets time go on until then, by way of every moment at which something is due, and runs
  /// everything.
  /// @throws as run_all
  void pass_until(SteadyTime time) {
    run_all();
    while (next_time() <= time) pass_to_next();
    go_to(time);
  }
  /// Lets time go on to where something is due, and runs everything. @pre something is
  void pass_to_next() { go_to(next_time()); }
  /// SteadyTime::max() if nothing is due any more.
  [[nodiscard]] SteadyTime next_time() const { return dispatcher_.timer_.next(); }

  /// From now on nothing can be published but by processors.
  void close() noexcept { dispatcher_.queue_.close(); }

  /// Gives up what was taken and not run, and is no longer a worker. Idempotent.
  void leave() noexcept {
    if (std::exchange(left_, true)) return;
    dispatcher_.timer_.pass_time_by(nullptr, nullptr);
    for (Taken& item : taken_) give_up(item);
    taken_.clear();
    CallerDrive** place = &first_of_this_thread;
    while (*place != this) place = &(*place)->next_;
    *place = next_;
    if (first_of_this_thread != nullptr) {
      first_of_this_thread->become_worker();
    } else {
      current_thread.worker_of = nullptr;
    }
  }

 private:
  /// Something that a worker has taken and not begun with: an event, or a task.
  struct Taken {
    SharedEvent event;
    TypeEntry* type = nullptr;
    Task* task = nullptr;
  };

  /// While it exists the thread is this bus's worker, and no other bus's.
  class AsWorker {
   public:
    explicit AsWorker(CallerDrive& drive) noexcept
        : worker_of_{current_thread.worker_of}, slot_{current_thread.worker_slot} {
      drive.become_worker();
    }
    AsWorker(const AsWorker&) = delete;
    AsWorker& operator=(const AsWorker&) = delete;
    ~AsWorker() {
      current_thread.worker_of = worker_of_;
      current_thread.worker_slot = slot_;
    }

   private:
    void* const worker_of_;
    ThreadSlot* const slot_;
    const CauseScope unrelated_{nullptr};
  };

  /// Whether the events of that entry are shared with lanes.
  static bool is_shared(const TypeEntry& type) noexcept {
    return type.operations == &Dispatcher::operations_of<SharedDelivery>;
  }
  static const Event<SharedDelivery>& shared(const Taken& item) noexcept {
    return static_cast<const Event<SharedDelivery>&>(*item.event);
  }

  void become_worker() noexcept {
    current_thread.worker_of = &dispatcher_;
    current_thread.worker_slot = &slot_;
    current_thread.help = &help;
  }

  /// For this thread, where it has to wait: runs something of any bus that it drives.
  static Help help(void* /*worker_of*/) {
    Help result = Help::no_event;
    for (CallerDrive* drive = first_of_this_thread; drive != nullptr; drive = drive->next_) {
      if (drive->slot_.nesting() >= drive->dispatcher_.options_.max_nesting) {
        result = Help::too_deep;
        continue;
      }
      try {
        const ThreadSlot::Nested nested{drive->slot_};
        if (drive->run_one()) return Help::ran;
      } catch (const std::bad_alloc&) {
        return Help::too_deep;
      }
    }
    return result;
  }

  /// Fills up what is taken. @return true if it had to run something instead
  bool take() {
    bool ran = false;
    const auto on_event = [&](EventQueue::Ring::Claim& claim) {
      TypeEntry& type = *(*claim).type;
      const std::uint64_t ticket = claim.ticket();
      const EventOpeners::Open open =
          is_shared(type) ? &EventOpeners::open<SharedDelivery> : openers_.of(type);
      if (open != nullptr) {
        taken_.push_back({open(claim, dispatcher_.source_), &type, nullptr});
        dispatcher_.queue_.slot_freed(ticket);
      } else {  // nobody published it: the bus itself made it
        type.operations->run(dispatcher_, slot_, claim);
        ThreadSlot::increment(slot_.finished);
        ran = true;
      }
    };
    const auto on_task = [&](Task& task) { taken_.push_back({{}, nullptr, &task}); };
    while (!ran && taken_.size() < limit_ &&
           dispatcher_.queue_.take(slot_.turn, on_event, on_task)) {
    }
    return ran;
  }

  void run(const Taken& item) {
    if (item.task != nullptr) {
      item.task->run(*item.task, slot_);
      return;
    }
    if (is_shared(*item.type)) {
      dispatcher_.calls_.handle(slot_, *item.type, shared(item));
    } else {
      dispatcher_.calls_.handle(slot_, *item.type, *item.event);
    }
    ThreadSlot::increment(slot_.finished);
  }

  void give_up(const Taken& item) noexcept {
    if (item.task != nullptr) {
      item.task->abandon(*item.task);
    } else {
      item.type->not_handled.fetch_add(1, std::memory_order_relaxed);
      const EventBase& event = is_shared(*item.type) ? brought_by(shared(item)) : *item.event;
      EventAccess::header(event).receipt.fail();
      dispatcher_.abandoned_.fetch_add(1, std::memory_order_release);
    }
  }

  void go_to(SteadyTime time) {
    const SteadyTime now = clock_.now();
    clock_.advance(time > now ? time - now : std::chrono::nanoseconds{});
    run_all();
  }

  /// The next number of a sequence that is the same on every machine, below `limit`. Steele, Lea and
  /// Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
  std::size_t draw(std::size_t limit) noexcept {
    if (limit == 1) return 0;
    random_ += 0x9e3779b97f4a7c15U;
    std::uint64_t bits = random_;
    bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>((bits ^ (bits >> 31U)) % limit);
  }

  static inline constinit thread_local CallerDrive* first_of_this_thread = nullptr;

  Dispatcher& dispatcher_;
  const EventOpeners& openers_;
  ManualClock clock_;
  ThreadSlot& slot_;
  const std::size_t limit_;  ///< of `taken_`
  std::uint64_t random_;
  std::vector<Taken> taken_;
  CallerDrive* next_ = nullptr;
  bool left_ = false;
};

}  // namespace gossip::detail
