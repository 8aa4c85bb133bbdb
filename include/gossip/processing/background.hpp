// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Background: the timer and the threads of all batches without a bus. Layer: processing.

#include <gossip/core/clock.hpp>
#include <gossip/core/condition_variable.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/start_thread.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/timer.hpp>
#include <gossip/processing/batch_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

namespace gossip::detail {

/// A timer, and a few threads that run what is posted; each starts when it is first needed, none
/// belongs to one batch. Processors never run on the timer's thread, so a slow one delays no other
/// batch's period; processors that keep all `max_threads` busy delay other batches' processors.
///
/// Thread safety: all members from any thread, but construction and destruction.
class Background {
 public:
  /// How many threads run processors, at most. // threads
  static constexpr std::size_t max_threads = 4;

  Background() = default;
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() { stop(); }

  /// The one that all batches without a bus share. Its threads end when the process exits, after
  /// the destructors of static objects that have used it; what is posted then is refused.
  [[nodiscard]] static Background& shared() {
    // Never destroyed: a batch may outlive every static object.
    static Background& background = *new Background;
    static const Stopper at_exit{background};
    return background;
  }

  /// Runs `task` soon on one of the threads.
  /// @return        false after stop(), or if no thread can be had
  /// @par Blocking  a mutex, for the time it takes to start a thread at most
  bool post(BatchTask& task) noexcept {
    const std::lock_guard lock{mutex_};
    const std::uint64_t waiting = tasks_.pushed() - tasks_.popped();
    if (!stopped_ && idle_ <= waiting && started_ < max_threads) add_thread();
    if (started_ == 0 || !tasks_.try_push(task)) return false;
    changed_.notify_one();
    return true;
  }

  /// Runs what was posted, and ends the threads. Idempotent.
  void stop() noexcept {
    timer_.stop();
    Thread ended[max_threads];
    {
      const std::lock_guard lock{mutex_};
      stopped_ = true;
      tasks_.close();
      for (; started_ > 0; --started_) ended[started_ - 1] = std::move(threads_[started_ - 1]);
      changed_.notify_all();
    }
    for (Thread& thread : ended) {
      if (!thread.joinable()) continue;
      if (thread.is_current()) {
        thread.detach();  // a processor ends the process
      } else {
        thread.join();
      }
    }
    while (run_one()) {
    }
  }

  /// The executor of a batch without a bus: real time, and these threads.
  template <class Executor = BatchExecutor>
  [[nodiscard]] Executor executor() {
    Executor executor;
    executor.owner = {decltype(executor.owner){}, this};  // owns nothing
    executor.timer = &timer_;
    executor.now = [](void* self) noexcept { return static_cast<Background*>(self)->clock_.now(); };
    executor.post = [](void* self, BatchTask& task) noexcept {
      return static_cast<Background*>(self)->post(task);
    };
    executor.stamp = [](void* self) noexcept {
      return EventTime{static_cast<Background*>(self)->clock_.ticks()};
    };
    executor.source = &source_;
    return executor;
  }

 private:
  struct Stopper {
    explicit Stopper(Background& of) noexcept : background{of} {}
    Stopper(const Stopper&) = delete;
    Stopper& operator=(const Stopper&) = delete;
    ~Stopper() { background.stop(); }

    Background& background;
  };

  void add_thread() noexcept {
    try {
      threads_[started_] =
          start_thread([](void* self) { static_cast<Background*>(self)->work(); }, this);
      ++started_;
    } catch (const std::exception&) {
      // What is posted is left to the threads that there are.
    }
  }

  void work() noexcept {
    for (;;) {
      while (run_one()) {
      }
      std::unique_lock lock{mutex_};
      if (!tasks_.empty()) continue;
      if (stopped_) return;
      ++idle_;
      changed_.wait(lock);
      --idle_;
    }
  }

  bool run_one() noexcept {
    auto* task = static_cast<BatchTask*>(tasks_.try_pop());
    if (task == nullptr) return false;
    task->go();
    return true;
  }

  const TickClock clock_{};
  const EventSource source_{0, &clock_, ClockView::of(clock_).to_time};
  Timer timer_{ClockView::of(clock_)};
  std::mutex mutex_;
  ConditionVariable changed_;
  TaskQueue tasks_;
  std::size_t idle_ = 0;
  bool stopped_ = false;
  std::size_t started_ = 0;  ///< of `threads_`
  Thread threads_[max_threads];
};

}  // namespace gossip::detail
