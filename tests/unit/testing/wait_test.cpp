// SPDX-License-Identifier: MIT
#include <gossip/testing/test_bus.hpp>
#include <gossip/testing/wait.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <thread>

using gossip::testing::TestBus;
using gossip::testing::wait_for;
using namespace std::chrono_literals;

TEST_CASE("wait_for: answers whether the condition held in time", "[testing]") {
  int asked = 0;
  CHECK(wait_for([&] { return ++asked == 3; }));
  CHECK(asked == 3);
  CHECK_FALSE(wait_for([] { return false; }, 0ns));
  CHECK_FALSE(wait_for([] { return false; }, 1ms));
  CHECK(wait_for([] { return true; }, 0ns));
}

TEST_CASE("wait_for: sees what another thread does", "[testing]") {
  std::atomic<bool> done{false};
  std::thread other{[&] { done = true; }};
  CHECK(wait_for([&] { return done.load(); }));
  other.join();
}

TEST_CASE("wait_for: runs the events of the thread's TestBus, and no more than needed",
          "[testing]") {
  constexpr gossip::EventType<int> number{"wait.number"};
  TestBus bus;
  TestBus other;
  int sum = 0;
  const auto add = [&](int value) { sum += value; };
  const auto first = bus.subscribe(number, add);
  const auto second = other.subscribe(number, add);
  bus.publish(number, 1);
  other.publish(number, 2);
  CHECK(wait_for([&] { return sum == 3; }));
  bus.publish(number, 10);
  bus.publish(number, 100);
  CHECK(wait_for([&] { return sum == 13; }));
  CHECK_FALSE(bus.idle());
}

TEST_CASE("wait_for: inside a processor runs nothing else", "[testing]") {
  constexpr gossip::EventType<int> number{"wait.number"};
  TestBus bus;
  int calls = 0;
  bool came = true;
  const auto subscription = bus.subscribe(number, [&](int) {
    if (++calls == 1) came = wait_for([&] { return calls == 2; }, 1ms);
  });
  bus.publish(number, 1);
  bus.publish(number, 2);
  bus.run_until_idle();
  CHECK_FALSE(came);
  CHECK(calls == 2);
}
