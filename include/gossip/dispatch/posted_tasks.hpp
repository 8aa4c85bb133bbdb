// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// PostedTasks: callables that are to run on a worker of a bus. Layer: dispatch.

#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/task_queue.hpp>

#include <atomic>
#include <cstddef>
#include <utility>

namespace gossip::detail {

/// Runs callables on workers, in turns with the events that wait. A shutdown that comes first
/// destroys them without a call.
///
/// Thread safety: any thread.
class PostedTasks {
 public:
  /// @param queue  outlives it
  explicit PostedTasks(EventQueue& queue) noexcept : queue_{queue} {}
  PostedTasks(const PostedTasks&) = delete;
  PostedTasks& operator=(const PostedTasks&) = delete;
  ~PostedTasks() = default;

  /// Lets a worker call `work()`, which must not throw; then destroys it there.
  /// @return  false once the workers are ending: it was destroyed without a call
  /// @throws  std::bad_alloc, and what moving `work` throws
  template <class Work>
  bool post(Work work) {
    struct Posted : Task {
      Posted(Work&& moved, PostedTasks& posted_by)
          : Task{.run = [](Task& task,
                           ThreadSlot&) noexcept { static_cast<Posted&>(task).finish(true); },
                 .abandon = [](Task& task) noexcept { static_cast<Posted&>(task).finish(false); }},
            call{std::move(moved)},
            owner{posted_by} {}
      void finish(bool call_it) noexcept {
        PostedTasks& posted_by = owner;
        if (call_it) call();
        delete this;
        posted_by.done();
      }
      Work call;
      PostedTasks& owner;
    };
    auto* task = new Posted{std::move(work), *this};
    pending_.fetch_add(1, std::memory_order_relaxed);
    made_.fetch_add(1, std::memory_order_relaxed);
    if (queue_.post(*task)) return true;
    task->finish(false);
    return false;
  }

  /// Lets a worker run a task that the caller has made, and that calls done() in the end, also when it
  /// is abandoned.
  /// @return  false once the workers are ending: the task is still the caller's, and done() not due
  bool post_task(Task& task) noexcept {
    pending_.fetch_add(1, std::memory_order_relaxed);
    made_.fetch_add(1, std::memory_order_relaxed);
    if (queue_.post(task)) return true;
    done();
    return false;
  }
  void done() noexcept {
    // release: whoever sees that nothing is pending sees what was done
    pending_.fetch_sub(1, std::memory_order_release);
  }

  /// How many have not been done. // tasks
  [[nodiscard]] std::size_t pending() const noexcept {
    return pending_.load(std::memory_order_acquire);
  }

  /// How many were ever made. // tasks
  [[nodiscard]] std::uint64_t made() const noexcept {
    return made_.load(std::memory_order_acquire);
  }

 private:
  EventQueue& queue_;
  std::atomic<std::size_t> pending_{0};
  std::atomic<std::uint64_t> made_{0};
};

}  // namespace gossip::detail
