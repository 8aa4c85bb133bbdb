// SPDX-License-Identifier: MIT
#include <gossip/core/clock.hpp>
#include <gossip/queue/wait_gate.hpp>

#include "support/model/platform.hpp"
#include "support/model/require_holds.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace model = gossip::test::model;
using gossip::SteadyTime;
using gossip::detail::Changes;
using gossip::detail::WaitGate;
using model::Execution;
using model::Limits;
using model::Outcome;
using model::require_holds;
using model::TimeOuts;

namespace {

/// Waiters wait until every notifier has made its change.
/// @tparam made   how they make it
/// @tparam known  how the gate believes that they do
template <class Platform, Changes made = Changes::by_stores, Changes known = made>
Outcome explore(const Limits& limits, std::size_t waiters, std::size_t notifiers) {
  struct State {
    WaitGate<Platform, known> gate;
    model::ModelAtomic<std::uint32_t> changes[3];
    std::size_t through = 0;
  };
  return model::explore(limits, [=](Execution& run) {
    auto state = std::make_shared<State>();
    for (std::size_t i = 0; i < waiters; ++i) {
      run.thread("waiter", [state, notifiers] {
        const bool holds = state->gate.wait_until(SteadyTime::max(), [&] {
          std::size_t seen = 0;
          while (seen < notifiers && state->changes[seen].load() != 0) ++seen;
          return seen == notifiers;
        });
        if (!holds) Execution::running()->fail("the wait ended and the condition does not hold");
        ++state->through;
      });
    }
    for (std::size_t i = 0; i < notifiers; ++i) {
      run.thread("notifier", [state, i] {
        if constexpr (made == Changes::by_stores) {
          state->changes[i].store(1, std::memory_order_release);
        } else {
          state->changes[i].exchange(1);
        }
        state->gate.notify();
      });
    }
    run.at_rest([state, waiters] {
      return state->through == waiters ? "" : "a waiter sleeps through the change";
    });
  });
}

#if defined(GOSSIP_THREAD_SANITIZER)  // where a schedule costs a hundred times as much
constexpr unsigned less = 1;
constexpr std::size_t random_walks = 100;
#else
constexpr unsigned less = 0;
constexpr std::size_t random_walks = gossip::test::scaled(100'000);
#endif

}  // namespace

TEST_CASE("WaitGate: a waiter never sleeps through the change", "[queue][model]") {
  require_holds(explore<model::ModelPlatform>({.preemptions = less != 0 ? 2 : 5}, 1, 1));
  require_holds(explore<model::ModelPlatform>({.preemptions = 2 - less}, 2, 1));
  require_holds(explore<model::ModelPlatform>({.preemptions = 2 - less}, 1, 2));
}

TEST_CASE("WaitGate: a waiter never sleeps through the change, with ordinary fences",
          "[queue][model]") {
  require_holds(explore<model::OrdinaryFencePlatform>({.preemptions = 3}, 1, 1));
}

TEST_CASE("WaitGate: changes by read-modify-writes need no fence", "[queue][model]") {
  constexpr auto by_rmw = Changes::by_read_modify_writes;
  require_holds(explore<model::NoFencePlatform, by_rmw>({.preemptions = less != 0 ? 2 : 5}, 1, 1));
  require_holds(explore<model::NoFencePlatform, by_rmw>({.preemptions = 2 - less}, 2, 1));
  require_holds(explore<model::NoFencePlatform, by_rmw>({.preemptions = 2 - less}, 1, 2));
  const auto mistaken = explore<model::ModelPlatform, Changes::by_stores, by_rmw>({}, 1, 1);
  REQUIRE_FALSE(mistaken.violation.empty());
}

TEST_CASE("WaitGate: two waiters and two changes, at random", "[queue][model]") {
  require_holds(
      explore<model::ModelPlatform>({.preemptions = 0, .random_schedules = random_walks}, 2, 2));
}

TEST_CASE("WaitGate: the model checker sees a missing heavy fence", "[queue][model]") {
  REQUIRE_FALSE(explore<model::BrokenHeavyFencePlatform>({}, 1, 1).violation.empty());
  REQUIRE_FALSE(explore<model::NoFencePlatform>({}, 1, 1).violation.empty());
}

TEST_CASE("WaitGate: has_waiters is false while nobody waits", "[queue]") {
  WaitGate<> gate;
  REQUIRE_FALSE(gate.has_waiters());
  REQUIRE(gate.wait_until(SteadyTime::max(), [] { return true; }));
  REQUIRE_FALSE(gate.has_waiters());
}

TEST_CASE("WaitGate: a time that has come ends the wait with what the condition says", "[queue]") {
  WaitGate<> gate;
  const SteadyTime past = std::chrono::steady_clock::now() - std::chrono::seconds{1};
  int looks = 0;
  REQUIRE_FALSE(gate.wait_until(past, [&] { return ++looks > 100; }));
  REQUIRE(looks >= 1);
  looks = 0;
  REQUIRE(gate.wait_until(past, [&] { return ++looks == 2; }));  // it looks once more at the end
  REQUIRE_FALSE(gate.has_waiters());
}

TEST_CASE("WaitGate: notify lets every waiting thread through", "[queue]") {
  WaitGate<> gate;
  std::atomic<bool> holds{false};
  std::atomic<int> through{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      if (gate.wait_until(SteadyTime::max(), [&] { return holds.load(); })) ++through;
    });
  }
  REQUIRE(gossip::test::eventually([&] { return gate.has_waiters(); }));
  gate.notify();  // in vain: the condition does not hold
  REQUIRE(through.load() == 0);
  holds.store(true);
  gate.notify();
  for (auto& thread : threads) thread.join();
  REQUIRE(through.load() == 3);
}

TEST_CASE("WaitGate: notify_one lets one waiting thread through", "[queue]") {
  WaitGate<> gate;
  std::atomic<int> permits{0};
  std::atomic<int> asleep{0};
  std::atomic<int> through{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      bool counted = false;
      const bool held = gate.wait_until(SteadyTime::max(), [&] {  // under the gate's lock
        if (!counted) ++asleep;
        counted = true;
        if (permits.load() == 0) return false;
        --permits;
        return true;
      });
      if (held) ++through;
    });
  }
  REQUIRE(gossip::test::eventually([&] { return asleep.load() == 3; }));
  for (int i = 1; i <= 3; ++i) {
    ++permits;
    gate.notify_one();
    REQUIRE(gossip::test::eventually([&] { return through.load() == i; }));
  }
  for (auto& thread : threads) thread.join();
}
