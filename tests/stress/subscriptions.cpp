// SPDX-License-Identifier: MIT
// Subscriptions that come and go while events are being handled.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using gossip::BusOptions;
using gossip::Context;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::SubscribeOptions;
using gossip::Subscription;
using gossip::test::eventually;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::repeat;
using gossip::test::scaled;

namespace {

constexpr EventType<std::size_t> token{"stress.token"};
constexpr EventType<std::size_t> other{"stress.other"};

/// Dies with what a processor captured, and notices a call that comes too late.
class Canary {
 public:
  explicit Canary(std::atomic<std::size_t>& late) : late_{&late} {}
  Canary(const Canary&) = delete;
  Canary& operator=(const Canary&) = delete;
  ~Canary() { alive_.store(false); }

  void sing() const {
    if (!alive_.load() || cancelled_.load()) ++*late_;
  }
  void cancelled() { cancelled_.store(true); }

 private:
  std::atomic<std::size_t>* late_;
  std::atomic<bool> alive_{true};
  std::atomic<bool> cancelled_{false};
};

}  // namespace

TEST_CASE("stress: subscriptions come and go while events are handled", "[stress]") {
  constexpr std::size_t threads = 4;
  constexpr std::size_t own_events = 3;
  const std::size_t turns = scaled(3'000);
  std::atomic<std::size_t> late{0};
  std::atomic<std::size_t> survivors{0};
  std::atomic<std::size_t> miscounted{0};
  std::atomic<std::size_t> anchored{0};
  EventBus bus{BusOptions{.workers = 3, .capacity = 32}};
  auto anchor = bus.subscribe(token, [&](const std::size_t&) { ++anchored; });
  on_threads(threads, [&](std::size_t self) {
    for (std::size_t turn = 0; turn < turns; ++turn) {
      const std::size_t mine = self * turns + turn;
      std::atomic<std::size_t> count{0};
      const auto canary = std::make_shared<Canary>(late);  // lives on, to hear of late calls
      auto captured = std::make_shared<int>(7);
      const std::weak_ptr<int> watch = captured;
      Subscription subscription =
          bus.subscribe(token, [&count, canary, mine, captured](const std::size_t& value) {
            canary->sing();
            if (value == mine) ++count;
            canary->sing();
          });
      captured.reset();
      for (std::size_t i = 0; i < own_events; ++i) {
        if (!bus.publish(token, mine).ok()) std::abort();
      }
      // Every other time it is cancelled while its events are still queued.
      const bool wait = turn % 2 == 0;
      if (wait && !eventually([&] { return count.load() >= own_events; })) ++miscounted;
      subscription.cancel();
      canary->cancelled();
      if (!watch.expired()) ++survivors;
      if (wait ? count.load() != own_events : count.load() > own_events) ++miscounted;
    }
  });
  REQUIRE(bus.drain_for(patience));
  REQUIRE(late.load() == 0);
  REQUIRE(survivors.load() == 0);
  REQUIRE(miscounted.load() == 0);
  REQUIRE(anchored.load() == threads * turns * own_events);
  REQUIRE(bus.stats().subscriptions.size() == 1);
}

TEST_CASE("stress: what processors count is what the statistics do, though lists are replaced",
          "[stress]") {
  repeat(40, [] {
    constexpr std::size_t threads = 3;
    // Of those that stay: whose calls all succeed, whose do in part, and which are in several lists.
    std::array<std::atomic<std::uint64_t>, 9> counts{};
    std::atomic<std::uint64_t> passing{0};  // calls of those that do not stay
    std::atomic<std::uint64_t> failures{0};
    std::atomic<bool> over{false};
    EventBus bus{BusOptions{.workers = 2, .capacity = 64}};
    std::vector<Subscription> stay;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      auto& count = counts[i];
      const SubscribeOptions options{.priority = static_cast<int>(i % 3),
                                     .max_concurrency = i == 4 ? 1U : 0U};
      if (i % 3 == 2) {
        stay.push_back(bus.subscribe(
            gossip::EventPattern{"stress.*"}, [&](const gossip::AnyEvent&) { ++count; }, options));
      } else {
        stay.push_back(bus.subscribe(
            i == 6 ? other : token,
            [&, i](const std::size_t& value) -> gossip::Status {
              if (i == 1 && value % 3 == 0) {
                ++failures;
                return gossip::Errc::fatal;
              }
              ++count;
              return {};
            },
            options));
      }
    }
    on_threads(threads, [&](std::size_t self) {
      if (self != 0) {
        for (std::size_t i = 0; i < 300; ++i) {
          const auto& type = i % 4 == 0 ? other : token;
          if (self == 1) {
            static_cast<void>(bus.publish_sync(type, i));
          } else if (!bus.publish(type, i).ok()) {
            std::abort();
          }
        }
        over = true;
        return;
      }
      for (std::size_t turn = 0; !over.load(); ++turn) {
        const SubscribeOptions options{.priority = static_cast<int>(turn % 5)};
        std::vector<Subscription> leave;
        for (std::size_t i = 0; i < turn % 4; ++i) {
          leave.push_back(bus.subscribe(
              token, [&](const std::size_t&) { ++passing; }, options));
          leave.push_back(bus.subscribe(
              gossip::EventPattern{"*.token"}, [&](const gossip::AnyEvent&) { ++passing; },
              options));
        }
      }
    });
    REQUIRE(bus.drain_for(patience));
    const auto stats = bus.stats();
    std::uint64_t total = passing.load();
    REQUIRE(stats.subscriptions.size() == counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      total += counts[i].load();
      for (const auto& subscription : stats.subscriptions) {
        if (subscription.id != stay[i].id()) continue;
        INFO("subscription " << i);
        REQUIRE(subscription.delivered == counts[i].load());
      }
    }
    REQUIRE(stats.delivered == total);
    REQUIRE(stats.failed == failures.load());
  });
}

