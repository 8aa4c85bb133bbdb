// SPDX-License-Identifier: MIT
#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/registry.hpp>

#include "support/registry_fixture.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using gossip::Event;
using gossip::EventType;
using gossip::SubscribeOptions;
using gossip::SubscriptionId;
using gossip::detail::Call;
using gossip::detail::Delivery;
using gossip::detail::erase_processor;
using gossip::detail::PayloadOperations;
using gossip::detail::Registry;
using gossip::detail::SubscriptionRecord;
using gossip::detail::ThreadSlot;
using gossip::detail::ThreadSlots;
using gossip::detail::TypeEntry;
using Fixture = gossip::test::RegistryFixture;

TEST_CASE("Registry: processors of a type are called in the order of subscribing", "[dispatch]") {
  Fixture fixture;
  std::vector<int> order;
  std::vector<SubscriptionId> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(fixture.subscribe([&order, i](const int&) { order.push_back(i); }));
  }
  REQUIRE(fixture.dispatch(1) == 20);
  REQUIRE(order.size() == 20);
  REQUIRE(std::is_sorted(order.begin(), order.end()));
  for (std::size_t i = 0; i < 20; i += 2) REQUIRE(fixture.registry.cancel(ids[i], &fixture.mine));
  order.clear();
  REQUIRE(fixture.dispatch(1) == 10);
  REQUIRE(order == std::vector<int>{1, 3, 5, 7, 9, 11, 13, 15, 17, 19});
}

TEST_CASE("Registry: processors of a higher priority are called first", "[dispatch]") {
  Fixture fixture;
  std::mt19937 random{3};
  struct Subscribed {
    int priority;
    int number;
    SubscriptionId id;
  };
  std::vector<int> called;
  std::vector<Subscribed> expected;  // in the order of subscribing
  for (int i = 0; i < 500; ++i) {
    if (random() % 100 < 55) {
      const int priority = static_cast<int>(random() % 5) - 2;
      const SubscriptionId id = fixture.subscribe([&called, i](const int&) { called.push_back(i); },
                                                  {.priority = priority});
      expected.push_back({priority, i, id});
    } else if (!expected.empty()) {
      const auto at = expected.begin() + static_cast<std::ptrdiff_t>(random() % expected.size());
      REQUIRE(fixture.registry.cancel(at->id, &fixture.mine));
      expected.erase(at);
    }
    std::vector<Subscribed> order = expected;
    std::stable_sort(order.begin(), order.end(), [](const Subscribed& a, const Subscribed& b) {
      return a.priority > b.priority;
    });
    called.clear();
    REQUIRE(fixture.dispatch(1) == order.size());
    REQUIRE(std::equal(order.begin(), order.end(), called.begin(), called.end(),
                       [](const Subscribed& a, int number) { return a.number == number; }));
  }
}

TEST_CASE("Registry: one that comes before others waits for no dispatch that goes on",
          "[dispatch]") {
  Fixture fixture;
  std::vector<int> called;
  bool subscribed = false;
  fixture.subscribe([&](const int&) {
    called.push_back(1);
    if (std::exchange(subscribed, true)) return;
    for (int i = 0; i < 3; ++i) {
      fixture.subscribe([&](const int&) { called.push_back(2); }, {.priority = 1 + i});
    }
  });
  fixture.subscribe([&](const int&) { called.push_back(3); });
  REQUIRE(fixture.dispatch(1) == 2);
  REQUIRE(called == std::vector<int>{1, 3});
  called.clear();
  REQUIRE(fixture.dispatch(1) == 5);
  REQUIRE(called == std::vector<int>{2, 2, 2, 1, 3});
}

