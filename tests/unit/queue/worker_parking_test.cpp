// SPDX-License-Identifier: MIT
// The parking protocol is checked twice: every schedule of a few modelled threads, by the model
// checker in support/model, and real threads.
#include <gossip/queue/mpmc_queue.hpp>
#include <gossip/queue/worker_parking.hpp>

#include "support/model/platform.hpp"
#include "support/model/require_holds.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace model = gossip::test::model;
using gossip::detail::WorkerParking;
using model::Execution;
using model::Limits;
using model::Outcome;
using model::require_holds;
using model::TimeOuts;

namespace {

struct Scenario {
  std::size_t workers = 1;
  std::vector<std::size_t> events = {1};  ///< how many each publisher publishes
  bool processors_hang = false;           ///< a worker never returns from its first event
};

/// Workers that take events and park, publishers that publish and notify, as the dispatcher does.
template <class Parking, class Queue = model::ModelQueue<6>>
struct Machine {
  explicit Machine(std::size_t workers) : parking{workers} {}

  void work(std::size_t self, bool processors_hang) {
    while (!stopped) {
      while (queue.try_pop()) {
        ++taken;
        if (processors_hang) {
          Execution::running()->block_for_ever();
          return;
        }
      }
      if (stopped) return;
      parking.park(self, queue);
    }
  }
  void publish(std::size_t events) {
    for (std::size_t i = 0; i < events; ++i) {
      queue.push();
      parking.notify(queue);
    }
  }

