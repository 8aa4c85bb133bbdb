// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How a bus lends a batch its clock, its timer and its workers. Layer: bus.

#include <gossip/core/clock.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/keeper.hpp>
#include <gossip/processing/background.hpp>
#include <gossip/processing/batch_executor.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace gossip::detail {

/// A batch's task on its way to a worker. If no worker will run it, the threads that batches without
/// a bus share do; and if there are none either, whoever finds out.
class LentTask {
 public:
  explicit LentTask(BatchTask& task) noexcept : task_{&task} {}
  LentTask(LentTask&& other) noexcept : task_{other.task_} { other.task_ = nullptr; }
  LentTask& operator=(LentTask&&) = delete;
  ~LentTask() {
    if (task_ != nullptr && !Background::shared().post(*task_)) task_->go();
  }

  void operator()() noexcept {
    BatchTask* const task = task_;
    task_ = nullptr;
    task->go();
  }

 private:
  BatchTask* task_;
};

/// The executor of a batch on the bus of that core, which it keeps alive.
/// @tparam Core  BusCore
template <class Core>
BatchExecutor lend_to_batch(const KeeperOf<Core>& core) {
  BatchExecutor executor;
  executor.timer = &core->dispatcher().timer();
  executor.source = &core->dispatcher().source();
  executor.now = [](void* self) noexcept -> SteadyTime {
    return static_cast<Core*>(self)->clock().now();
  };
  executor.stamp = [](void* self) noexcept -> EventTime {
    auto& lender = *static_cast<Core*>(self);
    return lender.dispatcher().stamp(lender.clock());
  };
  executor.post = [](void* self, BatchTask& task) noexcept {
    try {
      static_cast<Core*>(self)->dispatcher().posted().post(LentTask{task});
    } catch (const std::exception&) {
      // Without memory: the LentTask has found another thread.
    }
    return true;
  };
  executor.owner = {std::make_shared<KeeperOf<Core>>(core), &*core};
  return executor;
}

}  // namespace gossip::detail
