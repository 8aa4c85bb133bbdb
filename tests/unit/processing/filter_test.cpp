// SPDX-License-Identifier: MIT
#include <gossip/processing/filter.hpp>

#include <catch2/catch_test_macros.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

// The smallest types that model the concept, and one near-miss for each of its requirements.
namespace gossip::detail::filter_archetypes {
namespace {

struct Payload {};
struct OnData {
  bool operator()(const Payload&) const { return true; }
};
struct OnEvent {
  bool operator()(const Event<Payload>&) const { return true; }
};
struct OnAny {
  bool operator()(const AnyEvent&) const { return true; }
};
struct NotConst {
  bool operator()(const Payload&) { return true; }
};
struct NoAnswer {
  void operator()(const Payload&) const {}
};
struct WantsToChange {
  bool operator()(Payload&) const { return true; }
};

static_assert(Filter<OnData, Event<Payload>> && Filter<OnEvent, Event<Payload>>);
static_assert(Filter<OnAny, AnyEvent> && !Filter<OnAny, Event<Payload>>);
static_assert(!Filter<OnData, Event<void>> && !Filter<OnData, AnyEvent>);
static_assert(!Filter<OnData, Payload>, "a payload is no event");
static_assert(!Filter<NotConst, Event<Payload>> && !Filter<NoAnswer, Event<Payload>>);
static_assert(!Filter<WantsToChange, Event<Payload>>);
static_assert(Middleware<FilterMiddleware<OnData>>);

}  // namespace
}  // namespace gossip::detail::filter_archetypes

