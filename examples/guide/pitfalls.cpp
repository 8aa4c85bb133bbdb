// SPDX-License-Identifier: MIT
// The guide's pitfalls: what goes wrong with event buses, and what it looks like done right.
#include <gossip/gossip.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

using std::cout;

struct Order {
  int number = 0;
};
struct Report {
  std::string name;
};

// [one_place]
// In a header of their own, which everybody includes: one name, one payload.
inline constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};
inline constexpr gossip::EventType<Report> report_wanted{"shop.report.wanted"};
inline constexpr gossip::EventType<Report> report_ready{"shop.report.ready"};
// [/one_place]

void wrong_payload() {
  cout << "-- the wrong payload\n";
  gossip::EventBus bus{{.workers = 1}};
  auto orders = bus.subscribe(order_placed, [](const Order&) {});
  // [wrong_payload]
  // bus.publish(order_placed, Report{"sales"});          does not compile
  // bus.subscribe(order_placed, [](const Report&) {});   does not compile

  // The same name with another payload, in a part of the program that did not include the header:
  constexpr gossip::EventType<Report> impostor{"shop.order.placed"};
  const gossip::Status status = bus.publish(impostor, {"sales"});
  if (status == gossip::Errc::type_assertion_failed) cout << "refused: another payload type\n";
  // [/wrong_payload]

  // [wrong_payload_pattern]
  // Patterns get events of any type: ask before you take.
  auto audit = bus.subscribe("shop.>", [](const gossip::AnyEvent& event) {
    if (const Order* order = event.get_if<Order>()) cout << "order " << order->number << '\n';
  });
  // [/wrong_payload_pattern]
  bus.publish(order_placed, {.number = 1});
  bus.publish(report_wanted, {"sales"});
  bus.drain();
}

/// A device that answers slowly.
bool send_a_piece() {
  std::this_thread::yield();
  return true;
}

void blocking() {
  cout << "-- a processor that blocks\n";
  // [blocking]
  // Slow things get a bus of their own: their workers wait, and nobody else's.
  gossip::EventBus slow{{.workers = 4, .capacity = 100, .worker_name = "mail"}};

  // In small pieces, with an eye on the deadline: it can be stopped, and ends in time.
  auto send = [](const gossip::Event<Order>&, gossip::Context& context) -> gossip::Status {
    while (send_a_piece()) {
      if (context.stop_requested()) return gossip::Errc::cancelled;
    }
    return {};
  };
  auto limited = gossip::timeout({.limit = 20ms});
  auto mails = slow.subscribe(order_placed, limited(send), {.name = "mail"});
  // [/blocking]
  const auto result = slow.publish_sync(order_placed, {.number = 1});
  if (gossip::is_timeout(result.errors.front().status)) cout << "ended in time\n";

  // [tried_again]
  // What has to wait for somebody else says so; no worker waits with it.
  auto patient = gossip::retry({.max_attempts = 3, .initial_delay = 1ms});
  auto answered = slow.subscribe(
      report_wanted, patient([](const gossip::Event<Report>&, gossip::Context& context) {
        return context.attempt() < 3 ? gossip::Status{gossip::RetryableError{"not yet"}}
                                     : gossip::Status{};
      }));
  // [/tried_again]
  slow.publish(report_wanted, {"sales"});
  slow.drain();
  cout << "answered, " << slow.stats().failed << " failed\n";
}

void forgotten_end() {
  cout << "-- a forgotten end\n";
  // [forgotten_end]
  std::vector<int> seen;                     // 1. what processors use
  gossip::EventBus bus{{.workers = 1}};      // 2. the bus
  auto orders = bus.subscribe(order_placed,  // 3. the handles: they end first
                              [&](const Order& order) { seen.push_back(order.number); });

  for (int number = 1; number <= 3; ++number) bus.publish(order_placed, {.number = number});

  // A handle that ends unsubscribes: what is queued by then does not reach it any more. So first:
  bus.drain();
  const gossip::ShutdownReport end = bus.shutdown(5s);  // and say what was left, if anything
  // [/forgotten_end]
  cout << seen.size() << " seen, " << (end.clean() ? "nothing" : "something") << " left\n";
}

// [circle]
struct Ping {
  int hops = 0;
};
inline constexpr gossip::EventType<Ping> ping{"game.ping"};
inline constexpr gossip::EventType<Ping> pong{"game.pong"};

// Events that cause each other need an end of their own: a bus cannot know when it is enough.
gossip::Status pass_on(gossip::EventBus<>& bus, const gossip::EventType<Ping>& type, Ping event) {
  if (event.hops == 10) return gossip::FatalError{"ten hops: somebody sends events in a circle"};
  return bus.publish(type, {.hops = event.hops + 1});
}
// [/circle]

void circle() {
  cout << "-- events in a circle\n";
  gossip::EventBus bus{{.workers = 1, .on_error = [](const gossip::ErrorReport& report) {
                          cout << report.event_type << ": " << report.status.what() << '\n';
                        }}};
  auto back = bus.subscribe(ping, [&](const Ping& event) { return pass_on(bus, pong, event); });
  auto forth = bus.subscribe(pong, [&](const Ping& event) { return pass_on(bus, ping, event); });
  bus.publish(ping, {});
  bus.drain();
}

void too_much_sync() {
  cout << "-- too much publish_sync\n";
  gossip::EventBus bus{{.workers = 1}};
  // [sync]
  // The answer is an event, too: nobody waits for it.
  auto work = bus.subscribe(report_wanted, [&](const Report& report) {
    return bus.publish(report_ready, {report.name + ".pdf"});
  });
  auto done = bus.subscribe(report_ready,
                            [](const Report& report) { cout << report.name << " is there\n"; });
  bus.publish(report_wanted, {"sales"});

  bus.drain();
  // publish_sync is for whoever cannot go on without the outcome: a check, a test, the last event.
  auto check = bus.subscribe(order_placed, [](const Order& order) -> gossip::Status {
    if (order.number <= 0) return gossip::ValidationError{"number", "must be positive"};
    return {};
  });
  const gossip::SyncResult result = bus.publish_sync(order_placed, {.number = 0});
  if (!result.ok()) cout << "refused: " << result.errors.front().status.what() << '\n';
  // [/sync]
}

}  // namespace

int main() {
  wrong_payload();
  blocking();
  forgotten_end();
  circle();
  too_much_sync();
}
