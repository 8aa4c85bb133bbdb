// SPDX-License-Identifier: MIT
#include <gossip/dispatch/timer.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
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

/// Real time and an hour more, once `jump` is set; counts how often it is asked.
struct Counted {
  std::atomic<int> reads{0};
  std::atomic<bool> jump{false};
  ClockView view{this, nullptr, [](const void* self) {
                   auto& counted = *static_cast<Counted*>(const_cast<void*>(self));
                   ++counted.reads;
                   return real_now() + std::chrono::hours{counted.jump ? 1 : 0};
                 }};
};

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

TEST_CASE("Timer: its thread is not woken for a task that is due later than it wakes anyway",
          "[dispatch]") {
  Counted counted;
  Timer timer{counted.view};
  const SteadyTime first = real_now() + std::chrono::hours{1};
  const TimerId id = timer.schedule(first, [] {});
  REQUIRE(gossip::test::eventually([&] { return counted.reads.load() > 0; }));
  timer.cancel(id);
  for (int i = 1; i <= 300; ++i) {
    timer.cancel(timer.schedule(first + seconds{i}, [] {}));
    std::this_thread::yield();
  }
  REQUIRE(counted.reads.load() <= 2);
  Door early;
  timer.schedule(real_now(), [&] { early.open(); });
  REQUIRE(early.wait());
}

TEST_CASE("Timer: tasks that each are due earlier than the one before all run in time",
          "[dispatch]") {
  Timer timer{real_time};
  gossip::test::Tally ran;
  const SteadyTime start = real_now();
  for (int i = 50; i > 0; --i) {
    const TimerId id = timer.schedule(start + std::chrono::hours{i}, [] {});
    timer.schedule(start + std::chrono::microseconds{i * 100}, [&] { ran.add(); });
    timer.cancel(id);
  }
  REQUIRE(ran.wait_for(50));
}

TEST_CASE("Timer: waits for a time, by its own clock", "[dispatch]") {
  Driven driven;
  const std::stop_token none;
  REQUIRE(driven.timer.wait_until(none, Driven::at(0)));
  Counted counted;
  Timer slow{counted.view, Timer::Drive::run_due};
  bool waited = false;
  std::thread waiter{
      [&] { waited = slow.wait_until(none, real_now() + std::chrono::minutes{30}); }};
  REQUIRE(gossip::test::eventually([&] { return counted.reads.load() > 0; }));
  counted.jump = true;
  slow.run_due();  // takes the lock, which the waiter has given up by falling asleep
  waiter.join();
  REQUIRE(waited);
  Timer timer{real_time};
  const SteadyTime end = real_now() + std::chrono::milliseconds{2};
  REQUIRE(timer.wait_until(none, end));
  REQUIRE(real_now() >= end);
}

TEST_CASE("Timer: a wait ends when a stop is requested, or the timer ends", "[dispatch]") {
  for (const Timer::Drive drive : {Timer::Drive::own_thread, Timer::Drive::run_due}) {
    for (const bool by_stop : {true, false}) {
      Timer timer{real_time, drive};
      std::stop_source source;
      std::atomic<int> waited{-1};
      std::thread waiter{[&] {
        waited = timer.wait_until(source.get_token(), real_now() + std::chrono::hours{9}) ? 1 : 0;
      }};
      if (by_stop) {
        source.request_stop();  // before, while or after it falls asleep
      } else {
        timer.stop();
      }
      waiter.join();
      REQUIRE(waited.load() == 0);
    }
  }
}

TEST_CASE("Timer: a task cannot wait", "[dispatch]") {
  Driven driven;
  bool waited = true;
  driven.timer.schedule(Driven::at(1),
                        [&] { waited = driven.timer.wait_until({}, Driven::at(2)); });
  driven.go_to(1);
  REQUIRE_FALSE(waited);
}

TEST_CASE("Timer: a task of one's own is run, or destroyed instead", "[dispatch]") {
  struct Own : gossip::detail::TimerTask {
    int ran = 0;
    int destroyed = 0;
  };
  Driven driven;
  Own due;
  Own cancelled;
  Own dropped;
  for (Own* task : {&due, &cancelled, &dropped}) {
    task->run = [](gossip::detail::TimerTask& self) noexcept { ++static_cast<Own&>(self).ran; };
    task->destroy = [](gossip::detail::TimerTask* self) noexcept {
      ++static_cast<Own*>(self)->destroyed;
    };
    REQUIRE(driven.timer.insert(Driven::at(1), *task).serial != 0);
    REQUIRE(task->id.time == Driven::at(1));
  }
  REQUIRE(driven.timer.cancel(cancelled.id));
  REQUIRE(cancelled.destroyed == 1);
  driven.timer.cancel(dropped.id);
  driven.go_to(1);
  REQUIRE(due.ran == 1);
  REQUIRE(due.destroyed == 0);
  REQUIRE(driven.timer.insert(Driven::at(9), due).serial != 0);  // again
  driven.timer.stop();
  REQUIRE(due.destroyed == 1);
  REQUIRE(driven.timer.insert(Driven::at(9), due).serial == 0);
  REQUIRE(due.destroyed == 1);
  REQUIRE(cancelled.ran + dropped.ran == 0);
}

TEST_CASE("Timer: tells when the first task is due", "[dispatch]") {
  Driven driven;
  REQUIRE(driven.timer.next() == SteadyTime::max());
  driven.timer.schedule(Driven::at(3), [] {});
  driven.timer.schedule(Driven::at(2), [] {});
  REQUIRE(driven.timer.next() == Driven::at(2));
  driven.go_to(2);
  REQUIRE(driven.timer.next() == Driven::at(3));
}

TEST_CASE("Timer: a thread that drives the clock passes the time that it waits for", "[dispatch]") {
  Driven driven;
  driven.timer.pass_time_by(
      [](void* self, SteadyTime time) {
        REQUIRE(time == Driven::at(1));
        static_cast<Driven*>(self)->go_to(1);
      },
      &driven);
  std::stop_source source;
  REQUIRE(driven.timer.wait_until(source.get_token(), Driven::at(1)));
  REQUIRE(driven.now == Driven::at(1).time_since_epoch().count());
  source.request_stop();
  REQUIRE_FALSE(driven.timer.wait_until(source.get_token(), Driven::at(2)));
}
