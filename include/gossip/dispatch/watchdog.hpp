// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Watchdog: notices calls that run for long. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/stall_report.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/timer.hpp>
#include <gossip/dispatch/timer_queue.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>

namespace gossip::detail {

/// Looks from time to time which calls the threads announce (see Registry: they do so anyway). One that
/// is announced again and again, while the frame that announces it has finished no call, is one call.
/// So calls pay nothing for being watched.
///
/// Thread safety: any thread.
class Watchdog {
 public:
  /// The arguments outlive it.
  Watchdog(const ThreadSlots& slots, const Registry& registry, Timer& timer,
           const ClockView& clock) noexcept
      : slots_{slots}, registry_{registry}, timer_{timer}, clock_{clock} {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  /// Waits for a report that is being made.
  ~Watchdog() {
    TimerId next;
    {
      const std::lock_guard lock{mutex_};
      over_ = true;
      next = next_.id;
    }
    timer_.cancel(next);
  }

  /// Told of a call that has been running for long, once, on the timer's thread, outside all locks.
  struct Listener {
    void* context = nullptr;
    void (*stalled)(void* context, const StallReport& report) noexcept = nullptr;
  };

  /// Begins to look four times per `limit`. To be called once at most.
  /// @param limit  positive: how long a call may run without being reported
  /// @throws std::system_error  no thread is to be had
  void start(std::chrono::nanoseconds limit, Listener listener) {
    const std::lock_guard lock{mutex_};
    limit_ = limit;
    listener_ = listener;
    next_.watchdog = this;
    next_.run = [](TimerTask& task) noexcept { static_cast<Look&>(task).watchdog->run(); };
    next_.destroy = [](TimerTask*) noexcept {};
    schedule();
  }

 private:
  struct Look : TimerTask {
    Watchdog* watchdog = nullptr;
  };

  /// @pre under the lock
  void schedule() {
    timer_.insert(later(clock_.now(clock_.clock), limit_ < least ? limit_ : limit_ / 4), next_);
  }

  void run() noexcept {
    const SteadyTime now = clock_.now(clock_.clock);
    slots_.for_each([&](const ThreadSlot& slot) {
      for (const HazardFrame* frame = &slot.outermost; frame != nullptr;
           frame = frame->inner.load(std::memory_order_acquire)) {
        look(slot, *frame, now);
      }
    });
    const std::lock_guard lock{mutex_};
    if (!over_) schedule();
  }

  void look(const ThreadSlot& slot, const HazardFrame& frame, SteadyTime now) const noexcept {
    // (1) acquire, before the counts are read: pairs with (4) of Delivery, which the thread passes
    // after it has counted the call before
    const SubscriptionRecord* record = frame.current.load(std::memory_order_acquire);
    SeenCall call{.record = record, .since = now};
    if (record != nullptr) {
      call.serial = record->tenant.load(std::memory_order_acquire);
      call.finished =
          slot.delivered.read(record->index) + frame.settled.load(std::memory_order_acquire);
    }
    SeenCall& before = frame.seen;
    if (call.serial == 0 || before.record != record || before.serial != call.serial ||
        before.finished != call.finished) {
      before = call;
    } else if (!before.reported && now - before.since >= limit_) {
      before.reported = true;
      report(before, now, slot.worker.load(std::memory_order_relaxed));
    }
  }

  void report(const SeenCall& call, SteadyTime now, int worker) const noexcept {
    try {
      StallReport report{};
      registry_.for_each(
          [&](const SubscriptionRecord& record, SubscriptionId id, std::uint64_t /*delivered*/) {
            if (&record != call.record || id.serial != call.serial) return;
            report = {id,           record.name,      Registry::subscribed_to(record),
                      record.where, now - call.since, worker};
          },
          true);
      if (report.subscription.serial != 0) listener_.stalled(listener_.context, report);
    } catch (const std::bad_alloc&) {  // no memory for the names: it goes unreported
    }
  }

  static constexpr std::chrono::nanoseconds least = std::chrono::milliseconds{1};

  const ThreadSlots& slots_;
  const Registry& registry_;
  Timer& timer_;
  const ClockView& clock_;
  std::mutex mutex_;   ///< guards `over_` and `next_`
  bool over_ = false;  ///< the destructor has begun
  std::chrono::nanoseconds limit_{};
  Listener listener_;
  Look next_;
};

}  // namespace gossip::detail
