// SPDX-License-Identifier: MIT
#include <gossip/processing/batch_waiters.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <mutex>
#include <thread>

using gossip::SteadyTime;
using gossip::detail::BatchWaiters;
using gossip::detail::current_thread;
using gossip::detail::CurrentThread;
using gossip::detail::Help;

TEST_CASE("BatchWaiters: wake wakes all", "[batch]") {
  std::mutex mutex;
  BatchWaiters waiters;
  bool go = false;
  const auto wait = [&] {
    std::unique_lock lock{mutex};
    while (!go) waiters.wait(lock, SteadyTime::max(), [] { return true; });
  };
  std::thread one{wait};
  std::thread two{wait};
  {
    const std::lock_guard lock{mutex};
    go = true;
    waiters.wake();
  }
  one.join();
  two.join();
}

TEST_CASE("BatchWaiters: a deadline ends the wait", "[batch]") {
  std::mutex mutex;
  BatchWaiters waiters;
  std::unique_lock lock{mutex};
  const SteadyTime past = std::chrono::steady_clock::now();
  CHECK(waiters.wait(lock, past, [] { return true; }));
  CHECK(lock.owns_lock());
  CHECK(BatchWaiters::over(past));
  CHECK_FALSE(BatchWaiters::over(SteadyTime::max()));
}

TEST_CASE("BatchWaiters: a worker runs events instead, outside the lock", "[batch]") {
  struct Worker {
    std::mutex mutex;
    Help answer = Help::ran;
    int helped = 0;
  } worker;
  const CurrentThread before = current_thread;
  current_thread.worker_of = &worker;
  current_thread.help = [](void* self) {
    auto& asked = *static_cast<Worker*>(self);
    const std::unique_lock lock{asked.mutex, std::try_to_lock};
    CHECK(lock.owns_lock());
    ++asked.helped;
    return asked.answer;
  };
  BatchWaiters waiters;
  {
    std::unique_lock lock{worker.mutex};
    const auto wait = [&](Help answer, bool worth_it) {
      worker.answer = answer;
      return waiters.wait(lock, SteadyTime::max(), [=] { return worth_it; });
    };
    CHECK(wait(Help::ran, true));
    CHECK(wait(Help::no_event, false));
    CHECK(wait(Help::no_event, true));  // comes back by itself
    CHECK_FALSE(wait(Help::too_deep, true));
    CHECK(lock.owns_lock());
  }
  CHECK(worker.helped == 4);
  current_thread = before;
}
