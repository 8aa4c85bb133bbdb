// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TaskQueue: work for the workers that is not an event in the queue: retries, ordered lanes,
/// flushes. Layer: dispatch.

#include <atomic>
#include <cstdint>
#include <mutex>

namespace gossip::detail {

struct ThreadSlot;

/// A piece of work, owned by whoever posted it, who also bounds how many there are.
struct Task {
  /// Does the work on a worker; `task` may be gone or posted anew when it returns. Must not throw.
  void (*run)(Task& task, ThreadSlot& slot) noexcept = nullptr;
  /// Called instead of `run`, if no worker will.
  void (*abandon)(Task& task) noexcept = nullptr;
  Task* next = nullptr;  ///< the queue's
};

/// First in, first out. Posting neither allocates nor fails, but after close().
///
/// Thread safety: any thread. Progress: `empty` is wait-free, the rest takes a mutex for a moment.
class TaskQueue {
 public:
  /// @return  false after close(): the task is still the caller's
  bool try_push(Task& task) noexcept {
    const std::lock_guard lock{mutex_};
    if (closed_) return false;
    task.next = nullptr;
    if (last_ != nullptr) {
      last_->next = &task;
    } else {
      first_ = &task;
    }
    last_ = &task;
    pushed_.fetch_add(1, std::memory_order_seq_cst);  // (1) pairs with (2), see WorkerParking
    return true;
  }

  /// The first task; null if there is none.
  Task* try_pop() noexcept {
    if (empty()) return nullptr;
    const std::lock_guard lock{mutex_};
    Task* task = first_;
    if (task == nullptr) return nullptr;
    first_ = task->next;
    if (first_ == nullptr) last_ = nullptr;
    popped_.fetch_add(1, std::memory_order_release);
    return task;
  }

  /// From now on try_push() refuses.
  void close() noexcept {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }

  [[nodiscard]] bool empty() const noexcept { return popped() == pushed(); }
  /// How many were ever pushed, and popped. // tasks
  /// @{
  [[nodiscard]] std::uint64_t pushed() const noexcept {
    return pushed_.load(std::memory_order_seq_cst);  // (2) pairs with (1)
  }
  [[nodiscard]] std::uint64_t popped() const noexcept {
    return popped_.load(std::memory_order_seq_cst);
  }
  /// @}

 private:
  std::mutex mutex_;
  Task* first_ = nullptr;
  Task* last_ = nullptr;
  bool closed_ = false;
  std::atomic<std::uint64_t> pushed_{0};
  std::atomic<std::uint64_t> popped_{0};
};

}  // namespace gossip::detail
