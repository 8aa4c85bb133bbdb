// SPDX-License-Identifier: MIT
// Filters and middleware: what is composed around a processor.
#include <gossip/gossip.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

namespace {

struct Order {
  std::string id;
  int amount = 0;
  bool express = false;
};
constexpr gossip::EventType<Order> order_placed{"order.placed"};

void filters(gossip::EventBus<>& bus) {
  // [filters]
  // A predicate on the payload, or on the event, is a filter.
  auto large = [](const Order& order) { return order.amount > 100; };
  auto first = bus.subscribe(
      order_placed, large, [](const Order& order) { std::cout << "large: " << order.id << '\n'; });

  // Ours compose with &&, || and !; where() makes one of ours out of a predicate.
  auto urgent = gossip::where(&Order::express) || gossip::by_metadata("tenant", "acme");
  auto second =
      bus.subscribe(order_placed, urgent && !gossip::has_metadata("test"),
                    [](const Order& order) { std::cout << "urgent: " << order.id << '\n'; });
  // [/filters]
  for (const auto& event :
       {gossip::Event{order_placed, {.id = "a-1", .amount = 250}},
        gossip::Event{order_placed, {.id = "a-2", .amount = 10, .express = true}},
        gossip::Event{order_placed, {.id = "a-3", .amount = 10}}.with_metadata("tenant", "acme"),
        gossip::Event{order_placed, {.id = "a-4", .amount = 999, .express = true}}.with_metadata(
            "test", true)}) {
    if (!bus.publish_sync(event).ok()) std::cout << "failed\n";
  }
}

void middleware(gossip::EventBus<>& bus) {
  // [middleware]
  auto log = [](const gossip::LogRecord& record) {
    std::cout << record.message << ' ' << record.event_type << ": " << record.status.what() << '\n';
  };
  // The first is outermost. recovery turns what the processor throws into an error for the others.
  auto careful = gossip::logging(log, "handled") |
                 gossip::circuit_breaker({.failure_threshold = 2}) | gossip::recovery();
  auto subscription = bus.subscribe(order_placed, careful([](const Order& order) {
                                      if (order.amount < 0)
                                        throw gossip::ProcessingError{"the shop pays?"};
                                    }));
  // [/middleware]
  for (const int amount : {1, -1, -1, 1}) {
    const auto result = bus.publish_sync(order_placed, {.id = "b", .amount = amount});
    if (!result.ok()) std::cout << "the publisher is told, too\n";
  }
}

void once_and_not_too_often(gossip::EventBus<>& bus) {
  // [state]
  auto guarded = gossip::deduplicate({.capacity = 1000}, &Order::id) |
                 gossip::rate_limit({.rate = 3, .period = std::chrono::hours{1}});
  auto subscription = bus.subscribe(order_placed, guarded([](const Order& order) {
                                      std::cout << "shipped: " << order.id << '\n';
                                    }));
  // [/state]
  for (const char* id : {"c-1", "c-1", "c-2", "c-3", "c-2", "c-4"}) {
    const auto result = bus.publish_sync(order_placed, {.id = id});
    for (const auto& error : result.errors) std::cout << error.status.what() << '\n';
  }
}

// [own]
// A middleware of your own takes a processor and returns one. `next` takes every event of which
// the wrapped processor is a processor, and returns a Status.
auto announce = [](auto next) {
  return [next = std::move(next)](const auto& event, gossip::Context& context) {
    std::cout << event.type() << ", attempt " << context.attempt() << '\n';
    return next(event, context);
  };
};
// [/own]

void own(gossip::EventBus<>& bus) {
  auto subscription = bus.subscribe(
      order_placed, gossip::chain(announce, gossip::recovery())(
                        [](const Order& order) { std::cout << "order " << order.id << '\n'; }));
  if (!bus.publish_sync(order_placed, {.id = "d-1"}).ok()) std::cout << "failed\n";
}

}  // namespace

int main() {
  gossip::EventBus bus{{.workers = 1}};
  filters(bus);
  middleware(bus);
  once_and_not_too_often(bus);
  own(bus);
}
