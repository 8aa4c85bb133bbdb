// SPDX-License-Identifier: MIT
// What fails: tried again, limited in time, handed over as a dead letter; and which event came from
// which.
#include <gossip/gossip.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

namespace {

struct Payment {
  int order = 0;
};
constexpr gossip::EventType<Payment> payment_requested{"shop.payment.requested"};
constexpr gossip::EventType<Payment> payment_made{"shop.payment.made"};
constexpr gossip::EventType<gossip::DeadLetter> undelivered{"shop.undelivered"};

/// A bank that answers the third time it is asked; never for order 13.
gossip::Status pay(const gossip::Event<Payment>& event, gossip::Context& context) {
  const int order = event.data().order;
  std::printf("order %d, attempt %u\n", order, context.attempt());
  if (order < 0) return gossip::ValidationError{"order", "is negative"};
  if (order == 13 || context.attempt() < 3) return gossip::RetryableError{"the bank is busy"};
  return {};
}

// [retry_and_dead_letters]
void pay_with_patience() {
  gossip::EventBus bus{{.workers = 1}};
  auto letters = bus.subscribe(undelivered, [](const gossip::DeadLetter& letter) {
    std::printf("order %d given up after %u: %s\n", letter.event.get<Payment>().order,
                letter.attempts, std::string{letter.error.what()}.c_str());
  });
  // At most four attempts, 1 ms, 2 ms and 4 ms apart; no worker waits meanwhile.
  auto patient = gossip::dead_letter(bus, undelivered) |
                 gossip::retry({.max_attempts = 4, .initial_delay = 1ms});
  auto payments = bus.subscribe(payment_requested, patient(pay));
  for (const int order : {1, 13, -1}) {
    if (!bus.publish(payment_requested, {.order = order}).ok()) return;
    bus.drain();  // waits for pending attempts too
  }
}
// [/retry_and_dead_letters]

// [timeout]
void pay_in_time() {
  gossip::ManualClock clock;  // so that the program takes no time
  gossip::EventBus<gossip::InMemoryProvider, gossip::ManualClock> bus{{.workers = 1}, {}, clock};
  auto limit = gossip::timeout({.limit = 200ms}, [](const gossip::StalledCall& call) {
    std::printf("%s is stuck\n", call.subscription_name.c_str());  // told while it runs
  });
  auto slow = [&](const gossip::Event<Payment>&, gossip::Context& context) {
    while (!context.stop_requested()) clock.advance(30ms);  // a piece of the work
  };
  auto payments = bus.subscribe(payment_requested, limit(slow), {.name = "payments"});
  const gossip::SyncResult result = bus.publish_sync(payment_requested, {.order = 1});
  std::printf("timed out: %s\n", is_timeout(result.errors.at(0).status) ? "yes" : "no");
}
// [/timeout]

// [correlate]
void tell_the_story() {
  gossip::EventBus bus{{.workers = 1}};
  auto payments = bus.subscribe(payment_requested, gossip::correlate()([&](const Payment& payment) {
                                  return bus.publish(payment_made, payment);
                                }));
  auto audit = bus.subscribe(payment_made, [](const gossip::Event<Payment>& event) {
    const auto* story = event.metadata().get_if<std::string>(gossip::correlation_id_key);
    std::printf("paid because of %s\n", story != nullptr ? story->c_str() : "something untold");
  });
  bus.publish(gossip::Event{payment_requested, {.order = 1}}.with_metadata(
      gossip::correlation_id_key, "req-123"));
  bus.drain();
}
// [/correlate]

}  // namespace

int main() {
  pay_with_patience();
  pay_in_time();
  tell_the_story();
}