TEST_CASE("Registry: cancel ends a subscription once and destroys its processor", "[dispatch]") {
  Fixture fixture;
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = captured;
  const SubscriptionId id = fixture.subscribe([captured = std::move(captured)](const int&) {});
  REQUIRE(fixture.registry.has_subscriptions(fixture.type));
  REQUIRE(fixture.registry.cancel(id, nullptr));
  REQUIRE(watch.expired());
  REQUIRE_FALSE(fixture.registry.has_subscriptions(fixture.type));
  REQUIRE_FALSE(fixture.registry.cancel(id, nullptr));
  REQUIRE_FALSE(fixture.registry.cancel({}, nullptr));
  REQUIRE_FALSE(fixture.registry.cancel({id.serial, 12'345}, nullptr));
  REQUIRE(fixture.dispatch(1) == 0);
}

TEST_CASE("Registry: the id of a subscription that ended does not end its successor",
          "[dispatch]") {
  Fixture fixture;
  const SubscriptionId first = fixture.subscribe([](const int&) {});
  REQUIRE(fixture.registry.cancel(first, nullptr));
  const SubscriptionId second = fixture.subscribe([](const int&) {});
  REQUIRE(second.index == first.index);  // the place is used again
  REQUIRE(second.serial != first.serial);
  REQUIRE_FALSE(fixture.registry.cancel(first, nullptr));
  REQUIRE(fixture.dispatch(1) == 1);
}

TEST_CASE("Registry: cancel waits for a call that runs on another thread", "[dispatch]") {
  Fixture fixture;
  gossip::test::Door inside;
  gossip::test::Door go_on;
  std::atomic<bool> returned{false};
  const SubscriptionId id = fixture.subscribe([&](const int&) {
    inside.open();
    go_on.wait();
    returned = true;
  });
  const SubscriptionId other = fixture.subscribe([](const int&) {});
  ThreadSlot& slot = fixture.slots.acquire(&fixture);
  std::thread worker{[&] { fixture.dispatch(1, slot); }};
  REQUIRE(inside.wait());
  REQUIRE(fixture.registry.cancel(other, nullptr));  // does not wait for the unrelated one
  REQUIRE_FALSE(returned.load());
  std::atomic<int> seen{-1};
  std::thread canceller{[&] {
    fixture.registry.cancel(id, nullptr);
    seen = returned.load() ? 1 : 0;
  }};
  gossip::test::let_pass(std::chrono::milliseconds{5});
  const bool early = seen.load() != -1;
  go_on.open();
  canceller.join();
  worker.join();
  REQUIRE_FALSE(early);
  REQUIRE(seen.load() == 1);
}

TEST_CASE("Registry: a processor that cancels itself is destroyed after it returns", "[dispatch]") {
  Fixture fixture;
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = captured;
  SubscriptionId id;
  bool alive_inside = false;
  bool cancelled = false;
  id = fixture.subscribe([&, captured = std::move(captured)](const int&) {
    cancelled = fixture.registry.cancel(id, &fixture.mine);
    alive_inside = !watch.expired();
  });
  fixture.dispatch(1);
  REQUIRE(cancelled);
  REQUIRE(alive_inside);
  REQUIRE(watch.expired());
  REQUIRE(fixture.dispatch(1) == 0);
}

TEST_CASE("Registry: a subscription that comes during a dispatch gets the next event",
          "[dispatch]") {
  Fixture fixture;
  int late_calls = 0;
  bool subscribed = false;
  fixture.subscribe([&](const int&) {
    if (subscribed) return;
    subscribed = true;
    for (int i = 0; i < 30; ++i) fixture.subscribe([&](const int&) { ++late_calls; });
  });
  fixture.dispatch(1);
  REQUIRE(late_calls == 0);
  fixture.dispatch(2);
  REQUIRE(late_calls == 30);
}

TEST_CASE("Registry: the listener hears when a type has lost its last subscription", "[dispatch]") {
  Fixture fixture;
  int heard = 0;
  fixture.registry.listen(
      {&heard, [](void* count, TypeEntry&) noexcept { ++*static_cast<int*>(count); }});
  const SubscriptionId first = fixture.subscribe([](const int&) {});
  const SubscriptionId second = fixture.subscribe([](const int&) {});
  fixture.registry.cancel(first, nullptr);
  REQUIRE(heard == 0);
  fixture.registry.cancel(second, nullptr);
  REQUIRE(heard == 1);
  fixture.subscribe([](const int&) {});
  fixture.registry.clear(nullptr);
  REQUIRE(heard == 2);
}

TEST_CASE("Registry: statistics count what each subscription got, not its predecessor",
          "[dispatch]") {
  Fixture fixture;
  const SubscriptionId first = fixture.subscribe([](const int&) {}, {.name = "first"});
  for (int i = 0; i < 3; ++i) fixture.dispatch(i);
  fixture.registry.cancel(first, nullptr);
  const SubscriptionId second = fixture.subscribe([](const int&) {}, {.name = "second"});
  fixture.dispatch(1);
  int visits = 0;
  fixture.registry.for_each(
      [&](const SubscriptionRecord& record, SubscriptionId id, std::uint64_t delivered) {
        ++visits;
        REQUIRE(record.name == "second");
        REQUIRE(id == second);
        REQUIRE(delivered == 1);
      });
  REQUIRE(visits == 1);
}

TEST_CASE("Registry: a subscription for one event ends with it", "[dispatch]") {
  Fixture fixture;
  int calls = 0;
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = captured;
  fixture.subscribe([&, captured = std::move(captured)](const int&) { ++calls; },
                    {.lifetime = SubscribeOptions::Lifetime::once});
  REQUIRE(fixture.dispatch(1) == 1);
  REQUIRE(fixture.dispatch(2) == 0);
  REQUIRE(calls == 1);
  REQUIRE(watch.expired());
}
