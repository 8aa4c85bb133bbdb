// SPDX-License-Identifier: MIT
// The guide's chapter on testing: a bus that does nothing until it is told to, and waiting without
// sleeping. A test framework would take the place of `check`.
#include <gossip/testing.hpp>

#include <chrono>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

namespace {

struct Order {
  int number = 0;
};
inline constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};
inline constexpr gossip::EventType<Order> order_reminded{"shop.order.reminded"};

void check(bool holds, const char* what) {
  std::cout << (holds ? "ok: " : "FAILED: ") << what << '\n';
}

/// What is to be tested: it charges an order, and reminds of it a day later.
class Shop {
 public:
  template <class Bus>
  explicit Shop(Bus& bus, gossip::Status answer_of_the_bank)
      : orders_{bus.subscribe(
            order_placed,
            gossip::retry({.max_attempts = 3, .initial_delay = 1s})(
                [this, &bus, answer = std::move(answer_of_the_bank)](const Order& order) {
                  ++attempts;
                  bus.publish_after(order_reminded, order, 24h);
                  return answer;
                }))} {}

  int attempts = 0;

 private:
  gossip::Subscription orders_;
};

void deterministic() {
  // [test_bus]
  gossip::testing::TestBus bus;
  gossip::testing::RecordingProcessor<Order> reminders;
  auto recording = bus.subscribe(order_reminded, reminders);
  Shop shop{bus, {}};

  bus.publish(order_placed, {.number = 7});
  check(shop.attempts == 0, "nothing runs before it is told to");
  bus.run_until_idle();
  check(shop.attempts == 1, "the order was charged");
  bus.advance(23h);
  check(reminders.count() == 0, "no reminder yet");
  bus.advance(1h);
  check(reminders.count() == 1, "one reminder, a day later");
  // [/test_bus]
}

void retries() {
  // [test_retries]
  gossip::testing::TestBus bus;
  Shop shop{bus, gossip::RetryableError{"the bank is busy"}};
  bus.publish(order_placed, {.number = 7});
  bus.advance(1h);  // no test waits for an hour
  check(shop.attempts == 3, "three attempts, and no fourth");
  check(bus.stats().deferred == 2, "two failures were put off");
  check(bus.stats().failed == 1, "the third was final");
  // [/test_retries]
}

void with_threads() {
  // [test_threads]
  // Where the threads themselves are the matter: the real bus, and waiting for what must happen.
  gossip::EventBus bus{{.workers = 2}};
  gossip::testing::RecordingProcessor<Order> orders;
  auto recording = bus.subscribe(order_placed, orders);
  bus.publish(order_placed, {.number = 1});
  bus.publish(order_placed, {.number = 2});
  check(orders.wait_for(2), "both arrive");
  // [/test_threads]
}

}  // namespace

int main() {
  deterministic();
  retries();
  with_threads();
}
