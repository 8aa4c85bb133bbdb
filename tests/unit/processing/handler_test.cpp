// SPDX-License-Identifier: MIT
#include <gossip/processing/handler.hpp>

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::detail::handle;
using gossip::detail::Handler;

struct Order {
  int number;
};
constexpr EventType<Order> placed{"order.placed"};
constexpr EventType<void> ticked{"clock.ticked"};

using OnData = decltype([](const Order&) {});
using OnEvent = decltype([](const Event<Order>&) {});
using OnContext = decltype([](const Event<Order>&, Context&) -> Status { return {}; });
using OnNothing = decltype([] {});
using OnAny = decltype([](const AnyEvent&) {});
using OnAnyContext = decltype([](const AnyEvent&, Context&) -> Status { return {}; });
using Generic = decltype([](const auto&, Context&) {});

static_assert(Handler<OnData, Event<Order>> && Handler<OnEvent, Event<Order>>);
static_assert(Handler<OnContext, Event<Order>> && Handler<OnNothing, Event<void>>);
static_assert(Handler<OnAny, AnyEvent> && Handler<OnAnyContext, AnyEvent>);
static_assert(Handler<Generic, Event<Order>> && Handler<Generic, AnyEvent>);
static_assert(Handler<std::function<void(const AnyEvent&)>, AnyEvent>);

// Near misses.
static_assert(!Handler<OnData, AnyEvent> && !Handler<OnContext, AnyEvent>);
static_assert(!Handler<OnAny, Event<Order>> && !Handler<OnData, Event<void>>);
static_assert(!Handler<OnNothing, AnyEvent> && !Handler<OnNothing, Event<Order>>);
static_assert(!Handler<OnData, Order> && !Handler<Generic, Order>, "an Order is no event");
static_assert(!Handler<decltype([](AnyEvent&) {}), AnyEvent>, "wants to change the event");
static_assert(!Handler<decltype([](const AnyEvent&) { return 1; }), AnyEvent>, "returns a number");

const std::stop_token none;

TEST_CASE("handle: calls a processor of a payload in the form it takes", "[handler]") {
  Context context{none, gossip::SteadyTime::max(), 3};
  const Event event{placed, {7}};
  int seen = 0;
  auto on_data = [&](const Order& order) { seen = order.number; };
  CHECK(handle(on_data, event, context).ok());
  CHECK(seen == 7);
  auto on_event = [](const Event<Order>& e) -> Status {
    return e.data().number == 7 ? Errc::fatal : Errc::timeout;
  };
  CHECK(handle(on_event, event, context) == Errc::fatal);
  auto on_context = [&](const Event<Order>& e, Context& c) {
    CHECK(&e == &event);
    CHECK(&c == &context);
    seen = static_cast<int>(c.attempt());
  };
  CHECK(handle(on_context, event, context).ok());
  CHECK(seen == 3);
  auto on_nothing = [&] { seen = 9; };
  CHECK(handle(on_nothing, Event{ticked}, context).ok());
  CHECK(seen == 9);
}

TEST_CASE("handle: calls a processor of any event in the form it takes", "[handler]") {
  Context context{none, gossip::SteadyTime::max(), 3};
  const AnyEvent event{Event{placed, {7}}};
  const AnyEvent* seen = nullptr;
  auto on_any = [&](const AnyEvent& e) { seen = &e; };
  CHECK(handle(on_any, event, context).ok());
  CHECK(seen == &event);
  auto on_context = [&](const AnyEvent& e, Context& c) -> Status {
    return e.get<Order>().number == 7 && &c == &context ? Errc::retryable : Errc::fatal;
  };
  CHECK(handle(on_context, event, context) == Errc::retryable);
}

TEST_CASE("handle: one generic processor serves both kinds of event", "[handler]") {
  Context context{none};
  std::string seen;
  auto generic = [&](const auto& event, Context&) { seen += event.type(); };
  CHECK(handle(generic, Event{placed, {7}}, context).ok());
  CHECK(handle(generic, AnyEvent{Event{ticked}}, context).ok());
  CHECK(seen == "order.placedclock.ticked");
}

TEST_CASE("handle: lets exceptions through", "[handler]") {
  Context context{none};
  auto throws = [](const auto&, Context&) { throw std::out_of_range{"x"}; };
  CHECK_THROWS_AS(handle(throws, Event{ticked}, context), std::out_of_range);
  CHECK_THROWS_AS(handle(throws, AnyEvent{Event{ticked}}, context), std::out_of_range);
}

static_assert(gossip::detail::MaybeCallable<OnData> && gossip::detail::MaybeCallable<void (*)()>);
static_assert(gossip::detail::MaybeCallable<int Order::*> && !gossip::detail::MaybeCallable<int>);
static_assert(!gossip::detail::MaybeCallable<int*>);

TEST_CASE("handle_observed: tells once what came of the call", "[handler]") {
  Context context{none};
  const Event event{ticked};
  std::string seen;
  const auto note = [&](const Status& status) { seen += std::string{status.what()} + ";"; };
  auto works = [] {};
  auto fails = []() -> Status { return Errc::timeout; };
  auto throws = [] { throw std::out_of_range{"too far"}; };
  CHECK(gossip::detail::handle_observed(works, event, context, note).ok());
  CHECK(gossip::detail::handle_observed(fails, event, context, note) == Errc::timeout);
  CHECK_THROWS_AS(gossip::detail::handle_observed(throws, event, context, note), std::out_of_range);
  CHECK(seen == "ok;timed out;processing failed: too far;");
}

TEST_CASE("handle_observed: what the observer throws takes the outcome's place", "[handler]") {
  Context context{none};
  const Event event{ticked};
  int told = 0;
  const auto refuse = [&](const Status&) {
    ++told;
    throw std::length_error{"x"};
  };
  auto works = [] {};
  auto throws = [] { throw std::out_of_range{"too far"}; };
  CHECK_THROWS_AS(gossip::detail::handle_observed(works, event, context, refuse),
                  std::length_error);
  CHECK_THROWS_AS(gossip::detail::handle_observed(throws, event, context, refuse),
                  std::length_error);
  CHECK(told == 2);
}

}  // namespace
