// SPDX-License-Identifier: MIT
// What waiting costs: idle workers use no processor time, and no event waits long behind a busy
// worker while another is parked.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <time.h>
#endif

using gossip::BusOptions;
using gossip::EventBus;
using gossip::EventType;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::let_pass;
using gossip::test::patience;
using gossip::test::scaled;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr EventType<Door*> slow{"stress.slow"};
constexpr EventType<Clock::time_point> fast{"stress.fast"};

/// How long fast events waited.
class Waits {
 public:
  void add(nanoseconds time) {
    const std::lock_guard lock{mutex_};
    times_.push_back(time);
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock{mutex_};
    return times_.size();
  }
  /// The time that a share of all events did not exceed.
  [[nodiscard]] nanoseconds quantile(double share) const {
    const std::lock_guard lock{mutex_};
    std::vector<nanoseconds> sorted = times_;
    std::sort(sorted.begin(), sorted.end());
    return sorted.at(static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1)));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<nanoseconds> times_;
};

/// What it may take longer than to wake a worker while none is busy. What that takes is measured beside
/// it, since a machine that is slow, or busy with other things, takes long for that, too.
#if defined(NDEBUG)
constexpr milliseconds median_limit{2};
#else
constexpr milliseconds median_limit{10};
#endif
constexpr milliseconds most_limit{15};

/// Has `measure(waits, idle)` fill them until the waits are short enough. Others may spoil one attempt;
/// a worker that nobody wakes, or too late, spoils all.
template <class Measure>
void require_short(Measure&& measure) {
  constexpr int attempts = 5;
  for (int attempt = 1;; ++attempt) {
    Waits waits;
    Waits idle;
    measure(waits, idle);
    const auto is_short = [&](double share, nanoseconds limit) {
      return waits.quantile(share) < limit + 3 * idle.quantile(share);
    };
    if (is_short(0.5, median_limit) && is_short(0.75, most_limit)) break;
    INFO("median " << waits.quantile(0.5).count() << " ns, 75 % " << waits.quantile(0.75).count()
                   << " ns, most " << waits.quantile(1).count() << " ns; with nobody busy median "
                   << idle.quantile(0.5).count() << " ns, 75 % " << idle.quantile(0.75).count()
                   << " ns");
    REQUIRE(attempt < attempts);
  }
}
/// The time in which an event must have come that waits behind a slow one: less than that blocks.
constexpr auto in_time = patience / 2;

/// The same for a fast event beside a slow one, on two workers; every second time it is alone.
/// @param publish  `publish(bus, go_on)` publishes both, the slow one to wait at `go_on`; the fast one alone
///                 if that is null. It answers whether they were accepted
template <class Publish>
void require_short_beside_slow(Publish&& publish) {
  require_short([&](Waits& waits, Waits& idle) {
    std::atomic<Waits*> now{nullptr};
    EventBus bus{BusOptions{.workers = 2}};
    auto on_slow = bus.subscribe(slow, [](Door* const& door) { door->wait(); });
    auto on_fast = bus.subscribe(
        fast, [&](const Clock::time_point& time) { now.load()->add(Clock::now() - time); });
    bool all = true;
    for (std::size_t i = 0; i < 2 * scaled(200) && all; ++i) {
      Door go_on;
      Waits& into = i % 2 == 0 ? idle : waits;
      now = &into;
      all = publish(bus, i % 2 == 0 ? nullptr : &go_on) &&
            eventually([&] { return into.count() == i / 2 + 1; }, in_time);
      go_on.open();
      all = bus.drain_for(patience) && all;
    }
    REQUIRE(all);
  });
}

#if defined(__linux__)
/// The processor time that a bus's workers have used.
class WorkerTimes {
 public:
  explicit WorkerTimes(std::size_t workers) : clocks_(workers) {}
  /// For BusOptions::on_worker_start.
  [[nodiscard]] std::function<void(std::size_t)> hook() {
    return [this](std::size_t index) { pthread_getcpuclockid(pthread_self(), &clocks_[index]); };
  }
  [[nodiscard]] nanoseconds used() const {
    nanoseconds sum{0};
    for (const clockid_t clock : clocks_) {
      timespec time{};
      clock_gettime(clock, &time);
      sum += std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
    }
    return sum;
  }
  /// What they use during `period`, once they have settled.
  [[nodiscard]] nanoseconds during(nanoseconds period) const {
    let_pass(milliseconds{100});
    const nanoseconds before = used();
    let_pass(period);
    return used() - before;
  }

 private:
  std::vector<clockid_t> clocks_;
};
#endif

}  // namespace

