// SPDX-License-Identifier: MIT
#include <gossip/core/event_pattern.hpp>
#include <gossip/dispatch/any_call.hpp>
#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/registry.hpp>

#include "support/pattern_reference.hpp"
#include "support/registry_fixture.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using gossip::Event;
using gossip::EventPattern;
using gossip::EventType;
using gossip::SubscribeOptions;
using gossip::SubscriptionId;
using gossip::detail::Call;
using gossip::detail::Delivery;
using gossip::detail::erase_any_processor;
using gossip::detail::erase_processor;
using gossip::detail::PayloadOperations;
using gossip::detail::Registry;
using gossip::detail::SubscriptionRecord;
using gossip::detail::ThreadSlot;
using gossip::detail::ThreadSlots;
using gossip::detail::TypeEntry;
using Fixture = gossip::test::RegistryFixture;

namespace {

/// A registry with as many types as are wanted.
struct World {
  using Log = std::vector<int>;

  ThreadSlots slots;
  std::deque<TypeEntry> types;
  Registry registry{slots};
  ThreadSlot& mine = slots.acquire(&slots);
  Log log;  ///< numbers of the processors called

  TypeEntry& add_type(std::string_view name) {
    types.emplace_back(EventType<int>::parse(name).key(), gossip::payload_info<int>(),
                       gossip::test::no_operations, static_cast<std::uint32_t>(types.size()));
    registry.admit(types.back());
    return types.back();
  }
  SubscriptionId subscribe(const EventPattern& pattern, int number, SubscribeOptions options = {}) {
    return registry.subscribe(pattern, erase_any_processor([this, number](const gossip::AnyEvent&) {
                                log.push_back(number);
                              }),
                              std::move(options));
  }
  SubscriptionId subscribe(TypeEntry& type, int number, SubscribeOptions options = {}) {
    return registry.subscribe(
        type, erase_processor<int>([this, number](const int&) { log.push_back(number); }),
        std::move(options));
  }
  /// The numbers of the processors that an event of the type reaches, in order.
  Log dispatch(TypeEntry& type) {
    log.clear();
    const Event<int> event{EventType<int>::parse(type.name.text()), 1};
    const std::stop_token never;
    Call call{event, never, {[](void*, Call&, const SubscriptionRecord&) {}, nullptr}};
    call.type = &type;
    Delivery delivery{mine, registry, type};
    delivery.run(call);
    return log;
  }
};

}  // namespace

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

TEST_CASE("Registry: a pattern gets the events of types that it matches, old and new",
          "[dispatch]") {
  World world;
  TypeEntry& created = world.add_type("order.created");
  const SubscriptionId orders = world.subscribe(EventPattern{"order.*"}, 1);
  world.subscribe(EventPattern{">"}, 2);
  TypeEntry& paid = world.add_type("order.paid");
  TypeEntry& added = world.add_type("order.item.added");
  REQUIRE(world.registry.has_subscriptions(added));
  REQUIRE(world.dispatch(created) == World::Log{1, 2});
  REQUIRE(world.dispatch(paid) == World::Log{1, 2});
  REQUIRE(world.dispatch(added) == World::Log{2});
  REQUIRE(world.registry.cancel(orders, &world.mine));
  REQUIRE_FALSE(world.registry.cancel(orders, &world.mine));
  REQUIRE(world.dispatch(created) == World::Log{2});
  REQUIRE(world.dispatch(paid) == World::Log{2});
  REQUIRE(world.dispatch(world.add_type("order.gone")) == World::Log{2});
  REQUIRE(world.registry.has_pattern_for(paid.name));
  world.registry.clear(nullptr);
  REQUIRE_FALSE(world.registry.has_pattern_for(paid.name));
  REQUIRE(world.dispatch(paid).empty());
}

TEST_CASE("Registry: a pattern's processor is destroyed when it is cancelled", "[dispatch]") {
  World world;
  world.add_type("a");
  world.add_type("b");
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = captured;
  const SubscriptionId id = world.registry.subscribe(
      EventPattern{"*"}, erase_any_processor([captured](const gossip::AnyEvent&) {}), {});
  captured.reset();
  REQUIRE_FALSE(watch.expired());
  REQUIRE(world.registry.cancel(id, nullptr));
  REQUIRE(watch.expired());
}

TEST_CASE("Registry: a pattern's subscription for one event gets one, of whatever type",
          "[dispatch]") {
  World world;
  TypeEntry& a = world.add_type("a");
  TypeEntry& b = world.add_type("b");
  world.subscribe(EventPattern{"*"}, 1, {.lifetime = SubscribeOptions::Lifetime::once});
  REQUIRE(world.dispatch(b) == World::Log{1});
  REQUIRE(world.dispatch(b).empty());
  REQUIRE(world.dispatch(a).empty());
  REQUIRE_FALSE(world.registry.has_subscriptions(a));
  REQUIRE(world.dispatch(world.add_type("c")).empty());
}

