// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Schedules: events that are to be published later, once or again and again. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/asynchronous_calls.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/scheduled_publish.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/timer.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/queue/wait_gate.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace gossip::detail {

/// The schedules of a bus. When one is due the timer's thread makes it wait for a worker, and the
/// worker publishes: so the timer's thread runs no user code and never waits for space in the queue.
///
/// Thread safety: any thread; takes a mutex for a moment, under which no user code runs.
class Schedules {
 public:
  /// The arguments outlive it, but for what is still in the timer or in the queue when these end.
  Schedules(const BusOptions& options, const ClockView& clock, Registry& registry,
            EventQueue& queue, Timer& timer, AsynchronousCalls& calls) noexcept
      : options_{options},
        clock_{clock},
        registry_{registry},
        queue_{queue},
        timer_{timer},
        calls_{calls} {}
  Schedules(const Schedules&) = delete;
  Schedules& operator=(const Schedules&) = delete;
  ~Schedules() = default;

  /// Arranges that a worker calls `publish()` at `time` and, if `period` is not 0, every `period`
  /// after that.
  /// @param publish  publishes an event of `type`; destroyed when the schedule has ended
  /// @param made     set to the schedule if it is arranged
  /// @return         ok, Errc::queue_full (BusOptions::max_scheduled), Errc::closed
  /// @throws         std::bad_alloc, std::system_error (no thread), what moving `publish` throws
  template <class Publish>
  Status begin(const TypeEntry& type, SteadyTime time, std::chrono::nanoseconds period,
               Publish publish, HeldSchedule& made) {
    HeldSchedule held{new ScheduledCall<Publish>{std::move(publish)}};
    held->owner = this;
    held->type = &type;
    held->period = period;
    held->time = time;
    return arrange(held, made);
  }

  /// Counts one that nobody can begin.
  void count_refused() noexcept {
    const std::lock_guard lock{mutex_};
    ++counts_.refused;
  }

  /// See Schedule::cancel.
  bool cancel(ScheduledPublish& item) noexcept {
    bool unpublished = false;  // nobody has begun to publish it
    bool ours = false;
    TimerId in_timer{};
    {
      const std::lock_guard lock{mutex_};
      unpublished = item.state == State::waiting || item.state == State::due;
      if (item.state == State::waiting) in_timer = item.TimerTask::id;
      // An event that is being published cannot be held back any more, but those after it can.
      ours = unpublished || (item.state == State::publishing && item.repeats());
      if (ours) end(item, counts_.cancelled);
    }
    if (unpublished) item.operations->discard(item);
    if (in_timer.serial != 0) timer_.cancel(in_timer);
    // A worker does not wait: it may be the one that publishes, or one that this one waits for.
    if (current_thread.worker_of == nullptr) {
      published_.wait_until(SteadyTime::max(), [&] {
        return !item.publishing.load(std::memory_order_acquire);  // (1) pairs with (2)
      });
    }
    return ours;
  }

  /// False once nothing is to come.
  [[nodiscard]] bool active(const ScheduledPublish& item) const noexcept {
    const std::lock_guard lock{mutex_};
    return item.state != State::ended;
  }
  /// When the next event is due; SteadyTime::max() if none is to come.
  [[nodiscard]] SteadyTime next(const ScheduledPublish& item) const noexcept {
    const std::lock_guard lock{mutex_};
    return item.state == State::ended ? SteadyTime::max() : item.time;
  }

