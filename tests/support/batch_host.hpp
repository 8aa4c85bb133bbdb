// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ManualBatchHost: lends batches a time that stands still and threads that are the test's own.

#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/timer.hpp>
#include <gossip/processing/batch_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace gossip::test {

/// What a batch posts waits until the test runs it; timers run inside clock.advance().
class ManualBatchHost {
 public:
  ManualBatchHost() = default;
  ManualBatchHost(const ManualBatchHost&) = delete;
  ManualBatchHost& operator=(const ManualBatchHost&) = delete;
  ~ManualBatchHost() {
    while (run_one()) {
    }
  }

  friend detail::BatchExecutor batch_executor(ManualBatchHost& host) {
    detail::BatchExecutor executor;
    executor.owner = std::shared_ptr<void>{std::shared_ptr<void>{}, &host};
    executor.timer = &host.timer_;
    executor.now = [](void* self) noexcept { return of(self).clock.now(); };
    executor.post = [](void* self, detail::BatchTask& task) noexcept { return of(self).add(task); };
    executor.stamp = [](void* self) noexcept { return detail::EventTime{of(self).clock.ticks()}; };
    executor.source = &host.source_;
    return executor;
  }

  /// Runs the first task that was posted. @return false if there is none
  bool run_one() {
    detail::BatchTask* task = nullptr;
    {
      const std::lock_guard lock{mutex_};
      if (posted_.empty()) return false;
      task = posted_.front();
      posted_.pop_front();
    }
    task->go();
    return true;
  }
  /// Runs all that is posted, and what that posts. @return how many
  std::size_t run() {
    std::size_t count = 0;
    while (run_one()) ++count;
    return count;
  }
  [[nodiscard]] std::size_t posted() const {
    const std::lock_guard lock{mutex_};
    return posted_.size();
  }
  [[nodiscard]] std::size_t timers() const { return timer_.pending(); }

  /// From now on nothing can be posted, or scheduled.
  void end() {
    const std::lock_guard lock{mutex_};
    ended_ = true;
    timer_.stop();
  }

  ManualClock clock;

 private:
  static ManualBatchHost& of(void* self) { return *static_cast<ManualBatchHost*>(self); }

  bool add(detail::BatchTask& task) {
    const std::lock_guard lock{mutex_};
    if (ended_) return false;
    posted_.push_back(&task);
    return true;
  }

  detail::EventSource source_{1, &clock, detail::ClockView::of(clock).to_time};
  detail::Timer timer_{detail::ClockView::of(clock), detail::Timer::Drive::run_due};
  std::shared_ptr<void> follower_ = clock.follow([this] { timer_.run_due(); });
  mutable std::mutex mutex_;
  std::deque<detail::BatchTask*> posted_;
  bool ended_ = false;
};

}  // namespace gossip::test
