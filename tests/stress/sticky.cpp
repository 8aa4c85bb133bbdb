// SPDX-License-Identifier: MIT
// Subscriptions that begin with the last event: none comes twice, none after the last is missed.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

using gossip::BusOptions;
using gossip::EventBus;
using gossip::EventType;
using gossip::SubscribeOptions;
using gossip::Subscription;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::repeat;
using gossip::test::scaled;

namespace {

/// Knows whether it is a copy: what is retained is one, what a worker hands on is not.
struct Numbered {
  explicit Numbered(std::size_t value) : number{value} {}
  Numbered(const Numbered& from) : number{from.number}, copied{true} {}
  Numbered(Numbered&&) noexcept = default;
  Numbered& operator=(const Numbered&) = delete;
  Numbered& operator=(Numbered&&) = delete;
  ~Numbered() = default;

  std::size_t number;
  bool copied = false;
};
constexpr EventType<Numbered> state{"stress.state"};

/// While an odd one is copied, the next one is, if another worker is there: so that comes first.
struct Overtaken {
  explicit Overtaken(std::size_t value) : number{value} {}
  Overtaken(const Overtaken& from) : number{from.number} {
    if (number % 2 == 0) newest = number;
    for (int turns = 0; turns < 1'000 && newest < number; ++turns) std::this_thread::yield();
  }
  Overtaken(Overtaken&&) noexcept = default;
  Overtaken& operator=(const Overtaken&) = delete;
  Overtaken& operator=(Overtaken&&) = delete;
  ~Overtaken() = default;

  std::size_t number;
  static inline std::atomic<std::size_t> newest{0};  ///< even ones only
};
constexpr EventType<Overtaken> overtaken{"stress.overtaken"};

/// What one subscription got.
struct Got {
  void add(const Numbered& event) {
    const std::lock_guard lock{mutex};
    numbers.push_back(event.number);
    if (!event.copied) return;
    began_with = event.number;
    ++copies;
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock{mutex};
    return numbers.size();
  }
  std::mutex mutex;
  std::vector<std::size_t> numbers;  ///< in the order of the calls' beginnings
  std::size_t began_with = 0;        ///< 0: nothing was retained
  int copies = 0;
};

Subscription follow(EventBus<>& bus, Got& got) {
  return bus.subscribe(state, [&got](const Numbered& event) { got.add(event); },
                       {.start = SubscribeOptions::Start::with_last_event});
}

/// True if `got`, sorted, holds nothing twice, and all from what it began with to `last`.
bool complete(const Got& got, std::size_t last) {
  const auto& numbers = got.numbers;
  if (std::adjacent_find(numbers.begin(), numbers.end()) != numbers.end()) return false;
  const auto from = std::lower_bound(numbers.begin(), numbers.end(), got.began_with);
  const auto expected = last - std::max<std::size_t>(got.began_with, 1) + 1;
  return static_cast<std::size_t>(numbers.end() - from) == expected && numbers.back() == last;
}

}  // namespace

TEST_CASE("stress: a subscription with the last event gets that, and all that follow", "[stress]") {
  constexpr std::size_t each = 40;
  const bool beside_a_lane = GENERATE(false, true);
  CAPTURE(beside_a_lane);
  for (const std::size_t workers : {1U, 3U}) {
    const std::size_t events = scaled(80'000);
    EventBus bus{BusOptions{.workers = workers, .capacity = 64}};
    bus.retain(state);
    std::atomic<std::size_t> in_lane{0};
    Subscription lane;
    if (beside_a_lane) {
      lane = bus.subscribe(state, [&](const Numbered&) { ++in_lane; }, {.max_concurrency = 1});
    }
    std::vector<Got> all(2 * each);
    std::vector<Subscription> subscriptions(2 * each);
    std::atomic<std::size_t> published{0};
    on_threads(3, [&](std::size_t thread) {
      if (thread == 2) {
        while (published < events) {
          if (bus.publish(state, Numbered{published + 1}).ok()) ++published;
        }
        return;
      }
      for (std::size_t i = 0; i < each; ++i) {
        while (published < i * events / each) std::this_thread::yield();
        subscriptions[thread * each + i] = follow(bus, all[thread * each + i]);
      }
    });
    REQUIRE(bus.drain_for(patience));
    subscriptions.clear();
    std::size_t began = 0;
    for (Got& got : all) {
      REQUIRE(got.copies == (got.began_with == 0 ? 0 : 1));
      // One worker begins with it, and goes on in order.
      if (workers == 1) {
        REQUIRE(std::is_sorted(got.numbers.begin(), got.numbers.end()));
        if (got.copies == 1) REQUIRE(got.numbers.front() == got.began_with);
      }
      std::sort(got.numbers.begin(), got.numbers.end());
      REQUIRE(complete(got, events));
      began += static_cast<std::size_t>(got.copies);
    }
    REQUIRE(began > each);
    REQUIRE(in_lane == (beside_a_lane ? events : 0));
  }
}

TEST_CASE("stress: subscriptions with the last event come and go", "[stress]") {
  const std::size_t events = scaled(40'000);
  EventBus bus{BusOptions{.workers = 3, .capacity = 16}};
  bus.retain(state);
  REQUIRE(bus.publish_sync(state, Numbered{1}).ok());  // so that there is a last one from the start
  std::atomic<bool> publishing{true};
  std::atomic<std::size_t> wrong{0};
  std::atomic<std::size_t> rounds{0};
  on_threads(4, [&](std::size_t thread) {
    if (thread == 0) {
      for (std::size_t i = 2; i <= events || rounds == 0; ++i) {
        if (i % 16 == 0 ? !bus.publish_sync(state, Numbered{i}).ok()
                        : !bus.publish(state, Numbered{i}).ok())
          ++wrong;
      }
      publishing = false;
    }
    while (publishing) {
      Got got;
      std::atomic<std::size_t> once{0};
      {
        const Subscription following = follow(bus, got);
        auto single = bus.subscribe(state,
                                    [&](const Numbered& event) {
                                      ++once;
                                      if (!event.copied) ++wrong;  // what follows is not for it
                                    },
                                    {.lifetime = SubscribeOptions::Lifetime::once,
                                     .start = SubscribeOptions::Start::with_last_event});
        // Long enough for an event that comes twice, but for every fourth.
        while (rounds % 4 != 0 && publishing && got.count() < 3) std::this_thread::yield();
        ++rounds;
      }
      if (once > 1) ++wrong;
      std::sort(got.numbers.begin(), got.numbers.end());
      if (std::adjacent_find(got.numbers.begin(), got.numbers.end()) != got.numbers.end()) ++wrong;
    }
  });
  REQUIRE(bus.drain_for(patience));
  REQUIRE(wrong == 0);
  REQUIRE(rounds > 0);
  const auto stats = bus.stats();
  REQUIRE(stats.published == stats.handled);
}

TEST_CASE("stress: of what was published in order the last is retained", "[stress]") {
  const bool beside_a_lane = GENERATE(false, true);
  CAPTURE(beside_a_lane);
  Overtaken::newest = 0;
  EventBus bus{BusOptions{.workers = 3, .capacity = 64}};
  bus.retain(overtaken);
  Subscription lane;
  if (beside_a_lane) {
    lane = bus.subscribe(overtaken, [](const Overtaken&) {}, {.max_concurrency = 1});
  }
  std::size_t last = 0;
  repeat(500, [&] {
    for (int i = 0; i < 4; ++i) REQUIRE(bus.publish(overtaken, Overtaken{++last}).ok());
    REQUIRE(bus.drain_for(patience));
    std::size_t got = 0;
    const auto following =
        bus.subscribe(overtaken, [&got](const Overtaken& event) { got = event.number; },
                      {.start = SubscribeOptions::Start::with_last_event});
    REQUIRE(bus.drain_for(patience));
    REQUIRE(got == last);
  });
}