TEST_CASE("stress: a processor ends its own subscription on several workers", "[stress]") {
  repeat(500, [] {
    std::atomic<std::size_t> calls{0};
    std::atomic<std::size_t> ended{0};
    std::atomic<bool> over{false};
    std::atomic<std::size_t> late{0};
    auto captured = std::make_shared<int>(7);
    const std::weak_ptr<int> watch = captured;
    EventBus bus{BusOptions{.workers = 3, .capacity = 16}};
    auto subscription =
        bus.subscribe(token, [&, captured](const Event<std::size_t>&, Context& context) {
          if (over.load()) ++late;
          ++calls;
          if (bus.unsubscribe(context.subscription())) ++ended;
        });
    captured.reset();
    on_threads(2, [&](std::size_t self) {
      for (std::size_t i = 0; i < 20; ++i) {
        if (self == 0 ? !bus.publish(token, i).ok() : !bus.publish_sync(token, i).ok()) {
          std::abort();
        }
      }
    });
    REQUIRE(bus.drain_for(patience));
    over = true;
    REQUIRE(bus.publish(token, 99).ok());
    REQUIRE(bus.drain_for(patience));
    REQUIRE(late.load() == 0);
    REQUIRE(calls.load() >= 1);
    REQUIRE(ended.load() == 1);
    REQUIRE(eventually([&] { return watch.expired(); }));
  });
}

TEST_CASE("stress: a processor cancels another one's subscription", "[stress]") {
  repeat(500, [] {
    std::atomic<std::size_t> late{0};
    std::atomic<bool> cancelled{false};
    EventBus bus{BusOptions{.workers = 3, .capacity = 16}};
    Subscription victim = bus.subscribe(token, [&](const std::size_t&) {
      if (cancelled.load()) ++late;
      std::this_thread::yield();
      if (cancelled.load()) ++late;
    });
    const gossip::SubscriptionId id = victim.id();
    auto killer = bus.subscribe(other, [&](const std::size_t&) {
      if (bus.unsubscribe(id)) cancelled = true;
    });
    on_threads(2, [&](std::size_t self) {
      for (std::size_t i = 0; i < 30; ++i) {
        if (!bus.publish(self == 1 && i == 10 ? other : token, i).ok()) std::abort();
      }
    });
    REQUIRE(bus.drain_for(patience));
    REQUIRE(cancelled.load());
    REQUIRE(late.load() == 0);
  });
}

