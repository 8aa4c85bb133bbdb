// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/pattern_subscribing.hpp>

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::EventBus;
using gossip::EventType;

constexpr EventType<int> placed{"order.placed"};
constexpr EventType<std::string> paid{"order.paid"};
constexpr EventType<int> other{"user.created"};

template <class Bus, class... A>
concept Subscribes = requires(Bus& bus, A... arguments) {
  bus.subscribe(arguments...);
};

// Both forms are refused at once where the processor takes something else.
struct TakesAny {
  void operator()(const AnyEvent&) const {}
};
struct Passes {
  bool operator()(const AnyEvent&) const { return true; }
};
struct TakesInt {
  void operator()(int) const {}
};
using Text = const char*;
using Options = gossip::SubscribeOptions;
static_assert(Subscribes<EventBus<>, Text, TakesAny>);
static_assert(Subscribes<EventBus<>, Text, TakesAny, Options>);
static_assert(Subscribes<EventBus<>, Text, Passes, TakesAny>);
static_assert(Subscribes<EventBus<>, Text, Passes, TakesAny, Options>);
static_assert(!Subscribes<EventBus<>, Text, TakesInt>);
static_assert(!Subscribes<EventBus<>, Text, TakesInt, Options>);
static_assert(!Subscribes<EventBus<>, Text, Passes, TakesInt>);

TEST_CASE("EventBus: patterns and types are subscribed to side by side", "[bus][pattern]") {
  EventBus bus;
  std::vector<std::string> seen;
  const auto note = [&](const AnyEvent& event) { seen.emplace_back(event.type()); };
  const auto numbers = [](const AnyEvent& event) { return event.get_if<int>() != nullptr; };
  const auto all = bus.subscribe("order.*", note);
  const auto some = bus.subscribe("order.*", numbers, note, {.name = "numbers"});
  int typed = 0;
  const auto one = bus.subscribe(placed, [&](int number) { typed = number; });
  CHECK(bus.publish_sync(placed, 7).calls == 3);
  CHECK(bus.publish_sync(paid, "bill").ok());
  CHECK(bus.publish_sync(other, 1).calls == 0);
  CHECK(typed == 7);
  CHECK(seen == std::vector<std::string>{"order.placed", "order.placed", "order.paid"});
}

TEST_CASE("EventBus: what is no pattern is refused, and so is a closed bus", "[bus][pattern]") {
  EventBus bus;
  const auto ignore = [](const AnyEvent&) {};
  CHECK_THROWS_AS((void)bus.subscribe(std::string{"order..x"}, ignore), gossip::ValidationError);
  bus.shutdown();
  CHECK_THROWS_AS((void)bus.subscribe("order.*", ignore), gossip::Error);
}

TEST_CASE("EventBus: options that suit no pattern, or nothing, are refused", "[bus][pattern]") {
  EventBus bus;
  const auto ignore = [](const AnyEvent&) {};
  const auto of_int = gossip::Ordering::by_key([](const int& number) { return number; });
  CHECK_THROWS_AS((void)bus.subscribe("order.*", ignore, {.ordering = of_int}),
                  gossip::TypeAssertionError);
  CHECK_THROWS_AS(
      (void)bus.subscribe("order.*", ignore, {.max_concurrency = 1, .lane = {.capacity = 0}}),
      std::invalid_argument);
  CHECK(bus.publish_sync(placed, 1).calls == 0);
}

}  // namespace
