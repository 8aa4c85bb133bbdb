// SPDX-License-Identifier: MIT
#include <gossip/dispatch/task_queue.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <thread>
#include <vector>

using gossip::detail::Task;
using gossip::detail::TaskQueue;

TEST_CASE("TaskQueue: tasks leave in the order in which they came", "[dispatch]") {
  TaskQueue queue;
  Task tasks[3];
  REQUIRE(queue.empty());
  REQUIRE(queue.try_pop() == nullptr);
  for (Task& task : tasks) REQUIRE(queue.try_push(task));
  REQUIRE_FALSE(queue.empty());
  for (Task& task : tasks) REQUIRE(queue.try_pop() == &task);
  REQUIRE(queue.empty());
  REQUIRE(queue.pushed() == 3);
  REQUIRE(queue.popped() == 3);
}

TEST_CASE("TaskQueue: a task may be posted again once it has been taken", "[dispatch]") {
  TaskQueue queue;
  Task first;
  Task second;
  REQUIRE(queue.try_push(first));
  REQUIRE(queue.try_push(second));
  REQUIRE(queue.try_pop() == &first);
  REQUIRE(queue.try_push(first));
  REQUIRE(queue.try_pop() == &second);
  REQUIRE(queue.try_pop() == &first);
  REQUIRE(queue.try_pop() == nullptr);
}

TEST_CASE("TaskQueue: a closed queue takes no task and hands out those that it has", "[dispatch]") {
  TaskQueue queue;
  Task before;
  Task after;
  REQUIRE(queue.try_push(before));
  queue.close();
  REQUIRE_FALSE(queue.try_push(after));
  REQUIRE(queue.try_pop() == &before);
  REQUIRE(queue.try_pop() == nullptr);
}

TEST_CASE("TaskQueue: racing threads neither lose a task nor take one twice", "[dispatch]") {
  struct Marked : Task {
    std::atomic<int> taken{0};
  };
  TaskQueue queue;
  std::vector<Marked> tasks(4000);
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (taken.load() < tasks.size()) {
        if (const auto at = next.fetch_add(1); at < tasks.size()) queue.try_push(tasks[at]);
        if (Task* task = queue.try_pop()) {
          static_cast<Marked*>(task)->taken.fetch_add(1);
          taken.fetch_add(1);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int wrong = 0;
  for (const Marked& task : tasks) wrong += task.taken.load() == 1 ? 0 : 1;
  REQUIRE(wrong == 0);
  REQUIRE(queue.empty());
}
