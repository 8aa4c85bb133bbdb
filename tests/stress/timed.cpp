// SPDX-License-Identifier: MIT
// Schedules under load: each event comes exactly once, unless its schedule was cancelled or dropped.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using gossip::BusOptions;
using gossip::Errc;
using gossip::EventBus;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::Schedule;
using gossip::Statistics;
using gossip::test::eventually;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::repeat;
using gossip::test::scaled;
using namespace std::chrono_literals;

namespace {

constexpr EventType<std::size_t> job{"stress.job"};
constexpr EventType<std::size_t> pulse{"stress.pulse"};

bool balanced(const Statistics& stats) {
  return stats.scheduled == stats.scheduled_fired + stats.scheduled_cancelled +
                                stats.scheduled_dropped + stats.scheduled_waiting;
}

/// Waits until every schedule has ended and every event has been handled.
template <class Bus>
bool settle(Bus& bus) {
  return eventually([&] { return bus.stats().scheduled_waiting == 0; }) && bus.drain_for(patience);
}

}  // namespace

TEST_CASE("stress: every schedule fires exactly once or was cancelled", "[stress]") {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 2'500;
  std::vector<std::atomic<int>> came(threads * each);
  std::vector<char> cancelled(threads * each, 0);
  EventBus bus{BusOptions{.workers = 2, .capacity = 64}};
  auto subscription = bus.subscribe(job, [&](const std::size_t& number) { ++came[number]; });
  on_threads(threads, [&](std::size_t thread) {
    std::mt19937 random{static_cast<unsigned>(thread)};
    std::vector<std::pair<std::size_t, Schedule>> open;
    const auto cancel_one_at = [&](std::size_t at) {
      std::swap(open[at], open.back());
      if (open.back().second.cancel()) cancelled[open.back().first] = 1;
      open.pop_back();
    };
    const auto cancel_one = [&] { cancel_one_at(random() % open.size()); };
    for (std::size_t i = thread * each; i < (thread + 1) * each; ++i) {
      // Every eighth is sure to be cancelled in time, however slow the machine.
      const std::chrono::microseconds delay = i % 8 == 0 ? 1h : 1us * (random() % 3'000);
      open.emplace_back(i, bus.publish_after(job, i, delay));
      if (random() % 2 == 0) cancel_one();
    }
    while (!open.empty()) {
      if (open.back().first % 8 == 0 || open.size() % 2 == 0) {
        cancel_one_at(open.size() - 1);
      } else {
        open.pop_back();
      }
    }
  });
  REQUIRE(settle(bus));
  std::size_t ended = 0;
  for (std::size_t i = 0; i < came.size(); ++i) {
    REQUIRE(came[i] == 1 - cancelled[i]);
    ended += static_cast<std::size_t>(cancelled[i]);
  }
  const Statistics stats = bus.stats();
  CHECK(ended > threads * each / 10);
  CHECK(ended < threads * each);
  CHECK(stats.scheduled == threads * each);
  CHECK(stats.scheduled_cancelled == ended);
  CHECK(stats.published == threads * each - ended);
  CHECK(stats.scheduled_failed == 0);
  CHECK(balanced(stats));
}

namespace {

/// A payload that knows whether it may still be copied, that is, published.
struct Guarded {
  explicit Guarded(std::atomic<bool>* flag, std::atomic<int>* counter)
      : over{flag}, late{counter} {}
  Guarded(const Guarded& from) : over{from.over}, late{from.late} {
    if (over->load()) ++*late;
  }
  Guarded(Guarded&&) noexcept = default;
  Guarded& operator=(const Guarded&) = delete;
  Guarded& operator=(Guarded&&) = delete;
  ~Guarded() = default;

  std::atomic<bool>* over;
  std::atomic<int>* late;
};
constexpr EventType<Guarded> guarded{"stress.guarded"};

}  // namespace

TEST_CASE("stress: when cancel returns, a repeated event is not published again", "[stress]") {
  EventBus bus{BusOptions{.workers = 2, .capacity = 8}};
  std::atomic<int> late{0};
  std::atomic<std::size_t> came{0};
  auto subscription = bus.subscribe(guarded, [&](const Guarded&) { ++came; });
  on_threads(3, [&](std::size_t thread) {
    std::mt19937 random{static_cast<unsigned>(thread)};
    repeat(200, [&] {
      std::atomic<bool> over{false};
      Schedule schedule = bus.publish_every(guarded, Guarded{&over, &late}, 20us);
      for (auto i = random() % 64; i > 0; --i) std::this_thread::yield();
      if (!schedule.cancel()) ++late;
      over = true;
      if (schedule.active()) ++late;
      if (!bus.drain_for(patience)) ++late;  // events refer to `over`
    });
  });
  REQUIRE(settle(bus));
  REQUIRE(late == 0);
  const Statistics stats = bus.stats();
  CHECK(came == stats.published);
  CHECK(stats.scheduled_failed == 0);
  CHECK(balanced(stats));
}

TEST_CASE("stress: a shutdown races with schedules, and every one is accounted for", "[stress]") {
  repeat(60, [] {
    EventBus bus{BusOptions{.workers = 2, .capacity = 4}};
    std::atomic<std::size_t> came{0};
    std::atomic<std::size_t> accepted{0};
    auto subscription = bus.subscribe(job, [&](const std::size_t&) { ++came; });
    std::thread closer{[&] {
      (void)eventually([&] { return accepted.load() > 200; });
      (void)bus.shutdown(accepted.load() % 2 == 0 ? 0s : 30s);
    }};
    on_threads(3, [&](std::size_t thread) {
      std::mt19937 random{static_cast<unsigned>(thread)};
      for (;;) {
        const auto delay = std::chrono::microseconds{random() % 100};
        Schedule schedule = random() % 4 == 0 ? bus.publish_every(pulse, 1, delay + 1us)
                                              : bus.publish_after(job, 1, delay);
        if (schedule.status() == Errc::closed) return;
        if (schedule.status().ok())
          ++accepted;  // else there are too many, before anybody closes it
        if (random() % 8 == 0) schedule.cancel();
      }
    });
    closer.join();
    const Statistics stats = bus.stats();
    REQUIRE(stats.scheduled == accepted);
    REQUIRE(stats.scheduled_waiting == 0);
    REQUIRE(balanced(stats));
    REQUIRE(stats.published == stats.handled + stats.abandoned);
    REQUIRE(stats.scheduled_failed == 0);
    REQUIRE(came + stats.abandoned >= stats.scheduled_fired);
  });
}

TEST_CASE("stress: schedules that are due at once make space in a full queue", "[stress]") {
  constexpr std::size_t publishers = 2;
  const std::size_t each = scaled(2'000);
  for (const std::size_t nesting : {2U, 64U}) {
    EventBus bus{BusOptions{.workers = 2, .capacity = 2, .max_nesting = nesting}};
    std::atomic<std::size_t> came{0};
    std::atomic<std::size_t> refused{0};
    // Every event publishes a pulse from inside, which keeps the workers nested.
    auto jobs = bus.subscribe(job, [&](const std::size_t&) {
      if (!bus.publish(pulse, 0).ok()) ++refused;
    });
    auto pulses = bus.subscribe(pulse, [&](const std::size_t&) { ++came; });
    on_threads(publishers, [&](std::size_t thread) {
      for (std::size_t i = 0; i < each; ++i) {
        if (thread == 0) {
          bus.publish_after(job, i, 0s);
        } else {
          (void)bus.publish(job, i).ok();
        }
      }
    });
    REQUIRE(bus.drain_for(patience));
    REQUIRE(bus.stats().scheduled_failed == 0);
    REQUIRE(came + refused == publishers * each);
  }
}

TEST_CASE("stress: processors schedule and cancel each other's events", "[stress]") {
  EventBus bus{BusOptions{.workers = 3, .capacity = 2}};
  std::mutex mutex;
  std::vector<Schedule> open;
  std::atomic<std::size_t> left{scaled(4'000)};
  const auto exchange_one = [&](Schedule fresh, std::size_t at) {
    Schedule old;
    {
      const std::lock_guard lock{mutex};
      open.push_back(std::move(fresh));
      std::swap(open[at % open.size()], open.back());
      if (open.size() > 8) {
        old = std::move(open.back());
        open.pop_back();
      }
    }
    old.cancel();
  };
  auto subscription = bus.subscribe(pulse, [&](const std::size_t& number) {
    if (left.load() == 0 || left.fetch_sub(1) == 0) return;
    exchange_one(bus.publish_every(pulse, number * 31 + 7, 15us), number);
    (void)bus.publish(job, number).ok();
  });
  auto jobs = bus.subscribe(job, [](const std::size_t&) {});
  for (std::size_t i = 0; i < 4; ++i) exchange_one(bus.publish_every(pulse, i, 10us), i);
  REQUIRE(eventually([&] { return left.load() == 0 || left.load() > scaled(4'000); }));
  subscription.cancel();  // from here on this thread alone looks at `open`
  for (Schedule& schedule : open) schedule.cancel();
  REQUIRE(settle(bus));
  REQUIRE(balanced(bus.stats()));
}