TEST_CASE("stress: two processors cancel each other's subscription at once", "[stress]") {
  repeat(1'000, [] {
    auto captured = std::make_shared<int>(7);
    const std::weak_ptr<int> watch = captured;
    EventBus bus{BusOptions{.workers = 2}};
    Subscription first;
    Subscription second;
    std::atomic<std::size_t> inside{0};
    const auto meet = [&] {
      ++inside;
      if (!eventually([&] { return inside.load() == 2; })) std::abort();
    };
    first = bus.subscribe(token, [&, captured](const std::size_t&) {
      meet();
      second.cancel();
    });
    second = bus.subscribe(other, [&, captured](const std::size_t&) {
      meet();
      first.cancel();
    });
    captured.reset();
    REQUIRE(bus.publish(token, std::size_t{1}).ok());
    REQUIRE(bus.publish(other, std::size_t{1}).ok());
    REQUIRE(bus.drain_for(patience));
    REQUIRE(bus.stats().subscriptions.empty());
    REQUIRE(eventually([&] { return watch.expired(); }));
  });
}

TEST_CASE("stress: a once subscription is called once, whoever publishes", "[stress]") {
  repeat(1'000, [] {
    std::atomic<std::size_t> calls{0};
    EventBus bus{BusOptions{.workers = 2, .capacity = 16}};
    auto subscription = bus.subscribe(token, [&](const std::size_t&) { ++calls; },
                                      {.lifetime = SubscribeOptions::Lifetime::once});
    on_threads(3, [&](std::size_t self) {
      for (std::size_t i = 0; i < 5; ++i) {
        if (self == 0 ? !bus.publish(token, i).ok() : !bus.publish_sync(token, i).ok()) {
          std::abort();
        }
      }
    });
    REQUIRE(bus.drain_for(patience));
    REQUIRE(calls.load() == 1);
    REQUIRE(bus.stats().subscriptions.empty());
  });
}

TEST_CASE("stress: a once subscription's processor is destroyed though the bus falls idle",
          "[stress]") {
  EventBus bus{BusOptions{.workers = 1}};
  repeat(10'000, [&] {
    auto captured = std::make_shared<int>(7);
    const std::weak_ptr<int> watch = captured;
    auto subscription = bus.subscribe(token, [captured](const std::size_t&) {},
                                      {.lifetime = SubscribeOptions::Lifetime::once});
    captured.reset();
    std::atomic<std::size_t> ready{0};
    on_threads(2, [&](std::size_t) {
      ++ready;
      for (int spins = 0; ready.load() < 2; ++spins) {
        if (spins > 1'000) std::this_thread::yield();
      }
      if (!bus.publish_sync(token, std::size_t{1}).ok()) std::abort();
    });
    REQUIRE(eventually([&] { return watch.expired(); }));
  });
}

TEST_CASE("stress: publish_sync from many threads while subscriptions are cancelled", "[stress]") {
  constexpr std::size_t publishers = 3;
  const std::size_t events = scaled(20'000);
  std::atomic<std::size_t> late{0};
  std::atomic<std::size_t> survivors{0};
  std::atomic<std::size_t> anchored{0};
  std::atomic<std::size_t> finished{0};
  EventBus bus{BusOptions{.workers = 1}};
  auto anchor = bus.subscribe(token, [&](const std::size_t&) { ++anchored; });
  on_threads(publishers + 1, [&](std::size_t self) {
    if (self < publishers) {
      for (std::size_t i = 0; i < events; ++i) {
        const gossip::SyncResult result = bus.publish_sync(token, i);
        if (!result.ok() || result.calls < 1) std::abort();
      }
      ++finished;
      return;
    }
    while (finished.load() < publishers) {
      const auto canary = std::make_shared<Canary>(late);
      auto captured = std::make_shared<int>(7);
      const std::weak_ptr<int> watch = captured;
      Subscription subscription =
          bus.subscribe(token, [canary, captured](const std::size_t&) { canary->sing(); });
      captured.reset();
      std::this_thread::yield();
      subscription.cancel();
      canary->cancelled();
      if (!watch.expired()) ++survivors;
    }
  });
  REQUIRE(anchored.load() == publishers * events);
  REQUIRE(late.load() == 0);
  REQUIRE(survivors.load() == 0);
}
