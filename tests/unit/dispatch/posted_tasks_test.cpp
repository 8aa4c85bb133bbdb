// SPDX-License-Identifier: MIT
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/dispatcher.hpp>
#include <gossip/dispatch/posted_tasks.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

using gossip::SteadyTime;
using gossip::detail::ClockView;
using gossip::detail::current_thread;
using gossip::detail::Dispatcher;
using gossip::detail::Help;
using gossip::detail::PostedTasks;
using gossip::detail::Timer;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::patience;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  explicit Fixture(const gossip::BusOptions& options = {.workers = 1})
      : dispatcher{gossip::detail::held(options), ClockView::of(clock), Timer::Drive::own_thread} {
    dispatcher.start(nullptr);
  }
  ~Fixture() { stop(patience); }
  gossip::ShutdownReport stop(std::chrono::nanoseconds timeout) {
    return dispatcher.shutdown(timeout, [](SteadyTime) {});
  }

  gossip::TickClock clock;
  Dispatcher dispatcher;
  PostedTasks& posted = dispatcher.posted();
};

}  // namespace

TEST_CASE("PostedTasks: a worker does them, and drain waits for them", "[dispatch]") {
  Fixture fixture;
  std::thread::id thread;
  const auto token = std::make_shared<int>(0);
  REQUIRE(fixture.posted.post(
      [&thread, held = token]() noexcept { thread = std::this_thread::get_id(); }));
  REQUIRE(fixture.dispatcher.drain(std::chrono::steady_clock::now() + patience));
  REQUIRE(thread != std::thread::id{});
  REQUIRE(thread != std::this_thread::get_id());
  REQUIRE(token.use_count() == 1);
  REQUIRE(fixture.posted.pending() == 0);
}

TEST_CASE("PostedTasks: what a shutdown leaves is destroyed without a call", "[dispatch]") {
  Fixture fixture;
  fixture.dispatcher.calls().allow_contexts();
  Door inside;
  Door go_on;
  std::atomic<bool> called{false};
  bool late = false;
  const auto token = std::make_shared<int>(0);
  REQUIRE(fixture.posted.post([&]() noexcept {
    inside.open();
    go_on.wait();
  }));
  REQUIRE(inside.wait());
  REQUIRE(fixture.posted.post([&called, held = token]() noexcept { called = true; }));
  {
    // Called by the shutdown: who sees the stop has all the time to take something more, and does not.
    const std::stop_callback stopped{fixture.dispatcher.calls().stop_token(), [&] {
                                       go_on.open();
                                       late = eventually([&] { return called.load(); }, 20ms);
                                     }};
    fixture.stop(std::chrono::nanoseconds::zero());
  }
  REQUIRE_FALSE(late);
  REQUIRE_FALSE(called);
  REQUIRE(token.use_count() == 1);
  REQUIRE_FALSE(fixture.posted.post([&]() noexcept { called = true; }));
  REQUIRE_FALSE(called);
}

TEST_CASE("PostedTasks: tasks inside one another are nested, no deeper than is allowed",
          "[dispatch]") {
  // A worker that waits inside a task, as one that publishes into a full queue does.
  Fixture fixture{{.workers = 1, .max_nesting = 3}};
  Door all_posted;
  std::vector<Help> answers;
  const auto nest = [&] {
    all_posted.wait();
    answers.push_back(current_thread.help(current_thread.worker_of));
  };
  for (int i = 0; i < 6; ++i) REQUIRE(fixture.posted.post(nest));
  all_posted.open();
  REQUIRE(fixture.dispatcher.drain(std::chrono::steady_clock::now() + patience));
  REQUIRE(answers ==
          std::vector{Help::too_deep, Help::ran, Help::ran, Help::ran, Help::no_event, Help::ran});
}

TEST_CASE("PostedTasks: a task of the caller's is waited for until it says it is done",
          "[dispatch]") {
  struct Own : gossip::detail::Task {
    PostedTasks* posted;
    int ran = 0;
    int abandoned = 0;
  };
  Own task;
  task.run = [](gossip::detail::Task& self, gossip::detail::ThreadSlot&) noexcept {
    auto& own = static_cast<Own&>(self);
    ++own.ran;
    own.posted->done();
  };
  task.abandon = [](gossip::detail::Task& self) noexcept {
    auto& own = static_cast<Own&>(self);
    ++own.abandoned;
    own.posted->done();
  };
  Fixture fixture;
  task.posted = &fixture.posted;
  REQUIRE(fixture.posted.post_task(task));
  REQUIRE(fixture.dispatcher.drain(std::chrono::steady_clock::now() + patience));
  REQUIRE(task.ran == 1);
  fixture.stop(patience);
  REQUIRE_FALSE(fixture.posted.post_task(task));
  REQUIRE(fixture.posted.pending() == 0);
  REQUIRE(task.abandoned == 0);
}
