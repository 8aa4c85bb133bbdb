// SPDX-License-Identifier: MIT
// Patterns: one processor for many types of event, also for those that nobody knows yet. And: which
// processor of an event is called first, and a queue of one's own with priorities.
#include <gossip/gossip.hpp>

#include <cstdio>
#include <string>

namespace {

struct Order {
  int number = 0;
};
constexpr gossip::EventType<Order> placed{"order.placed"};
constexpr gossip::EventType<Order> paid{"order.paid"};
constexpr gossip::EventType<std::string> item_added{"order.item.added"};

void print(const char* who, const gossip::AnyEvent& event) {
  const std::string type{event.type()};
  std::printf("%s: %s", who, type.c_str());
  if (const Order* order = event.get_if<Order>()) std::printf(", order %d", order->number);
  std::printf("\n");
}

void subscribe_to_patterns() {
  gossip::EventBus bus{{.workers = 1}};
  // [patterns]
  // One token, whatever it is; then one token or more.
  auto audit =
      bus.subscribe("order.*", [](const gossip::AnyEvent& event) { print("audit", event); });
  auto trace =
      bus.subscribe("order.>", [](const gossip::AnyEvent& event) { print("trace", event); });
  bus.publish(placed, {.number = 1});
  bus.publish(item_added, "a book");  // a type that the bus meets only now
  // [/patterns]
  bus.drain();
}

void refuse_a_pattern(const std::string& text) {
  gossip::EventBus bus{{.workers = 1}};
  // [invalid pattern]
  try {
    auto all = bus.subscribe(text, [](const gossip::AnyEvent& event) { print("all", event); });
  } catch (const gossip::ValidationError& error) {
    std::printf("%s\n", error.message().c_str());
  }
  // [/invalid pattern]
}

void call_in_order() {
  gossip::EventBus bus{{.workers = 1}};
  // [priority among processors]
  auto mail = bus.subscribe(paid, [](const Order&) { std::printf("mail\n"); });
  auto book =
      bus.subscribe(paid, [](const Order&) { std::printf("book it first\n"); }, {.priority = 1});
  bus.publish(paid, {.number = 1});
  // [/priority among processors]
  bus.drain();
}

void queue_by_priority() {
  // [priority queue]
  gossip::PriorityQueue<std::string> jobs{{.capacity = 100}};
  jobs.push("tidy up", gossip::Priority::low);
  jobs.push("ship the order");
  jobs.push("put out the fire", gossip::Priority::high);
  jobs.close();  // what is inside can still be popped
  while (auto job = jobs.pop()) std::printf("%s\n", job->c_str());
  // [/priority queue]
}

}  // namespace

int main() {
  subscribe_to_patterns();
  refuse_a_pattern("order.>.paid");
  call_in_order();
  queue_by_priority();
}
