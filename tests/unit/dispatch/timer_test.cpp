// SPDX-License-Identifier: MIT
#include <gossip/dispatch/timer.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

using gossip::SteadyTime;
using gossip::detail::ClockView;
using gossip::detail::Timer;
using gossip::detail::TimerId;
using gossip::test::Door;
using std::chrono::seconds;

namespace {

/// A timer whose time stands still until it is set.
struct Driven {
  std::atomic<SteadyTime::rep> now{0};
  Timer timer{ClockView{.clock = this,
                        .to_time = nullptr,
                        .now =
                            [](const void* self) {
                              const auto time = static_cast<const Driven*>(self)->now.load();
                              return SteadyTime{SteadyTime::duration{time}};
                            }},
              Timer::Drive::run_due};
  static SteadyTime at(int second) { return SteadyTime{seconds{second}}; }
  void go_to(int second) {
    now.store(at(second).time_since_epoch().count());
    timer.run_due();
  }
};

SteadyTime real_now() { return std::chrono::steady_clock::now(); }

const gossip::SystemClock system_clock;
const ClockView real_time = ClockView::of(system_clock);

}  // namespace

TEST_CASE("Timer: tasks run in the order of their times, then of their scheduling", "[dispatch]") {
  Driven driven;
  std::vector<int> ran;
  driven.timer.schedule(Driven::at(3), [&] { ran.push_back(3); });
  driven.timer.schedule(Driven::at(1), [&] { ran.push_back(1); });
  driven.timer.schedule(Driven::at(2), [&] { ran.push_back(20); });
  driven.timer.schedule(Driven::at(2), [&] { ran.push_back(21); });
  REQUIRE(driven.timer.pending() == 4);
  driven.go_to(0);
  REQUIRE(ran.empty());
  driven.go_to(2);
  REQUIRE(ran == std::vector<int>{1, 20, 21});
  REQUIRE(driven.timer.pending() == 1);
  driven.go_to(10);
  REQUIRE(ran == std::vector<int>{1, 20, 21, 3});
}

TEST_CASE("Timer: a task may schedule another, which runs in the same round if it is due",
          "[dispatch]") {
  Driven driven;
  int ran = 0;
  driven.timer.schedule(Driven::at(1), [&] {
    driven.timer.schedule(Driven::at(1), [&] { ++ran; });
    driven.timer.schedule(Driven::at(9), [&] { ran += 100; });
  });
  driven.go_to(1);
  REQUIRE(ran == 1);
  driven.go_to(9);
  REQUIRE(ran == 101);
}

TEST_CASE("Timer: a cancelled task does not run", "[dispatch]") {
  Driven driven;
  int ran = 0;
  const TimerId id = driven.timer.schedule(Driven::at(1), [&] { ++ran; });
  REQUIRE(id.serial != 0);
  REQUIRE(driven.timer.cancel(id));
  REQUIRE_FALSE(driven.timer.cancel(id));
  REQUIRE_FALSE(driven.timer.cancel(TimerId{}));
  driven.go_to(5);
  REQUIRE(ran == 0);
}

TEST_CASE("Timer: a task may cancel itself", "[dispatch]") {
  Driven driven;
  TimerId id;
  bool answer = true;
  id = driven.timer.schedule(Driven::at(1), [&] { answer = driven.timer.cancel(id); });
  driven.go_to(1);
  REQUIRE_FALSE(answer);
}

TEST_CASE("Timer: stop drops what is pending, and nothing is scheduled afterwards", "[dispatch]") {
  Driven driven;
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = captured;
  driven.timer.schedule(Driven::at(1), [captured] {});
  captured.reset();
  driven.timer.stop();
  driven.timer.stop();
  REQUIRE(watch.expired());
  REQUIRE(driven.timer.schedule(Driven::at(1), [] {}).serial == 0);
  REQUIRE(driven.timer.pending() == 0);
}

TEST_CASE("Timer: a thread of its own runs what is due, the earliest first", "[dispatch]") {
  Timer timer{real_time};
  Door late;
  Door early;
  timer.schedule(real_now() + std::chrono::hours{1}, [&] { late.open(); });
  timer.schedule(real_now() + std::chrono::milliseconds{5}, [&] { early.open(); });
  REQUIRE(early.wait());
  REQUIRE(timer.pending() == 1);
}

TEST_CASE("Timer: cancel waits for the running task, from another thread", "[dispatch]") {
  Timer timer{real_time};
  Door running;
  Door go_on;
  std::atomic<bool> done{false};
  const TimerId id = timer.schedule(real_now(), [&] {
    running.open();
    go_on.wait();
    done = true;
  });
  REQUIRE(running.wait());
  std::atomic<bool> cancelled{false};
  std::atomic<bool> early{false};
  std::thread canceller{[&] {
    timer.cancel(id);
    early = !done.load();
    cancelled = true;
  }};
  gossip::test::let_pass(std::chrono::milliseconds{5});
  REQUIRE_FALSE(cancelled.load());
  go_on.open();
  canceller.join();
  REQUIRE_FALSE(early.load());
}

TEST_CASE("Timer: what a cancelled task captured is destroyed outside the lock", "[dispatch]") {
  struct Looks {
    Looks(Timer& watched, std::size_t& result) : timer{watched}, pending{result} {}
    Looks(const Looks&) = delete;
    Looks& operator=(const Looks&) = delete;
    ~Looks() { pending = timer.pending(); }  // takes the timer's lock
    Timer& timer;
    std::size_t& pending;
  };
  Driven driven;
  std::size_t pending = 99;
  auto looks = std::make_shared<Looks>(driven.timer, pending);
  const TimerId id = driven.timer.schedule(Driven::at(1), [looks] {});
  looks.reset();
  REQUIRE(driven.timer.cancel(id));
  REQUIRE(pending == 0);
}

TEST_CASE("Timer: run_due inside a task leaves the rest to the outer call", "[dispatch]") {
  Driven driven;
  std::vector<int> order;
  driven.timer.schedule(Driven::at(1), [&] {
    order.push_back(1);
    driven.go_to(2);
    order.push_back(2);
  });
  driven.timer.schedule(Driven::at(2), [&] { order.push_back(3); });
  driven.go_to(1);
  REQUIRE(order == std::vector<int>{1, 2, 3});
  REQUIRE(driven.timer.pending() == 0);
}

TEST_CASE("Timer: two threads may stop it at once, and both wait for the running task",
          "[dispatch]") {
  for (int round = 0; round < 20; ++round) {
    Timer timer{real_time};
    Door running;
    Door go_on;
    std::atomic<bool> done{false};
    std::atomic<int> early{0};
    timer.schedule(real_now(), [&] {
      running.open();
      go_on.wait();
      done = true;
    });
    REQUIRE(running.wait());
    const auto stop = [&] {
      timer.stop();
      if (!done.load()) ++early;
    };
    std::thread first{stop};
    std::thread second{stop};
    go_on.open();
    first.join();
    second.join();
    REQUIRE(early.load() == 0);
  }
}
