// SPDX-License-Identifier: MIT
// What happened last: a recorder that is asked after the fact, and replayed into another bus.
#include <gossip/gossip.hpp>

#include <cstdio>
#include <string>

namespace {

struct Order {
  int number;
};
struct Failure {
  std::string why;
};
constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};
constexpr gossip::EventType<Failure> payment_failed{"shop.payment.failed"};

// [recorder]
void record_and_replay() {
  gossip::EventBus bus{{.workers = 1}};
  gossip::Recorder recorder{{.capacity = 3}};
  auto orders = bus.subscribe(order_placed, recorder.processor());
  auto failures = bus.subscribe(payment_failed, recorder.processor());
  for (int i = 1; i <= 4; ++i) {
    if (!bus.publish(order_placed, {.number = i}).ok()) return;
  }
  if (!bus.publish(payment_failed, {.why = "no funds"}).ok()) return;
  bus.drain();

  std::printf("before the failure:\n");
  recorder.replay([](const gossip::AnyEvent& event) {
    std::printf("  %s\n", std::string{event.type()}.c_str());
  });

  gossip::EventBus copy{{.workers = 1}};
  auto again = copy.subscribe(
      order_placed, [](const Order& order) { std::printf("order %d again\n", order.number); });
  const gossip::ReplayResult result = recorder.replay(copy, order_placed);
  copy.drain();
  std::printf("%zu replayed, %zu of other types\n", result.replayed, result.skipped);
}
// [/recorder]

}  // namespace

int main() { record_and_replay(); }