TEST_CASE("Registry: the listener hears of each type that a pattern was the last one for",
          "[dispatch]") {
  World world;
  std::vector<std::string> heard;
  world.registry.listen({&heard, [](void* names, TypeEntry& type) noexcept {
                           static_cast<std::vector<std::string>*>(names)->emplace_back(
                               type.name.text());
                         }});
  TypeEntry& a = world.add_type("a");
  world.add_type("b");
  const SubscriptionId pattern = world.subscribe(EventPattern{"*"}, 1);
  const SubscriptionId single = world.subscribe(a, 2);
  world.add_type("c");
  world.add_type("not.matched");
  REQUIRE(world.registry.cancel(pattern, nullptr));
  std::sort(heard.begin(), heard.end());
  REQUIRE(heard == std::vector<std::string>{"b", "c"});
  REQUIRE(world.registry.cancel(single, nullptr));
  REQUIRE(heard.back() == "a");
  REQUIRE(heard.size() == 3);
}

TEST_CASE("Registry: statistics count a pattern's events of all types together", "[dispatch]") {
  World world;
  TypeEntry& a = world.add_type("a");
  TypeEntry& b = world.add_type("b");
  world.subscribe(EventPattern{"*"}, 1, {.name = "all"});
  world.dispatch(a);
  world.dispatch(b);
  world.dispatch(b);
  int visits = 0;
  world.registry.for_each(
      [&](const SubscriptionRecord& record, SubscriptionId, std::uint64_t delivered) {
        ++visits;
        REQUIRE(Registry::subscribed_to(record) == "*");
        REQUIRE(record.name == "all");
        REQUIRE(delivered == 3);
      });
  REQUIRE(visits == 1);
}

TEST_CASE(
    "Registry: patterns, types and priorities that come and go at random reach whom they should",
    "[dispatch]") {
  constexpr std::string_view tokens[] = {"a", "b", "c"};
  std::mt19937 random{11};
  const auto random_text = [&](bool wildcards) {
    std::string text;
    for (auto left = 1 + random() % 3; left != 0; --left) {
      if (!text.empty()) text += '.';
      if (wildcards && random() % 3 == 0) {
        text += left == 1 && random() % 2 == 0 ? '>' : '*';
      } else {
        text += tokens[random() % 3];
      }
    }
    return text;
  };
  struct Expected {
    std::string text;  // a pattern, or the name of the one type
    int priority;
    int number;
    SubscriptionId id;
  };
  std::size_t reached = 0;
  for (std::size_t round = 0; round < gossip::test::scaled(60); ++round) {
    World world;
    std::set<std::string> known;
    std::vector<Expected> expected;
    for (int step = 0; step < 120; ++step) {
      const int priority = static_cast<int>(random() % 3);
      if (const auto what = random() % 10; what < 2) {
        if (const std::string name = random_text(false); known.insert(name).second) {
          world.add_type(name);
        }
      } else if (what < 5) {
        const std::string text = random_text(true);
        expected.push_back(
            {text, priority, step,
             world.subscribe(EventPattern{std::string_view{text}}, step, {.priority = priority})});
      } else if (what < 7 && !world.types.empty()) {
        TypeEntry& type = world.types[random() % world.types.size()];
        expected.push_back({std::string{type.name.text()}, priority, step,
                            world.subscribe(type, step, {.priority = priority})});
      } else if (!expected.empty()) {
        const auto at = expected.begin() + static_cast<std::ptrdiff_t>(random() % expected.size());
        REQUIRE(world.registry.cancel(at->id, &world.mine));
        expected.erase(at);
      }
      if (step % 4 != 0) continue;
      for (TypeEntry& type : world.types) {
        std::vector<Expected> wanted;
        for (const Expected& one : expected) {
          if (gossip::test::reference_matches(one.text, type.name.text())) wanted.push_back(one);
        }
        std::stable_sort(wanted.begin(), wanted.end(), [](const Expected& x, const Expected& y) {
          return x.priority > y.priority;
        });
        World::Log numbers;
        for (const Expected& one : wanted) numbers.push_back(one.number);
        REQUIRE(world.dispatch(type) == numbers);
        REQUIRE(world.registry.has_subscriptions(type) == !numbers.empty());
        reached += numbers.size();
      }
    }
  }
  REQUIRE(reached > 100);
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

TEST_CASE("Registry: a processor that nobody could destroy in time goes with who comes next",
          "[dispatch]") {
  Fixture fixture;
  ThreadSlot& late = fixture.slots.acquire(&fixture);
  std::optional<Delivery> delivery;
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = captured;
  SubscriptionId id;
  bool held = true;
  id = fixture.subscribe([&, captured = std::move(captured)](const int&) {
    fixture.registry.cancel(id, &fixture.mine);
    // Another thread, with an attempt that was put off, say, announces it once more. It began after
    // the end, and so has no reason to look for what is left.
    delivery.emplace(late, fixture.registry);
    held = delivery->hold(fixture.registry.record(id), id.serial);
  });
  fixture.dispatch(1);
  REQUIRE_FALSE(held);
  REQUIRE_FALSE(watch.expired());  // announced still
  delivery.reset();
  REQUIRE_FALSE(watch.expired());
  SECTION("who ends it again") { REQUIRE_FALSE(fixture.registry.cancel(id, nullptr)); }
  SECTION("who ends all") { fixture.registry.clear(nullptr); }
  SECTION("a worker, before it sleeps") { fixture.registry.collect(); }
  REQUIRE(watch.expired());
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
