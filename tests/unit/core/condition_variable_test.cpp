// SPDX-License-Identifier: MIT
#include <gossip/core/condition_variable.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <mutex>
#include <thread>

namespace {

using gossip::SteadyTime;
using gossip::detail::ConditionVariable;

SteadyTime now() { return std::chrono::steady_clock::now(); }

TEST_CASE("ConditionVariable: wait_until comes back when the time has, not before", "[core]") {
  std::mutex mutex;
  ConditionVariable never;
  std::unique_lock lock{mutex};
  const SteadyTime time = now() + std::chrono::milliseconds{5};
  while (never.wait_until(lock, time)) {
  }
  CHECK(now() >= time);
  CHECK(lock.owns_lock());
}

TEST_CASE("ConditionVariable: wait_until does not wait for a time that is past", "[core]") {
  std::mutex mutex;
  ConditionVariable never;
  std::unique_lock lock{mutex};
  CHECK_FALSE(never.wait_until(lock, now()));
  CHECK_FALSE(never.wait_until(lock, SteadyTime{}));
  CHECK_FALSE(never.wait_until(lock, SteadyTime::min()));
}

TEST_CASE("ConditionVariable: notify_one and notify_all wake who waits", "[core]") {
  std::mutex mutex;
  ConditionVariable changed;
  int turn = 0;
  std::thread other{[&] {
    std::unique_lock lock{mutex};
    while (turn != 1) changed.wait(lock);
    turn = 2;
    changed.notify_all();
    while (turn != 3) (void)changed.wait_until(lock, SteadyTime::max());
  }};
  {
    std::unique_lock lock{mutex};
    turn = 1;
    changed.notify_one();
    while (turn != 2) changed.wait(lock);
    turn = 3;
    changed.notify_one();
  }
  other.join();
}

}  // namespace