  Queue queue;
  Parking parking;
  std::size_t taken = 0;
  bool stopped = false;
};

template <class Parking, class Queue = model::ModelQueue<6>>
Outcome explore(const Limits& limits, const Scenario& scenario) {
  return model::explore(limits, [&](Execution& run) {
    auto machine = std::make_shared<Machine<Parking, Queue>>(scenario.workers);
    std::size_t events = 0;
    for (std::size_t i = 0; i < scenario.workers; ++i) {
      run.thread("worker " + std::to_string(i),
                 [machine, i, &scenario] { machine->work(i, scenario.processors_hang); });
    }
    for (const std::size_t count : scenario.events) {
      events += count;
      run.thread("publisher of " + std::to_string(count),
                 [machine, count] { machine->publish(count); });
    }
    run.at_rest([machine, events] {
      return machine->taken == events ? "" : "everybody waits and an event is left";
    });
    run.finale([machine] {
      machine->stopped = true;
      machine->parking.stop();
    });
  });
}

using Parking = WorkerParking<model::ModelPlatform>;

/// Under ThreadSanitizer a modelled schedule costs a hundred times as much and shows nothing new.
constexpr unsigned deep(unsigned preemptions) {
#if defined(GOSSIP_THREAD_SANITIZER) || defined(GOSSIP_TEST_ADDRESS_SANITIZER)
  return preemptions > 1 ? 1 : 0;
#else
  return preemptions;
#endif
}

#if defined(GOSSIP_THREAD_SANITIZER)
constexpr std::size_t random_walks = 100;
#else
constexpr std::size_t random_walks = gossip::test::scaled(200'000);
#endif

/// A queue, for one publisher, that claims slots with an ordinary store.
class StoringQueue : public model::ModelQueue<6> {
 public:
  void push() {
    const std::uint64_t ticket = pushed_.load();
    pushed_.store(ticket + 1, std::memory_order_release);
    hand_over(ticket);
  }
  [[nodiscard]] std::uint64_t tail() const noexcept { return pushed_.load(); }

 private:
  model::ModelAtomic<std::uint64_t> pushed_;
};

/// An event count that forgets to clear "one wake-up in flight" when a worker registers.
template <class Platform>
class StickyFlagParking {
 public:
  explicit StickyFlagParking(std::size_t) {}
  template <class Queue>
  void notify(const Queue&) {
    Platform::heavy_fence();
    if (waiters_.load() == 0 || in_flight_.exchange(1) != 0) return;
    const std::lock_guard lock{mutex_};
    woken_ = true;
    changed_.notify_one();
  }
  template <class Queue>
  void park(std::size_t, const Queue& queue) {
    std::unique_lock lock{mutex_};
    woken_ = false;
    waiters_.fetch_add(1);
    Platform::heavy_fence();
    if (!queue.ready()) {
      while (!woken_) changed_.wait(lock);
      in_flight_.store(0);
    }
    waiters_.fetch_sub(1);
  }
  void stop() {
    const std::lock_guard lock{mutex_};
    woken_ = true;
    changed_.notify_all();
  }

 private:
  typename Platform::template Atomic<std::uint32_t> waiters_;
  typename Platform::template Atomic<std::uint32_t> in_flight_;
  typename Platform::Mutex mutex_;
  typename Platform::ConditionVariable changed_;
  bool woken_ = false;
};

/// An event count that reads the epoch after it has looked at the queue.
template <class Platform>
class LateEpochParking {
 public:
  explicit LateEpochParking(std::size_t) {}
  template <class Queue>
  void notify(const Queue&) {
    Platform::heavy_fence();
    if (waiters_.load() == 0) return;
    const std::lock_guard lock{mutex_};
    ++epoch_;
    changed_.notify_one();
  }
  template <class Queue>
  void park(std::size_t, const Queue& queue) {
    waiters_.fetch_add(1);
    Platform::heavy_fence();
    if (!queue.ready()) {
      std::unique_lock lock{mutex_};
      const auto epoch = epoch_;
      while (epoch_ == epoch) changed_.wait(lock);
    }
    waiters_.fetch_sub(1);
  }
  void stop() {
    const std::lock_guard lock{mutex_};
    ++epoch_;
    changed_.notify_all();
  }

 private:
  typename Platform::template Atomic<std::uint32_t> waiters_;
  typename Platform::Mutex mutex_;
  typename Platform::ConditionVariable changed_;
  std::uint64_t epoch_ = 0;
};

}  // namespace

TEST_CASE("WorkerParking: no wake-up is lost, one worker and one publisher", "[queue][model]") {
  require_holds(explore<Parking>({.preemptions = deep(4)}, {.workers = 1, .events = {2}}));
}

TEST_CASE("WorkerParking: a wake-up in flight does not hide a later event from a worker that parks",
          "[queue][model]") {
  // One of the two lost wake-ups that hung a hand-written event count: 2 publishers, 1 worker.
  require_holds(explore<Parking>({.preemptions = deep(3)}, {.workers = 1, .events = {1, 1}}));
  const auto naive = explore<StickyFlagParking<model::ModelPlatform>>(
      {.preemptions = 3}, {.workers = 1, .events = {1, 1}});
  INFO(naive.violation);
  REQUIRE_FALSE(naive.violation.empty());
}

TEST_CASE("WorkerParking: a queue that looks empty behind an unpublished slot loses no wake-up",
          "[queue][model]") {
  // The other one: an earlier slot is claimed and not yet handed over.
  require_holds(explore<Parking>({.preemptions = deep(2)}, {.workers = 1, .events = {2, 1}}));
  const auto naive = explore<LateEpochParking<model::ModelPlatform>>(
      {.preemptions = 2}, {.workers = 1, .events = {2, 1}});
  INFO(naive.violation);
  REQUIRE_FALSE(naive.violation.empty());
}

TEST_CASE("WorkerParking: no wake-up is lost, two workers and two publishers", "[queue][model]") {
  require_holds(explore<Parking>({.preemptions = deep(1), .random_schedules = random_walks},
                                 {.workers = 2, .events = {1, 1}}));
  require_holds(explore<Parking>({.preemptions = deep(1), .random_schedules = random_walks},
                                 {.workers = 2, .events = {2, 1}}));
}

TEST_CASE("WorkerParking: no wake-up is lost where sentinels wake up at any time",
          "[queue][model]") {
  require_holds(explore<Parking>(
      {.preemptions = deep(2), .time_outs = TimeOuts::any_time, .most_time_outs = 2},
      {.workers = 2, .events = {2}}));
}

TEST_CASE("WorkerParking: no wake-up is lost with ordinary fences", "[queue][model]") {
  require_holds(explore<WorkerParking<model::OrdinaryFencePlatform>>(
      {.preemptions = deep(2)}, {.workers = 1, .events = {1, 1}}));
}

TEST_CASE("WorkerParking: an idle worker takes the event that waits behind a stuck one",
          "[queue][model]") {
  require_holds(explore<Parking>({.preemptions = deep(2), .time_outs = TimeOuts::at_rest},
                                 {.workers = 2, .events = {2}, .processors_hang = true}));
  require_holds(explore<Parking>(
      {.preemptions = deep(1), .time_outs = TimeOuts::at_rest, .random_schedules = random_walks},
      {.workers = 2, .events = {1, 1}, .processors_hang = true}));
}

TEST_CASE("WorkerParking: sentinels relieve one another until every worker is stuck",
          "[queue][model]") {
  require_holds(explore<Parking>({.preemptions = deep(1), .time_outs = TimeOuts::at_rest},
                                 {.workers = 3, .events = {3}, .processors_hang = true}));
  require_holds(explore<Parking>(
      {.preemptions = 0, .time_outs = TimeOuts::at_rest, .random_schedules = random_walks},
      {.workers = 3, .events = {2, 1}, .processors_hang = true}));
}

TEST_CASE("WorkerParking: stop wakes every worker, whenever it comes", "[queue][model]") {
  require_holds(model::explore({.preemptions = deep(2)}, [](Execution& run) {
    auto machine = std::make_shared<Machine<Parking>>(2);
    for (std::size_t i = 0; i < 2; ++i) {
      run.thread("worker", [machine, i] { machine->work(i, false); });
    }
    run.thread("publisher", [machine] { machine->publish(1); });
    run.thread("stopper", [machine] {
      machine->stopped = true;
      machine->parking.stop();
    });
  }));
}

TEST_CASE("WorkerParking: the model checker sees a missing heavy fence", "[queue][model]") {
  const Scenario scenario{.workers = 1, .events = {1}};
  const auto caller_only = explore<WorkerParking<model::BrokenHeavyFencePlatform>>({}, scenario);
  REQUIRE_FALSE(caller_only.violation.empty());
  const auto none = explore<WorkerParking<model::NoFencePlatform>>({}, scenario);
  REQUIRE_FALSE(none.violation.empty());
}

TEST_CASE("WorkerParking: the model checker sees a claim that is an ordinary store",
          "[queue][model]") {
  const auto outcome = explore<Parking, StoringQueue>({}, {.workers = 1, .events = {1}});
  REQUIRE_FALSE(outcome.violation.empty());
}

TEST_CASE("WorkerParking: threads hand every event over and end at stop", "[queue]") {
  constexpr std::size_t workers = 3;
  const std::size_t events = gossip::test::scaled(20'000);
  gossip::MpmcQueue<std::size_t> queue{64};
  WorkerParking<> parking{workers};
  std::atomic<std::size_t> taken{0};
  std::atomic<bool> stopped{false};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers; ++i) {
    threads.emplace_back([&, i] {
      while (!stopped.load()) {
        while (queue.try_pop()) taken.fetch_add(1);
        parking.park(i, queue);
      }
    });
  }
  for (std::size_t i = 0; i < events; ++i) {
    while (!queue.try_push(i)) std::this_thread::yield();
    parking.notify(queue);
    // From time to time everybody gets the chance to fall asleep.
    if (i % 64 == 0) REQUIRE(gossip::test::eventually([&] { return taken.load() == i + 1; }));
  }
  REQUIRE(gossip::test::eventually([&] { return taken.load() == events; }));
  stopped.store(true);
  parking.stop();
  for (auto& thread : threads) thread.join();
  REQUIRE(taken.load() == events);
}

TEST_CASE("WorkerParking: park returns at once after stop", "[queue]") {
  gossip::MpmcQueue<int> queue{2};
  WorkerParking<> parking{1};
  parking.stop();
  parking.park(0, queue);
  parking.stop();
  parking.park(0, queue);
  SUCCEED("it returned");
}
