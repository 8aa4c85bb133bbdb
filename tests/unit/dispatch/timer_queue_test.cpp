// SPDX-License-Identifier: MIT
#include <gossip/dispatch/timer_queue.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <vector>

using gossip::SteadyTime;
using gossip::detail::TimerId;
using gossip::detail::TimerQueue;
using gossip::detail::TimerTask;

namespace {

TimerId id(int time, std::uint64_t serial) {
  return {SteadyTime{std::chrono::nanoseconds{time}}, serial};
}

}  // namespace

TEST_CASE("TimerId: the earlier comes first, and of one time the one with the lesser serial",
          "[dispatch]") {
  REQUIRE(id(1, 9) < id(2, 1));
  REQUIRE(id(2, 1) < id(2, 2));
  REQUIRE_FALSE(id(2, 2) < id(2, 2));
  REQUIRE(id(2, 2) == id(2, 2));
  REQUIRE_FALSE(id(2, 2) == id(1, 2));
  REQUIRE_FALSE(id(2, 2) == id(2, 1));
}

TEST_CASE("TimerQueue: an empty one has no first task and gives none out", "[dispatch]") {
  TimerQueue queue;
  REQUIRE(queue.empty());
  REQUIRE(queue.size() == 0);
  REQUIRE(queue.first() == nullptr);
  REQUIRE(queue.extract(id(1, 1)) == nullptr);
}

TEST_CASE("TimerQueue: does what a std::map does, whatever the order", "[dispatch]") {
  std::mt19937 random{42};
  for (int round = 0; round < 50; ++round) {
    TimerQueue queue;
    std::map<TimerId, TimerTask*> model;
    std::vector<std::unique_ptr<TimerTask>> tasks;
    for (std::uint64_t step = 1; step <= 400; ++step) {
      if (random() % 3 != 0) {
        tasks.push_back(std::make_unique<TimerTask>());
        tasks.back()->id = id(static_cast<int>(random() % 20), step);
        queue.insert(*tasks.back());
        model.emplace(tasks.back()->id, tasks.back().get());
      } else if (!model.empty()) {
        auto at = model.begin();
        if (random() % 2 == 0) std::advance(at, random() % model.size());
        const auto [gone, task] = *at;
        model.erase(at);
        REQUIRE(queue.extract(gone) == task);
        REQUIRE(queue.extract(gone) == nullptr);
      }
      REQUIRE(queue.size() == model.size());
      REQUIRE(queue.first() == (model.empty() ? nullptr : model.begin()->second));
    }
    for (const auto& [next, task] : model) REQUIRE(queue.extract(next) == task);
    REQUIRE(queue.empty());
  }
}

TEST_CASE("TimerQueue: is shallow when tasks come in the order of their times", "[dispatch]") {
  struct Depth {
    static int of(const TimerTask* task) {
      return task == nullptr ? 0 : 1 + std::max(of(task->earlier), of(task->later));
    }
  };
  constexpr int count = 10'000;
  std::vector<TimerTask> tasks(count);
  TimerQueue queue;
  for (int i = 0; i < count; ++i) {
    tasks[static_cast<std::size_t>(i)].id = id(i, static_cast<std::uint64_t>(i) + 1);
    queue.insert(tasks[static_cast<std::size_t>(i)]);
  }
  // The heaviest task is the root.
  const TimerTask* root = &tasks.front();
  for (const TimerTask& task : tasks) root = task.weight > root->weight ? &task : root;
  REQUIRE(Depth::of(root) < 60);  // a perfect tree has 14, a list 10000
}
