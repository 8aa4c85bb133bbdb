// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Lane: where the events of one subscription wait, if it asked for an order, a cap or an overflow
/// policy of its own, and who runs them. Layer: dispatch.

#include <gossip/core/owner.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/dispatch/lane_host.hpp>
#include <gossip/dispatch/lane_places.hpp>
#include <gossip/dispatch/lane_queue.hpp>
#include <gossip/dispatch/lane_statistics.hpp>
#include <gossip/dispatch/ordering.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace gossip::detail {

struct SubscriptionRecord;

/// A place for the waiting events of a subscription, its tenant. Like a SubscriptionRecord it is
/// never freed while the bus lives, only reused under a new serial, so that a publisher may come
/// back to one whose tenant has ended. A new tenant moves in once the former one's processor is gone
/// and no runner is at work.
///
/// What the bus calls is virtual, so that programs that never ask for a lane compile nothing of it.
///
/// Thread safety: any thread. Takes a mutex for a moment, under which no user code runs.
class Lane {
 public:
  /// An event that a runner is to deliver.
  struct Work {
    LaneQueue::Taken taken;
    SubscriptionRecord* record = nullptr;  ///< of the tenant
    std::uint64_t serial = 0;              ///< of the tenant
  };

  /// @param runners  the most that a tenant may have
  /// @throws std::bad_alloc
  Lane(const LaneHost& host, std::size_t runners) : host_{host}, runners_{runners} {
    for (std::size_t i = 0; i < runners; ++i) {
      LaneRunner& runner = runners_[i];
      runner.run = host.run;
      runner.abandon = [](Task& task) noexcept {
        auto& abandoned = static_cast<LaneRunner&>(task);
        abandoned.lane->abandon(abandoned);
      };
      runner.lane = this;
      runner.rest(idle_);
    }
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  virtual ~Lane() = default;

  // ---- For the registry -----------------------------------------------------------------------

  [[nodiscard]] const LaneHost& host() const noexcept { return host_; }
  [[nodiscard]] LaneLinks& links() noexcept { return links_; }

  /// A tenant moves in. @pre vacant
  virtual void open(SubscriptionRecord& record, std::uint64_t serial, LaneTerms& terms) noexcept {
    ordering_ = std::move(terms.ordering);
    const std::lock_guard lock{mutex_};
    overflow_ = terms.overflow;
    limit_ = terms.runners;
    queue_ = std::move(terms.queue);
    capacity_ = queue_->capacity();
    record_ = &record;
    before_ = counts_;
    vacated_ = false;
    reserved_ = 0;
    note_use();
    serial_.store(serial, std::memory_order_release);
  }

  /// The tenant's subscription has ended: drops what waits, and wakes who waits for a place.
  virtual void end(std::uint64_t serial) noexcept {
    Owner<LaneQueue> queue;
    std::size_t dropped = 0;
    {
      const std::lock_guard lock{mutex_};
      if (!serves(serial)) return;
      serial_.store(0, std::memory_order_release);
      if (queue_) {
        dropped = queue_->waiting() + queue_->retrying();
        counts_.unsubscribed += dropped;
        // They find the lane ended. Under the lock: sweep() waits, and so does who deletes them.
        queue_->for_each_retry([this](Task& retry) { host_.queue->post(retry); });
        queue = std::move(queue_);
      }
    }
    places_.notify_all();
    discard(queue);
    host_.pending->fetch_sub(dropped, std::memory_order_release);
    host_.idle->notify();
  }

  /// The tenant's processor is gone, and nobody asks for keys any more.
  virtual void vacate() noexcept {
    { const Ordering forgotten = std::move(ordering_); }
    bool vacant = false;
    {
      const std::lock_guard lock{mutex_};
      vacated_ = true;
      vacant = at_work_ == 0;
    }
    if (vacant) host_.vacant(host_.owner, *this);
  }

  /// Of the tenant's events. @pre the tenant's record is announced
  [[nodiscard]] const Ordering& ordering() const noexcept { return ordering_; }

  // ---- For publishers -------------------------------------------------------------------------

  /// Asks for a place, if the overflow policy demands one beforehand.
  LaneReservation reserve(std::uint64_t serial) noexcept {
    const std::lock_guard lock{mutex_};
    if (!serves(serial)) return LaneReservation::gone;
    if (!queue_ || (overflow_ != LaneOverflow::block && overflow_ != LaneOverflow::reject)) {
      return LaneReservation::not_needed;
    }
    if (queue_->waiting() + reserved_ >= capacity_) return LaneReservation::full;
    ++reserved_;
    note_use();
    return LaneReservation::granted;
  }
  void give_back(std::uint64_t serial) noexcept {
    {
      const std::lock_guard lock{mutex_};
      if (!serves(serial) || !queue_) return;
      --reserved_;
      note_use();
    }
    places_.notify();
  }
  /// After LaneReservation::full: true if to wait for a place is the policy.
  [[nodiscard]] bool blocks(std::uint64_t serial) noexcept {
    const std::lock_guard lock{mutex_};
    return !serves(serial) || overflow_ == LaneOverflow::block;
  }
  void count_rejected(std::uint64_t serial) noexcept {
    const std::lock_guard lock{mutex_};
    if (serves(serial)) ++counts_.rejected;
  }

  /// Where publishers wait for a place.
  [[nodiscard]] LanePlaces& places() noexcept { return places_; }
  /// True if the tenant of that serial has not moved out.
  [[nodiscard]] bool serves(std::uint64_t serial) const noexcept {
    return serial_.load(std::memory_order_acquire) == serial;
  }

  /// Lets an event wait. Where places are reserved, the reservation is used up.
  /// @param key  what the tenant's ordering said; not used where it orders nothing
  void place(std::uint64_t serial, std::uint64_t key, SharedEvent event, TypeEntry& type) noexcept {
    SharedEvent displaced;  // as `event` destroyed outside the lock
    LaneRunner* runner = nullptr;
    {
      const std::lock_guard lock{mutex_};
      if (!serves(serial)) return fail(event);  // the subscription has ended meanwhile
      if (queue_) {
        runner = place_in_turn(key, event, type, displaced);
      } else {  // it was swept meanwhile
        ++counts_.accepted;
        ++counts_.abandoned;
        ++*host_.abandoned;
        fail(event);
      }
    }
    if (displaced) fail(displaced);
    if (runner != nullptr) post(*runner);
  }

  // ---- For runners ----------------------------------------------------------------------------

  /// A runner that was posted begins. @return false if there is nothing to do: it is idle
  bool begin(LaneRunner& runner, Work& work) noexcept {
    bool taken = false;
    bool vacant = false;
    {
      const std::lock_guard lock{mutex_};
      --posted_;
      taken = take(work);
      if (!taken) vacant = rest(runner);
    }
    if (taken) places_.notify();
    if (vacant) host_.vacant(host_.owner, *this);
    return taken;
  }

  /// After the call that `work` asked for, and once its event has been destroyed.
  /// @param work   given what is to be delivered next
  /// @param go_on  false: the worker is to do something else first; the runner is posted again
  /// @return       false if this runner is done for now
  bool next(LaneRunner& runner, Work& work, LaneOutcome outcome, bool go_on) noexcept {
    bool taken = false;
    bool repost = false;
    bool vacant = false;
    bool final = true;
    {
      const std::lock_guard lock{mutex_};
      --running_;
      final = settle(work, outcome);
      if (go_on) taken = take(work);
      if (!taken) {
        repost = queue_ && queue_->ready() != 0;
        if (repost) {
          ++posted_;
        } else {
          vacant = rest(runner);
        }
      }
    }
    // release: whoever sees that nothing is pending sees what the call did
    if (final) host_.pending->fetch_sub(1, std::memory_order_release);
    if (taken) places_.notify();
    if (repost) post(runner);
    if (vacant) host_.vacant(host_.owner, *this);
    return taken;
  }

  /// True if one more event may wait for another attempt.
  [[nodiscard]] bool may_retry(std::uint64_t serial) noexcept {
    const std::lock_guard lock{mutex_};
    return serves(serial) && queue_ && queue_->retrying() < capacity_;
  }
  /// The time for another attempt has come. @return false if the tenant has ended
  virtual bool resume(std::uint64_t serial, LaneQueue::Index key, Task& retry) noexcept {
    LaneRunner* runner = nullptr;
    {
      const std::lock_guard lock{mutex_};
      if (!serves(serial) || !queue_) return false;
      queue_->resume(key, retry);
      runner = runner_to_post();
    }
    if (runner != nullptr) post(*runner);
    return true;
  }

  // ---- Life -----------------------------------------------------------------------------------

  /// Drops what is left, and whatever comes. @pre no worker runs any more
  virtual void sweep() noexcept {
    Owner<LaneQueue> queue;
    std::size_t left = 0;
    {
      const std::lock_guard lock{mutex_};
      if (!queue_) return;
      left = queue_->waiting() + queue_->retrying();
      counts_.abandoned += left;
      queue = std::move(queue_);
    }
    discard(queue);
    *host_.abandoned += left;
    host_.pending->fetch_sub(left, std::memory_order_release);
  }

  /// Of all tenants.
  [[nodiscard]] LaneStatistics totals() const noexcept {
    const std::lock_guard lock{mutex_};
    return with_present(counts_);
  }
  /// Of the present one.
  [[nodiscard]] LaneStatistics statistics() const noexcept {
    const std::lock_guard lock{mutex_};
    return with_present(counts_).since(before_);
  }

 private:
  /// Lets a provider know that an event was dropped.
  static void fail(const SharedEvent& event) noexcept {
    EventAccess::header(*event).receipt.fail();
  }

  /// Drops what is in a queue that nobody else sees. Outside the lock: it destroys events.
  static void discard(Owner<LaneQueue>& queue) noexcept {
    if (queue) queue->for_each_event([](const SharedEvent& event) { fail(event); });
    queue.reset();
  }

  void note_use() noexcept { places_.set(queue_ ? queue_->waiting() + reserved_ : 0, capacity_); }

  /// @return a runner to be posted
  LaneRunner* place_in_turn(std::uint64_t key, SharedEvent& event, TypeEntry& type,
                            SharedEvent& displaced) noexcept {
    if (overflow_ == LaneOverflow::drop_newest && queue_->full()) {
      ++counts_.dropped_newest;
      fail(event);
      return nullptr;
    }
    ++counts_.accepted;
    if (overflow_ == LaneOverflow::coalesce && queue_->replace(key, event, type)) {
      ++counts_.coalesced;
      return nullptr;
    }
    if (overflow_ == LaneOverflow::block || overflow_ == LaneOverflow::reject) {
      --reserved_;
      host_.pending->fetch_add(1, std::memory_order_relaxed);
    } else if (queue_->full()) {
      displaced = queue_->drop_oldest();
      ++counts_.dropped_oldest;
    } else {
      host_.pending->fetch_add(1, std::memory_order_relaxed);
    }
    const bool alone = ordering_.kind() == Ordering::Kind::unordered;
    if (alone && overflow_ != LaneOverflow::coalesce) {
      queue_->put(std::move(event), type);
    } else {
      queue_->put(key, std::move(event), type);
    }
    note_use();
    return runner_to_post();
  }

  LaneRunner* runner_to_post() noexcept {
    if (queue_->ready() <= posted_ || at_work_ == limit_) return nullptr;
    LaneRunner* runner = idle_;
    idle_ = runner->next_idle;
    ++at_work_;
    ++posted_;
    return runner;
  }
  void post(LaneRunner& runner) noexcept {
    if (!host_.queue->post(runner)) abandon(runner);
  }
  void abandon(LaneRunner& runner) noexcept {
    bool vacant = false;
    {
      const std::lock_guard lock{mutex_};
      --posted_;
      vacant = rest(runner);
    }
    if (vacant) host_.vacant(host_.owner, *this);
  }

  bool take(Work& work) noexcept {
    if (!queue_ || !queue_->take(work.taken)) return false;
    ++running_;
    work.record = record_;
    work.serial = serial_.load(std::memory_order_relaxed);
    note_use();
    return true;
  }
  /// @return true if the event is done with
  bool settle(const Work& work, LaneOutcome outcome) noexcept {
    const bool ours = serial_.load(std::memory_order_relaxed) == work.serial && queue_;
    if (outcome == LaneOutcome::deferred && ours) {
      queue_->suspend(work.taken.key);
      return false;
    }
    ++(outcome == LaneOutcome::handled ? counts_.handled : counts_.unsubscribed);
    if (ours) queue_->done(work.taken.key);
    return true;
  }
  /// @return true if the lane may have another tenant from now on
  bool rest(LaneRunner& runner) noexcept {
    runner.rest(idle_);
    --at_work_;
    return at_work_ == 0 && vacated_;
  }

  [[nodiscard]] LaneStatistics with_present(LaneStatistics counts) const noexcept {
    counts.waiting = queue_ ? queue_->waiting() : 0;
    counts.in_flight = running_ + (queue_ ? queue_->retrying() : 0);
    counts.capacity = vacated_ ? 0 : capacity_;
    return counts;
  }

  const LaneHost& host_;
  LaneLinks links_;
  const Owner<LaneRunner[]> runners_;
  Ordering ordering_;                     ///< written while there is no tenant
  std::atomic<std::uint64_t> serial_{0};  ///< the tenant's; 0: none; written under the lock
  LanePlaces places_;

  mutable std::mutex mutex_;
  Owner<LaneQueue> queue_;  ///< null: there is no tenant, or all was swept
  LaneOverflow overflow_ = LaneOverflow::block;
  SubscriptionRecord* record_ = nullptr;
  LaneRunner* idle_ = nullptr;
  std::size_t limit_ = 0;     ///< how many may be at work // runners
  std::size_t at_work_ = 0;   ///< posted, or running // runners
  std::size_t posted_ = 0;    ///< not begun // runners
  std::size_t running_ = 0;   ///< making a call // runners
  std::size_t reserved_ = 0;  ///< places // events
  std::size_t capacity_ = 0;  ///< places // events
  bool vacated_ = true;       ///< the last tenant's processor is gone
  LaneStatistics counts_;     ///< of all tenants
  LaneStatistics before_;     ///< of the former ones
};

}  // namespace gossip::detail
