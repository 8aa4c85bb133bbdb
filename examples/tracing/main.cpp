// SPDX-License-Identifier: MIT
// One request, followed through three services: each call of a processor is a span of the request's
// trace, whatever thread and whatever bus it runs on.
#include <gossip/gossip.hpp>
#include <gossip/observe.hpp>

#include "otel.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace {

struct Order {
  int number = 0;
};
constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};
constexpr gossip::EventType<Order> order_paid{"shop.order.paid"};
constexpr gossip::EventType<Order> order_shipped{"shop.order.shipped"};

/// What a web server hands over: the request came with a header `traceparent`, or it did not.
bool handle_request(gossip::EventBus<>& bus, const OtelTracer& hooks,
                    std::string_view traceparent) {
  const gossip::TraceScope request{
      gossip::parse_trace_context(traceparent).value_or(gossip::TraceContext{})};
  return publish_traced(bus, order_placed, {.number = 1}, hooks).ok();
}

}  // namespace

int main() {
  const auto tracer = std::make_shared<otel::Tracer>();
  const OtelTracer hooks{tracer};
  gossip::EventBus bus{{.workers = 1}};

  // [tracing]
  auto traced = gossip::trace(hooks);
  // retry() outside: each attempt is a span of its own.
  auto pay = bus.subscribe(
      order_placed,
      (gossip::retry({.max_attempts = 2, .initial_delay = 1ms}) |
       traced)([&](const gossip::Event<Order>& event, gossip::Context& context) -> gossip::Status {
        if (context.attempt() == 1) return gossip::RetryableError{"the bank is busy"};
        return bus.publish(order_paid, event.data());  // carries the span's context
      }),
      {.name = "payments"});
  // [/tracing]
  auto ship = bus.subscribe(
      order_paid, traced([&](const Order& order) { return bus.publish(order_shipped, order); }),
      {.name = "warehouse"});
  std::string shipped;  // written by the one worker, read after drain()
  auto tell = bus.subscribe(order_shipped, [&](const gossip::Event<Order>& event) {
    shipped = to_traceparent(gossip::trace_context_of(event.metadata()).value());
  });

  // Of a trace that began elsewhere; of none; and with a header that is none.
  for (const char* traceparent : {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "",
                                  "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}) {
    std::printf("request with traceparent '%s'\n", traceparent);
    if (!handle_request(bus, hooks, traceparent) || !bus.drain()) return 1;
    tracer->print();
    std::printf("  the last event carries %s\n", shipped.c_str());
  }
  return 0;
}