TEST_CASE("stress: an event does not wait behind a busy worker while another is parked",
          "[stress][alone]") {
  for (const std::size_t busy : {std::size_t{1}, std::size_t{2}}) {
    require_short([&](Waits& waits, Waits& idle) {
      Door go_on;
      std::atomic<Waits*> now{&idle};
      std::atomic<std::size_t> stuck{0};
      EventBus bus{BusOptions{.workers = busy + 1}};
      auto on_slow = bus.subscribe(slow, [&](Door* const& door) {
        ++stuck;
        door->wait();
      });
      auto on_fast = bus.subscribe(
          fast, [&](const Clock::time_point& time) { now.load()->add(Clock::now() - time); });
      const auto publish = [&](Waits& into) {
        now = &into;
        bool all = true;
        for (std::size_t i = 0; i < scaled(200) && all; ++i) {
          let_pass(milliseconds{2});  // the free worker parks
          all = bus.publish(fast, Clock::now()).ok() &&
                eventually([&] { return into.count() == i + 1; }, in_time);
        }
        return all;
      };
      const bool all_idle = publish(idle);
      bool all = true;
      for (std::size_t i = 0; i < busy; ++i) all = bus.publish(slow, &go_on).ok() && all;
      const bool all_busy = eventually([&] { return stuck.load() == busy; });
      all = publish(waits) && all;
      go_on.open();
      REQUIRE(all_idle);
      REQUIRE(all_busy);
      REQUIRE(all);
    });
  }
}

TEST_CASE("stress: an event does not wait behind the slow one that was published just before",
          "[stress][alone]") {
  require_short_beside_slow([](EventBus<>& bus, Door* go_on) {
    let_pass(milliseconds{1});  // both workers park
    return (go_on == nullptr || bus.publish(slow, go_on).ok()) &&
           bus.publish(fast, Clock::now()).ok();
  });
}

TEST_CASE("stress: an event does not wait behind a slow one that another thread publishes",
          "[stress][alone]") {
  require_short_beside_slow([](EventBus<>& bus, Door* go_on) {
    std::atomic<int> ready{0};
    std::atomic<bool> published{true};
    const auto together = [&] {
      for (++ready; ready.load() < 2;) std::this_thread::yield();
    };
    std::thread second{[&] {
      together();
      if (go_on != nullptr && !bus.publish(slow, go_on).ok()) published = false;
    }};
    together();
    if (!bus.publish(fast, Clock::now()).ok()) published = false;
    second.join();
    return published.load();
  });
}

#if defined(__linux__)
/// What the workers use in a second. Others may disturb one second, but not what a worker that polls
/// uses in the best of three.
nanoseconds least_of_three(WorkerTimes& times) {
  nanoseconds least = times.during(std::chrono::seconds{1});
  for (int i = 1; i < 3 && least >= milliseconds{1}; ++i) {
    least = std::min(least, times.during(std::chrono::seconds{1}));
  }
  return least;
}

TEST_CASE("stress: idle workers use no processor time", "[stress][alone]") {
  constexpr std::size_t workers = 4;
  WorkerTimes times{workers};
  EventBus bus{BusOptions{.workers = workers, .on_worker_start = times.hook()}};
  std::atomic<std::size_t> handled{0};
  auto subscription = bus.subscribe(fast, [&](const Clock::time_point&) { ++handled; });
  for (int i = 0; i < 1000; ++i) REQUIRE(bus.publish(fast, Clock::now()).ok());
  REQUIRE(bus.drain_for(patience));
  const nanoseconds used = least_of_three(times);
  INFO(used.count() << " ns in a second");
  REQUIRE(used < milliseconds{1});
}

/// What a thread uses that wakes a thousand times in a second, as the workers' sentinel does.
nanoseconds price_of_waking() {
  timespec before{};
  timespec after{};
  std::thread waking{[&] {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (int i = 0; i < 1'000; ++i) let_pass(milliseconds{1});
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  }};
  waking.join();
  return std::chrono::seconds{after.tv_sec - before.tv_sec} +
         nanoseconds{after.tv_nsec - before.tv_nsec};
}

TEST_CASE("stress: workers that are idle while another is blocked use little processor time",
          "[stress][alone]") {
  constexpr std::size_t workers = 4;
  WorkerTimes times{workers};
  Door inside;
  Door go_on;
  EventBus bus{BusOptions{.workers = workers, .on_worker_start = times.hook()}};
  auto subscription = bus.subscribe(slow, [&](Door* const& door) {
    inside.open();
    door->wait();
  });
  REQUIRE(bus.publish(slow, &go_on).ok());
  const bool blocked = inside.wait();
  const nanoseconds used = least_of_three(times);
  const nanoseconds price = price_of_waking();
  go_on.open();
  INFO(used.count() << " ns in a second; waking a thousand times takes " << price.count());
  REQUIRE(blocked);
  REQUIRE(used < milliseconds{30} + 4 * price);
}
#endif
