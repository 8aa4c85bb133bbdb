// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BatchExecutor: the time and the threads that a batch uses. Layer: processing.

#include <gossip/core/clock.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/timer.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <utility>

namespace gossip::detail {

/// What a batch wants to be done soon on some thread. Owned by the batch, which posts it once at a
/// time, and which it keeps alive meanwhile.
struct BatchTask : Task {
  std::shared_ptr<void> batch;
  void (*work)(void* batch) noexcept = nullptr;

  /// Does the work. The batch, and the task with it, may be gone afterwards.
  void go() noexcept {
    const std::shared_ptr<void> object = std::move(batch);
    work(object.get());
  }
};

/// Where a batch takes its time and its threads from: a bus, or what all batches without a bus share
/// (see Background). The functions are called from any thread, with `owner`.
struct BatchExecutor {
  std::shared_ptr<void> owner;  ///< keeps alive what is below
  Timer* timer = nullptr;       ///< for periods and retries; its tasks are short
  /// The time that the timer goes by.
  SteadyTime (*now)(void* owner) noexcept = nullptr;
  /// Calls task.go() soon on a thread that may run processors. @return false if there is none
  bool (*post)(void* owner, BatchTask& task) noexcept = nullptr;
  /// The time of an event made now, to be explained by `source`.
  EventTime (*stamp)(void* owner) noexcept = nullptr;
  const EventSource* source = nullptr;

  /// Runs `task` on the timer at `time`.
  /// @return  false if it never will: no memory, or the timer has been stopped
  template <class F>
  bool schedule(SteadyTime time, F&& task) const noexcept {
    try {
      return timer->schedule(time, std::forward<F>(task)) != TimerId{};
    } catch (const std::exception&) {
      return false;
    }
  }
};

/// Something that lends a batch its time and its threads; a bus is.
template <class H>
concept BatchHost = requires(H& host) {
  { batch_executor(host) } -> std::same_as<BatchExecutor>;
};

}  // namespace gossip::detail