  /// How many are due and not yet dealt with. // schedules
  [[nodiscard]] std::size_t due() const noexcept { return due_.load(std::memory_order_acquire); }
  /// How many a shutdown has dropped. // schedules
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    const std::lock_guard lock{mutex_};
    return counts_.dropped;
  }
  /// Fills in what concerns schedules.
  void describe(Statistics& statistics) const noexcept {
    const std::lock_guard lock{mutex_};
    statistics.scheduled = counts_.made;
    statistics.scheduled_fired = counts_.fired;
    statistics.scheduled_cancelled = counts_.cancelled;
    statistics.scheduled_dropped = counts_.dropped;
    statistics.scheduled_waiting = static_cast<std::size_t>(counts_.made - counts_.fired -
                                                            counts_.cancelled - counts_.dropped);
    statistics.scheduled_refused = counts_.refused;
    statistics.scheduled_failed = counts_.failed;
    statistics.scheduled_skipped = counts_.skipped;
  }

 private:
  using State = ScheduledPublish::State;

  /// See Statistics.
  struct Counts {
    std::uint64_t made = 0;
    std::uint64_t fired = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t dropped = 0;
    std::uint64_t refused = 0;
    std::uint64_t failed = 0;
    std::uint64_t skipped = 0;
  };

  static Schedules& of(ScheduledPublish& item) noexcept { return *item.owner; }

  // ---- Under the lock -------------------------------------------------------------------------

  static void end(ScheduledPublish& item, std::uint64_t& counter) noexcept {
    item.state = State::ended;
    ++counter;
  }

  /// Gives the schedule to the workers. @return false once they are ending
  bool hand_to_workers(ScheduledPublish& item) noexcept {
    item.state = State::due;
    due_.fetch_add(1, std::memory_order_relaxed);
    if (queue_.post(item)) return true;
    due_.fetch_sub(1, std::memory_order_release);
    return false;
  }

  /// Gives the schedule to the timer. @return false after the timer's end
  /// @throws std::system_error  no thread
  bool hand_to_timer(ScheduledPublish& item) {
    item.state = State::waiting;
    return !queue_.closed() && timer_.insert(item.time, item).serial != 0;
  }

  /// After an event of a repeated schedule: when to publish the next. What is late by now is skipped.
  void step(ScheduledPublish& item) noexcept {
    const auto late = (clock_.now(clock_.clock) - item.time) / item.period;
    if (late > 0) counts_.skipped += static_cast<std::uint64_t>(late);
    item.time = later(item.time + (late > 0 ? late : 0) * item.period, item.period);
  }

  // ---- The way of a schedule ------------------------------------------------------------------

  Status arrange(HeldSchedule& held, HeldSchedule& made) {
    ScheduledPublish& item = *held;
    item.Task::run = [](Task& task, ThreadSlot& slot) noexcept {
      auto& self = static_cast<ScheduledPublish&>(task);
      of(self).take_up(self, slot);
    };
    item.Task::abandon = [](Task& task) noexcept {
      auto& self = static_cast<ScheduledPublish&>(task);
      Schedules& owner = of(self);
      owner.drop(self);
      owner.due_.fetch_sub(1, std::memory_order_release);
    };
    item.TimerTask::run = [](TimerTask& task) noexcept {
      auto& self = static_cast<ScheduledPublish&>(task);
      of(self).fire(self);
    };
    item.TimerTask::destroy = [](TimerTask* task) noexcept {
      auto& self = static_cast<ScheduledPublish&>(*task);
      of(self).drop(self);
    };
    bool full = false;
    try {
      const bool at_once = !item.repeats() && item.time <= clock_.now(clock_.clock);
      const std::lock_guard lock{mutex_};
      full = held_ >= options_.max_scheduled;
      if (!full && !queue_.closed() && (at_once ? hand_to_workers(item) : hand_to_timer(item))) {
        item.count.add_holder();
        ++held_;
        ++counts_.made;
        made = std::move(held);
        return {};
      }
      ++counts_.refused;
    } catch (...) {
      item.operations->discard(item);
      throw;
    }
    item.operations->discard(item);
    if (!full || queue_.closed()) return Errc::closed;
    return Error{Errc::queue_full, "max_scheduled is " + std::to_string(options_.max_scheduled)};
  }

  /// On the timer's thread, when it is due.
  void fire(ScheduledPublish& item) noexcept {
    {
      const std::lock_guard lock{mutex_};
      // A bus that has begun to shut down publishes what is due already, and nothing more.
      if (item.state == State::waiting && !queue_.closed() && hand_to_workers(item)) return;
    }
    drop(item);
  }

  /// On a worker.
  void take_up(ScheduledPublish& item, ThreadSlot& slot) noexcept {
    // A worker that waits for space in the queue takes it up inside another event. Not too deep: there
    // the queue would be full for it, and the event would be lost.
    if (slot.depth != 0 && slot.depth + 1 >= options_.max_nesting && queue_.post(item)) return;
    bool cancelled = false;
    {
      const std::lock_guard lock{mutex_};
      cancelled = item.state == State::ended;
      if (!cancelled) {
        item.state = State::publishing;
        item.publishing.store(true, std::memory_order_relaxed);
      }
    }
    if (cancelled) {
      drop(item);
    } else {
      publish(item, slot);
    }
    // release, last of all: whoever sees that nothing is due sees what was published
    due_.fetch_sub(1, std::memory_order_release);
  }

  void publish(ScheduledPublish& item, ThreadSlot& slot) noexcept {
    const Delivery frame{slot, registry_};  // counts as nesting
    Status status;
    try {
      status = item.operations->publish(item);
    } catch (...) {
      status = status_of_current_exception();
    }
    const bool shut_down = !status.ok() && queue_.closed() && status == Errc::closed;
    if (!status.ok() && !shut_down) {
      calls_.report({.subscription = {},
                     .subscription_name = {},
                     .event_type = item.type->name.text(),
                     .event_id = {},
                     .attempt = 1,
                     .status = status});
    }
    bool goes_on = false;
    {
      const std::lock_guard lock{mutex_};
      if (!status.ok() && !shut_down) ++counts_.failed;
      item.publishing.store(false, std::memory_order_release);  // (2) pairs with (1)
      if (item.state == State::publishing) {
        if (item.repeats() && !shut_down) {
          step(item);
          goes_on = hand_to_timer(item);  // has its thread, so it does not throw
        }
        if (!goes_on) end(item, item.repeats() || shut_down ? counts_.dropped : counts_.fired);
      }
    }
    if (!goes_on) {
      item.operations->discard(item);
      let_go(item);
    }
    published_.notify();
  }

  /// Ends it, unless it has ended, and lets go of it.
  void drop(ScheduledPublish& item) noexcept {
    bool ours = false;
    {
      const std::lock_guard lock{mutex_};
      ours = item.state != State::ended;
      if (ours) end(item, counts_.dropped);
    }
    if (ours) item.operations->discard(item);
    let_go(item);
  }

  /// What timer, queue or worker do at the end.
  void let_go(ScheduledPublish& item) noexcept {
    {
      const std::lock_guard lock{mutex_};
      --held_;
    }
    HeldSchedule::release(item);
  }

  const BusOptions& options_;
  const ClockView& clock_;
  Registry& registry_;
  EventQueue& queue_;
  Timer& timer_;
  AsynchronousCalls& calls_;
  mutable std::mutex mutex_;
  std::size_t held_ = 0;  ///< by timer, queue and workers // schedules
  Counts counts_;
  std::atomic<std::size_t> due_{0};
  WaitGate<> published_;  ///< for ScheduledPublish::publishing
};

}  // namespace gossip::detail
