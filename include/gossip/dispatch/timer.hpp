// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Timer: runs short tasks at points in time. Layer: dispatch.

#include <gossip/core/clock.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace gossip::detail {

/// Names a scheduled task.
struct TimerId {
  SteadyTime time{};
  std::uint64_t serial = 0;  ///< 0 means "no task"

  [[nodiscard]] friend constexpr bool operator==(const TimerId&, const TimerId&) = default;
  [[nodiscard]] friend constexpr bool operator<(const TimerId& a, const TimerId& b) noexcept {
    return a.time != b.time ? a.time < b.time : a.serial < b.serial;
  }
};

/// Runs tasks in the order of their times, tasks of one time in the order of their scheduling, one
/// after the other. By default on a thread of its own, which is started with the first task and
/// sleeps until the next is due; a driven timer has no thread and runs what is due inside
/// run_due(), which a manual clock calls.
///
/// Thread safety: all members from any thread. No task runs under a lock; tasks must not throw.
class Timer {
  using Tasks = std::map<TimerId, std::function<void()>>;

 public:
  using Task = std::function<void()>;
  enum class Drive : std::uint8_t { own_thread, run_due };

  /// @param now  where the time comes from; callable from any thread
  explicit Timer(std::function<SteadyTime()> now, Drive drive = Drive::own_thread)
      : now_{std::move(now)}, drive_{drive} {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  /// Runs `task` at `time`, or as soon as possible if that is past.
  /// @return  its id, for cancel(); an empty one after stop(), and the task is dropped
  /// @throws  std::bad_alloc, std::system_error (no thread)
  /// @par Complexity  logarithmic in the number of tasks
  TimerId schedule(SteadyTime time, Task task) {
    const std::lock_guard lock{mutex_};
    if (stopped_) return {};
    if (drive_ == Drive::own_thread && !thread_.joinable()) {
      thread_ = std::thread{[this] { run(); }};
    }
    const TimerId id{time, ++last_serial_};
    const auto at = tasks_.emplace(id, std::move(task)).first;
    if (at == tasks_.begin()) changed_.notify_all();
    return id;
  }

  /// Takes a task back. When it returns, the task is not running and never will (but from inside
  /// the task itself it returns at once).
  /// @return          true if the task had not begun
  /// @par Blocking    while the task runs
  bool cancel(TimerId id) {
    Tasks::node_type cancelled;  // what the task captured is destroyed outside the lock
    std::unique_lock lock{mutex_};
    cancelled = tasks_.extract(id);
    if (cancelled) return true;
    if (runner_ != std::this_thread::get_id()) {
      changed_.wait(lock, [&] { return running_ != id || id.serial == 0; });
    }
    return false;
  }

  /// Runs what is due on the calling thread, also what the tasks themselves schedule.
  void run_due() {
    std::unique_lock lock{mutex_};
    if (runner_ == std::this_thread::get_id()) return;  // from a task: the outer call goes on
    while (!tasks_.empty() && tasks_.begin()->first.time <= now_()) run_first(lock);
  }

  /// Drops all tasks, waits for the running one and ends the thread. Idempotent.
  void stop() noexcept {
    Tasks dropped;  // destroyed outside the lock
    std::thread ended;
    {
      std::unique_lock lock{mutex_};
      stopped_ = true;
      dropped.swap(tasks_);
      changed_.notify_all();
      if (runner_ == std::this_thread::get_id()) return;  // from a task: the destructor joins
      changed_.wait(lock, [this] { return running_.serial == 0; });
      ended.swap(thread_);
    }
    if (ended.joinable()) ended.join();
  }

  /// Number of tasks that have not begun. // tasks
  [[nodiscard]] std::size_t pending() const {
    const std::lock_guard lock{mutex_};
    return tasks_.size();
  }

 private:
  void run() {
    std::unique_lock lock{mutex_};
    while (!stopped_) {
      if (tasks_.empty()) {
        changed_.wait(lock);
      } else if (const SteadyTime time = tasks_.begin()->first.time; time > now_()) {
        changed_.wait_until(lock, time);
      } else {
        run_first(lock);
      }
    }
  }

  void run_first(std::unique_lock<std::mutex>& lock) {
    auto node = tasks_.extract(tasks_.begin());
    running_ = node.key();
    runner_ = std::this_thread::get_id();
    lock.unlock();
    node.mapped()();
    node = {};  // destroys what the task captured outside the lock
    lock.lock();
    running_ = {};
    runner_ = {};
    changed_.notify_all();
  }

  const std::function<SteadyTime()> now_;
  const Drive drive_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Tasks tasks_;
  TimerId running_{};
  std::thread::id runner_{};
  std::uint64_t last_serial_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace gossip::detail