namespace {

using gossip::all_of;
using gossip::any_of;
using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Filter;
using gossip::filtered;
using gossip::none_of;
using gossip::not_;
using gossip::passes;
using gossip::Processor;
using gossip::Status;
using gossip::where;
using gossip::detail::Handler;

struct Order {
  int amount = 0;
  bool paid = false;
};
constexpr EventType<Order> placed{"order.placed"};
constexpr EventType<void> ticked{"clock.ticked"};

const auto large = [](const Order& order) { return order.amount > 100; };
const auto even = [](const Event<Order>& event) { return event.data().amount % 2 == 0; };
const auto yes = [](const auto&) { return true; };
const auto no = [](const auto&) { return false; };
const auto about_orders = [](const AnyEvent& event) { return event.type().starts_with("order."); };

Event<Order> order(int amount) { return Event{placed, {.amount = amount}}; }

template <class A, class B>
concept Conjoined = requires(A a, B b) {
  a&& b;
};
template <class A, class B>
concept Disjoined = requires(A a, B b) {
  a || b;
};
template <class A>
concept Negated = requires(A a) {
  !a;
};
struct Strange {};
using Where = decltype(where(large));

static_assert(Conjoined<Where, Where> && Disjoined<Where, Where> && Negated<Where>);
// The operators are for filters of our own: they accept nothing that was wrapped by nobody.
static_assert(!Conjoined<Where, Strange> && !Conjoined<Strange, Where> && !Conjoined<Strange, int>);
static_assert(!Disjoined<Where, Strange> && !Negated<Strange> && !Conjoined<Where, Status>);
static_assert(!Conjoined<Status, Event<Order>> && !Conjoined<AnyEvent, AnyEvent>);

static_assert(Filter<decltype(large), Event<Order>> && !Filter<decltype(large), AnyEvent>);
static_assert(!Filter<Where, Event<void>> && !Filter<Where, AnyEvent>);
static_assert(Filter<bool Order::*, Event<Order>>, "a member of the payload");
static_assert(Filter<bool (*)(const Order&), Event<Order>>);
static_assert(Filter<std::function<bool(const AnyEvent&)>, AnyEvent>);
static_assert(!Processor<decltype(large), Order>, "a filter is no processor");

TEST_CASE("passes: asks a filter of the payload, of the event and of any event", "[filter]") {
  CHECK(passes(large, order(101)));
  CHECK_FALSE(passes(large, order(100)));
  CHECK(passes(even, order(100)));
  CHECK_FALSE(passes(even, order(101)));
  CHECK(passes(&Order::paid, Event{placed, {.paid = true}}));
  CHECK_FALSE(passes(&Order::paid, order(1)));
  CHECK(passes(about_orders, AnyEvent{order(1)}));
  CHECK_FALSE(passes(about_orders, AnyEvent{Event{ticked}}));
  CHECK(passes([](const Event<void>& e) { return e.type() == "clock.ticked"; }, Event{ticked}));
}

TEST_CASE("all_of, any_of, none_of, not_: of every pair of answers", "[filter]") {
  const auto event = order(1);
  CHECK(passes(all_of(yes, yes), event));
  CHECK_FALSE(passes(all_of(yes, no), event));
  CHECK_FALSE(passes(all_of(no, yes), event));
  CHECK_FALSE(passes(all_of(no, no), event));
  CHECK(passes(any_of(yes, yes), event));
  CHECK(passes(any_of(yes, no), event));
  CHECK(passes(any_of(no, yes), event));
  CHECK_FALSE(passes(any_of(no, no), event));
  CHECK_FALSE(passes(none_of(yes, yes), event));
  CHECK_FALSE(passes(none_of(yes, no), event));
  CHECK_FALSE(passes(none_of(no, yes), event));
  CHECK(passes(none_of(no, no), event));
  CHECK(passes(not_(no), event));
  CHECK_FALSE(passes(not_(yes), event));
}

TEST_CASE("all_of nothing passes, any_of nothing does not, none_of nothing passes", "[filter]") {
  const auto event = order(1);
  CHECK(passes(all_of(), event));
  CHECK_FALSE(passes(any_of(), event));
  CHECK(passes(none_of(), event));
  CHECK(passes(all_of(), AnyEvent{event}));
  CHECK_FALSE(passes(any_of(), AnyEvent{event}));
}

TEST_CASE("filters: operators compose what is ours or wrapped", "[filter]") {
  const auto filter = (where(large) && where(even)) || !where(&Order::paid);
  CHECK(passes(filter, order(1)));
  CHECK(passes(filter, Event{placed, {.amount = 102, .paid = true}}));
  CHECK_FALSE(passes(filter, Event{placed, {.amount = 103, .paid = true}}));
  CHECK_FALSE(passes(filter, Event{placed, {.amount = 100, .paid = true}}));
  CHECK(passes(!filter, Event{placed, {.amount = 100, .paid = true}}));
  CHECK(passes(where(about_orders) && !where(no), AnyEvent{order(1)}));
}

TEST_CASE("filters: are asked from the left until the answer is known", "[filter]") {
  std::string asked;
  const auto note = [&asked](char name, bool answer) {
    return where([&asked, name, answer](const Order&) {
      asked += name;
      return answer;
    });
  };
  CHECK_FALSE(passes(all_of(note('a', true), note('b', false), note('c', true)), order(1)));
  CHECK(passes(note('d', true) || note('e', true), order(1)));
  CHECK_FALSE(passes(none_of(note('f', true), note('g', true)), order(1)));
  CHECK_FALSE(passes(note('h', false) && note('i', true), order(1)));
  CHECK(asked == "abdfh");
}

TEST_CASE("filters: one of all kinds of predicate", "[filter]") {
  const auto filter = all_of(large, even, not_(&Order::paid), std::function{large});
  CHECK(passes(filter, order(102)));
  CHECK_FALSE(passes(filter, order(103)));
  CHECK_FALSE(passes(filter, order(100)));
}

TEST_CASE("filters: are composed at compile time", "[filter]") {
  constexpr auto positive = [](const auto&) { return true; };
  static_assert(sizeof(all_of(large, even, positive)) <= 3, "holds the predicates alone");
  static_assert(sizeof(filtered(positive, positive)) <= 2);
}

struct Ambiguous {
  bool operator()(const Order&) const { return true; }
  bool operator()(const Event<Order>&) const { return false; }
};

TEST_CASE("passes: what fits the payload and the event is given the payload", "[filter]") {
  CHECK(passes(Ambiguous{}, order(1)));
  CHECK(passes(where(Ambiguous{}), order(1)));
}

TEST_CASE("filtered: calls the processor for what passes and succeeds for the rest", "[filter]") {
  const std::stop_token none;
  Context context{none};
  int sum = 0;
  auto processor = filtered(large, [&sum](const Order& o) -> Status {
    sum += o.amount;
    return Errc::fatal;
  });
  static_assert(Processor<decltype(processor), Order> && !Processor<decltype(processor), void>);
  CHECK(processor(order(100), context).ok());
  CHECK(sum == 0);
  CHECK(processor(order(101), context) == Errc::fatal);
  CHECK(sum == 101);
}

TEST_CASE("filtered: takes every form of processor, and a move-only one", "[filter]") {
  const std::stop_token none;
  Context context{none, gossip::SteadyTime::max(), 4};
  unsigned attempt = 0;
  auto with_context =
      filtered(even, [&](const Event<Order>&, Context& c) { attempt = c.attempt(); });
  CHECK(with_context(order(2), context).ok());
  CHECK(attempt == 4);
  auto owner = filtered(yes, [sum = std::make_unique<int>(0)](const Order& o) -> Status {
    *sum += o.amount;
    return *sum == 3 ? Errc::timeout : Errc::fatal;
  });
  static_assert(!std::copy_constructible<decltype(owner)>);
  auto moved = std::move(owner);
  CHECK(moved(order(3), context) == Errc::timeout);
  bool called = false;
  auto nothing = filtered(where([](const Event<void>&) { return true; }), [&] { called = true; });
  CHECK(nothing(Event{ticked}, context).ok());
  CHECK(called);
}

TEST_CASE("filtered: any event", "[filter]") {
  const std::stop_token none;
  Context context{none};
  std::string seen;
  auto processor = filtered(about_orders, [&](const AnyEvent& event) { seen += event.type(); });
  static_assert(Handler<decltype(processor), AnyEvent>);
  static_assert(!Handler<decltype(processor), Event<Order>>);
  CHECK(processor(AnyEvent{order(1)}, context).ok());
  CHECK(processor(AnyEvent{Event{ticked}}, context).ok());
  CHECK(seen == "order.placed");
}

TEST_CASE("filtered: what the filter throws is thrown, and the processor is not called",
          "[filter]") {
  const std::stop_token none;
  Context context{none};
  bool called = false;
  auto processor = filtered([](const Order&) -> bool { throw std::out_of_range{"filter"}; },
                            [&](const Order&) { called = true; });
  CHECK_THROWS_AS(processor(order(1), context), std::out_of_range);
  CHECK_FALSE(called);
}

TEST_CASE("filtered: without a processor it is a middleware", "[filter]") {
  const std::stop_token none;
  Context context{none};
  int calls = 0;
  const auto middleware = filtered(large);
  static_assert(gossip::Middleware<decltype(middleware)>);
  auto processor = middleware([&](const Order&) { ++calls; });
  CHECK(processor(order(100), context).ok());
  CHECK(processor(order(200), context).ok());
  CHECK(calls == 1);
  auto chained = (filtered(large) | filtered(even))([&](const Order&) { ++calls; });
  for (const int amount : {100, 101, 102}) CHECK(chained(order(amount), context).ok());
  CHECK(calls == 2);
}

}  // namespace
