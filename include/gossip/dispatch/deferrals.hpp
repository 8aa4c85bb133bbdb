// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Deferrals: deliveries to single subscriptions that are to be made later. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/lane.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/timer.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace gossip::detail {

/// One event for one subscription, to be delivered by a worker when its time has come.
struct Deferral : Task {
  SharedEvent event;
  TypeEntry* type = nullptr;
  SubscriptionRecord* record = nullptr;
  std::uint64_t serial = 0;  ///< of the subscription: the record may have another tenant by then
  unsigned attempt = 1;
  Lane* lane = nullptr;         ///< that gets it back when its time has come; null: none
  LaneQueue::Index lane_key{};  ///< under which the lane waits for it
  void* maker = nullptr;        ///< of the calls; for `run`

  Deferral* earlier = nullptr;  ///< neighbours in the list of Deferrals
  Deferral* later = nullptr;
};

/// Owns the deferrals of a bus, and bounds their number. Until its time has come a deferral is known
/// to the timer, then to the queue, then to the worker that runs it.
///
/// Thread safety: any thread; takes a mutex for a moment, under which nothing is destroyed.
class Deferrals {
 public:
  /// @param limit  how many may wait at once // deliveries
  /// @param queue  where those that are due wait for a worker
  /// @param timer  where the others wait
  /// @param run    what a worker does with one: delivers it, then calls retire() or drop()
  /// @param maker  given to `run` in the deferral
  Deferrals(std::size_t limit, EventQueue& queue, Timer& timer, decltype(Task::run) run,
            void* maker) noexcept
      : limit_{limit}, queue_{queue}, timer_{timer}, run_{run}, maker_{maker} {}
  Deferrals(const Deferrals&) = delete;
  Deferrals& operator=(const Deferrals&) = delete;
  ~Deferrals() { drop_all(); }

  /// Puts off the delivery that `call` is in.
  /// @param lane  that is to have it back; null: none
  /// @return  false if there are too many, the bus ends, or the event cannot be copied
  /// @throws  std::bad_alloc, std::system_error (no thread), what copying the payload throws
  bool defer(const Call& call, std::chrono::nanoseconds delay, Lane* lane = nullptr,
             LaneQueue::Index lane_key = {}) {
    SharedEvent event =
        call.shared != nullptr ? *call.shared : call.type->operations->share(call.event);
    Deferral* deferral = event ? make() : nullptr;
    if (deferral == nullptr) return false;
    const SubscriptionRecord* record = call.frame->current.load(std::memory_order_relaxed);
    deferral->event = std::move(event);
    deferral->type = call.type;
    deferral->record = const_cast<SubscriptionRecord*>(record);
    deferral->serial = record->tenant.load(std::memory_order_relaxed);
    deferral->attempt = call.attempt + 1;
    deferral->lane = lane;
    deferral->lane_key = lane_key;
    bool arranged = false;
    try {
      arranged = arrange(*deferral, call, delay);
    } catch (...) {
      unmake(*deferral);
      throw;
    }
    if (!arranged) unmake(*deferral);
    return arranged;
  }

  /// After its delivery.
  void retire(Deferral& deferral) noexcept {
    {
      const std::lock_guard lock{mutex_};
      (deferral.earlier != nullptr ? deferral.earlier->later : first_) = deferral.later;
      if (deferral.later != nullptr) deferral.later->earlier = deferral.earlier;
    }
    delete &deferral;
    // release: whoever sees that nothing is pending sees what the delivery did
    pending_.fetch_sub(1, std::memory_order_release);
  }
  /// After it turned out that its subscription has ended.
  void drop(Deferral& deferral) noexcept {
    EventAccess::header(*deferral.event).receipt.fail();
    dropped_.fetch_add(1, std::memory_order_relaxed);
    retire(deferral);
  }
  /// Drops what is left. @pre neither the timer nor a worker runs any more
  /// @return how many
  std::uint64_t drop_all() noexcept {
    std::uint64_t count = 0;
    for (; first_ != nullptr; ++count) drop(*first_);
    return count;
  }

  /// How many wait now. // deliveries
  [[nodiscard]] std::size_t pending() const noexcept {
    return pending_.load(std::memory_order_acquire);
  }
  /// How many were made, and dropped undelivered, so far. // deliveries
  /// @{
  [[nodiscard]] std::uint64_t made() const noexcept { return made_.load(); }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(); }
  /// @}

 private:
  /// @return  a deferral to be filled in; null if there are too many
  Deferral* make() {
    // Before it is known to be made: whoever sees the event handled sees that something is pending.
    if (pending_.fetch_add(1, std::memory_order_relaxed) >= limit_) {
      pending_.fetch_sub(1, std::memory_order_release);
      return nullptr;
    }
    Deferral* deferral = nullptr;
    try {
      deferral = new Deferral;
    } catch (...) {
      pending_.fetch_sub(1, std::memory_order_release);
      throw;
    }
    deferral->run = run_;
    deferral->maker = maker_;
    deferral->abandon = [](Task&) noexcept {};  // drop_all() finds it
    const std::lock_guard lock{mutex_};
    deferral->later = first_;
    if (first_ != nullptr) first_->earlier = deferral;
    first_ = deferral;
    made_.fetch_add(1, std::memory_order_relaxed);
    return deferral;
  }

  /// Takes one back: it does not count as made.
  void unmake(Deferral& deferral) noexcept {
    made_.fetch_sub(1, std::memory_order_relaxed);
    retire(deferral);
  }

  bool arrange(Deferral& deferral, const Call& call, std::chrono::nanoseconds delay) {
    if (delay <= std::chrono::nanoseconds::zero()) return queue_.post(deferral);
    const SteadyTime time = later(Call::now(call), delay);
    return timer_.schedule(time, [this, &deferral] { queue_.post(deferral); }).serial != 0;
  }

  const std::size_t limit_;
  EventQueue& queue_;
  Timer& timer_;
  const decltype(Task::run) run_;
  void* const maker_;
  std::atomic<std::size_t> pending_{0};
  std::atomic<std::uint64_t> made_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;
  Deferral* first_ = nullptr;
};

}  // namespace gossip::detail
