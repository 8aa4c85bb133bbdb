// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Timer: runs short tasks at points in time. Layer: dispatch.

#include <gossip/core/clock.hpp>
#include <gossip/core/condition_variable.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/start_thread.hpp>
#include <gossip/dispatch/timer_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace gossip::detail {

/// Runs tasks in the order of their times, tasks of one time in the order of their scheduling, one
/// after the other. By default on a thread of its own, which is started with the first task and
/// sleeps until the next is due; a driven timer has no thread and runs what is due inside
/// run_due(), which a manual clock calls.
///
/// Thread safety: all members from any thread. No task runs under a lock; tasks must not throw.
class Timer {
 public:
  enum class Drive : std::uint8_t { own_thread, run_due };

  /// @param clock  where the time comes from; callable from any thread
  explicit Timer(const ClockView& clock, Drive drive = Drive::own_thread) noexcept
      : clock_{clock}, drive_{drive} {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  /// Runs `action()` at `time`, or as soon as possible if that is past.
  /// @return  its id, for cancel(); an empty one after stop(), and the action is dropped
  /// @throws  std::bad_alloc, std::system_error (no thread), what moving the action throws
  /// @par Complexity  logarithmic in the number of tasks; one allocation
  template <class Action>
  TimerId schedule(SteadyTime time, Action action) {
    struct ActionTask : TimerTask {
      explicit ActionTask(Action&& what) : action{std::move(what)} {}
      Action action;
    };
    auto* task = new ActionTask{std::move(action)};
    task->run = [](TimerTask& self) noexcept {
      auto& due = static_cast<ActionTask&>(self);
      due.action();
      delete &due;
    };
    task->destroy = [](TimerTask* self) noexcept { delete static_cast<ActionTask*>(self); };
    Removed dropped{task};  // unless it gets into the queue
    const TimerId id = insert(time, *task);
    if (id.serial != 0) dropped.task = nullptr;
    return id;
  }

  /// Runs `task` at `time`, without an allocation.
  /// @param task  with `run` and `destroy` set; the timer's from now on, until one of them is called.
  /// @return      its id, for cancel(); an empty one after stop(): the task is still the caller's
  /// @throws      std::system_error (no thread): likewise
  /// @par Complexity  logarithmic in the number of tasks
  TimerId insert(SteadyTime time, TimerTask& task) {
    const std::lock_guard lock{mutex_};
    if (stopped_) return {};
    if (drive_ == Drive::own_thread && !thread_.joinable()) {
      thread_ = start_thread([](void* self) { static_cast<Timer*>(self)->run(); }, this);
    }
    task.id = {time, ++last_serial_};
    tasks_.insert(task);
    if (time < wakes_at_) {
      wakes_at_ = time;
      changed_.notify_all();
    }
    return task.id;
  }

  /// Takes a task back. When it returns, the task is not running and never will (but from inside
  /// the task itself it returns at once).
  /// @return          true if the task had not begun
  /// @par Blocking    while the task runs
  bool cancel(TimerId id) {
    Removed cancelled;  // what the task captured is destroyed outside the lock
    std::unique_lock lock{mutex_};
    cancelled.task = tasks_.extract(id);
    if (cancelled.task != nullptr) return true;
    if (runner_ != std::this_thread::get_id()) {
      while (running_ == id && id.serial != 0) changed_.wait(lock);
    }
    return false;
  }

  /// Waits until it is `time`. A template, so that only its users pay for compiling it.
  /// @return          false if a stop is requested first, or the timer ends; at once if called from
  ///                  a task, for which all others would have to wait
  template <class Time>
  bool wait_until(const std::stop_token& stop, Time time) {
    const std::stop_callback wake{stop, [this] {
                                    const std::lock_guard lock{mutex_};
                                    changed_.notify_all();
                                  }};
    std::unique_lock lock{mutex_};
    for (;;) {
      if (stopped_ || stop.stop_requested() || runner_ == std::this_thread::get_id()) return false;
      if (now() >= time) return true;
      if (drive_ == Drive::own_thread) {
        changed_.wait_until(lock, time);
      } else if (pass_.call != nullptr && pass_.thread == std::this_thread::get_id()) {
        lock.unlock();
        pass_.call(pass_.context, time);
        lock.lock();
      } else {
        changed_.wait(lock);  // run_due() notifies
      }
    }
  }

  /// Of a driven timer: lets the calling thread, which drives the clock too, wait for a time by calling
  /// `pass(context, time)`, which makes it that time; null: no longer.
  void pass_time_by(void (*pass)(void* context, SteadyTime time), void* context) {
    const std::lock_guard lock{mutex_};
    pass_ = {pass, context, std::this_thread::get_id()};
  }

  /// Runs what is due on the calling thread, also what the tasks themselves schedule.
  void run_due() {
    std::unique_lock lock{mutex_};
    changed_.notify_all();                              // whoever waits for a time
    if (runner_ == std::this_thread::get_id()) return;  // from a task: the outer call goes on
    while (!tasks_.empty() && tasks_.first()->id.time <= now()) run_first(lock);
  }

  /// Drops all tasks, waits for the running one and ends the thread. Idempotent.
  void stop() noexcept {
    TimerQueue dropped;  // destroyed outside the lock
    Thread ended;
    {
      std::unique_lock lock{mutex_};
      stopped_ = true;
      dropped = std::move(tasks_);
      tasks_ = {};
      changed_.notify_all();
      if (runner_ != std::this_thread::get_id()) {  // from a task: the destructor joins
        while (running_.serial != 0) changed_.wait(lock);
        ended = std::move(thread_);
      }
    }
    while (TimerTask* task = dropped.first()) Removed{dropped.extract(task->id)};
    if (ended.joinable()) ended.join();
  }

  /// When the first task is due; SteadyTime::max() if there is none.
  [[nodiscard]] SteadyTime next() const {
    const std::lock_guard lock{mutex_};
    return tasks_.empty() ? SteadyTime::max() : tasks_.first()->id.time;
  }
  /// Number of tasks that have not begun. // tasks
  [[nodiscard]] std::size_t pending() const {
    const std::lock_guard lock{mutex_};
    return tasks_.size();
  }

 private:
  /// A task that has been taken out of the queue.
  struct Removed {
    Removed() noexcept = default;
    explicit Removed(TimerTask* from_queue) noexcept : task{from_queue} {}
    Removed(const Removed&) = delete;
    Removed& operator=(const Removed&) = delete;
    ~Removed() {
      if (task != nullptr) task->destroy(task);
    }

    TimerTask* task = nullptr;
  };

  struct Pass {
    void (*call)(void* context, SteadyTime time) = nullptr;
    void* context = nullptr;
    std::thread::id thread{};
  };

  [[nodiscard]] SteadyTime now() const { return clock_.now(clock_.clock); }

  void run() {
    std::unique_lock lock{mutex_};
    while (!stopped_) {
      const SteadyTime time = tasks_.empty() ? SteadyTime::max() : tasks_.first()->id.time;
      if (!tasks_.empty() && time <= now()) {
        run_first(lock);
        continue;
      }
      wakes_at_ = time;
      if (tasks_.empty()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, time);
      }
      wakes_at_ = SteadyTime::min();
    }
  }

  void run_first(std::unique_lock<std::mutex>& lock) {
    running_ = tasks_.first()->id;
    runner_ = std::this_thread::get_id();
    TimerTask* first = tasks_.extract(running_);
    lock.unlock();
    first->run(*first);
    lock.lock();
    running_ = {};
    runner_ = {};
    changed_.notify_all();
  }

  const ClockView clock_;
  const Drive drive_;
  mutable std::mutex mutex_;
  ConditionVariable changed_;
  TimerQueue tasks_;
  TimerId running_{};
  std::thread::id runner_{};
  std::uint64_t last_serial_ = 0;
  bool stopped_ = false;
  Pass pass_;
  /// Until when the thread sleeps; a task that is due earlier has to wake it. It never sleeps beyond
  /// the first task, but until one that has been cancelled.
  SteadyTime wakes_at_ = SteadyTime::min();
  Thread thread_;
};

}  // namespace gossip::detail
