// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TimerQueue: tasks in the order of their times. Layer: dispatch.

#include <gossip/core/clock.hpp>

#include <cstddef>
#include <cstdint>

namespace gossip::detail {

/// Names a scheduled task.
struct TimerId {
  SteadyTime time{};
  std::uint64_t serial = 0;  ///< 0 means "no task"

  [[nodiscard]] friend constexpr bool operator==(const TimerId& a, const TimerId& b) noexcept {
    return a.serial == b.serial && a.time == b.time;
  }
  [[nodiscard]] friend constexpr bool operator<(const TimerId& a, const TimerId& b) noexcept {
    return a.time != b.time ? a.time < b.time : a.serial < b.serial;
  }
};

/// A task that can be in one TimerQueue at a time; who has it owns it.
struct TimerTask {
  TimerId id;
  /// Does what is to be done; `task` is no longer the timer's, and may be gone when it returns.
  void (*run)(TimerTask& task) noexcept = nullptr;
  /// Called instead of `run`, if the task is cancelled or dropped.
  void (*destroy)(TimerTask* task) noexcept = nullptr;

  // The queue's.
  std::uint64_t weight = 0;
  TimerTask* earlier = nullptr;
  TimerTask* later = nullptr;
};

/// Tasks in the order of their ids. A treap (Seidel and Aragon, "Randomized search trees"): a search
/// tree by id in which no task has a heavier one below it. The weights are as good as random, so it
/// has the shape that random insertion gives, and is about 2 ln(n) deep. In place of std::map, since
/// nothing is allocated once a task exists, and it compiles in a fifth of the time.
///
/// Thread safety: none. Owns nothing.
class TimerQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return root_ == nullptr; }
  /// Number of tasks. // tasks
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// @pre             the task's id is set, and no task in the queue has the same
  /// @par Complexity  logarithmic, expected
  void insert(TimerTask& task) noexcept {
    task.weight = scatter(task.id.serial);
    TimerTask** place = &root_;
    while (*place != nullptr && (*place)->weight >= task.weight) place = step(**place, task.id);
    split(*place, task.id, task.earlier, task.later);
    *place = &task;
    ++size_;
  }

  /// The task with the least id; null if there is none. @par Complexity logarithmic, expected
  [[nodiscard]] TimerTask* first() const noexcept {
    TimerTask* task = root_;
    while (task != nullptr && task->earlier != nullptr) task = task->earlier;
    return task;
  }

  /// Takes the task of that id out; null if it is not there. @par Complexity logarithmic, expected
  TimerTask* extract(const TimerId& id) noexcept {
    TimerTask** place = &root_;
    while (*place != nullptr && !((*place)->id == id)) place = step(**place, id);
    TimerTask* task = *place;
    if (task == nullptr) return nullptr;
    *place = merge(task->earlier, task->later);
    --size_;
    return task;
  }

 private:
  /// The link on the way from `task` to `id`.
  static TimerTask** step(TimerTask& task, const TimerId& id) noexcept {
    return id < task.id ? &task.earlier : &task.later;
  }

  /// Divides a tree into what comes before `id` and the rest.
  static void split(TimerTask* tree, const TimerId& id, TimerTask*& before,
                    TimerTask*& rest) noexcept {
    TimerTask** before_end = &before;
    TimerTask** rest_end = &rest;
    while (tree != nullptr) {
      if (tree->id < id) {
        *before_end = tree;
        before_end = &tree->later;
        tree = tree->later;
      } else {
        *rest_end = tree;
        rest_end = &tree->earlier;
        tree = tree->earlier;
      }
    }
    *before_end = nullptr;
    *rest_end = nullptr;
  }

  /// Makes one tree of two, of which the first comes before the second.
  static TimerTask* merge(TimerTask* first, TimerTask* second) noexcept {
    TimerTask* tree = nullptr;
    TimerTask** end = &tree;
    while (first != nullptr && second != nullptr) {
      if (first->weight >= second->weight) {
        *end = first;
        end = &first->later;
        first = first->later;
      } else {
        *end = second;
        end = &second->earlier;
        second = second->earlier;
      }
    }
    *end = first != nullptr ? first : second;
    return tree;
  }

  /// A number that looks random; distinct for distinct ones. The finaliser of SplitMix64 (Steele,
  /// Lea, Flood).
  static std::uint64_t scatter(std::uint64_t number) noexcept {
    number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
    number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
    return number ^ (number >> 31U);
  }

  TimerTask* root_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gossip::detail
