// SPDX-License-Identifier: MIT
// Publishing later, once and again and again; beginning with what was last. Time is moved by hand, so that the program takes none.
#include <gossip/gossip.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

namespace {

constexpr gossip::EventType<std::string> reminder{"calendar.reminder"};
constexpr gossip::EventType<int> temperature{"room.temperature"};
constexpr gossip::EventType<void> heartbeat{"service.heartbeat"};

using Bus = gossip::EventBus<gossip::InMemoryProvider, gossip::ManualClock>;

/// Lets time pass, and everything happen that is due.
void pass(Bus& bus, gossip::ManualClock& clock, std::chrono::seconds time) {
  clock.advance(time);
  bus.drain();
  std::printf("%llds later\n", static_cast<long long>(time.count()));
}

void reminders(Bus& bus, gossip::ManualClock& clock) {
  std::puts("-- once");
  // [after]
  bus.publish_after(reminder, "stretch", 20s);
  bus.publish_at(reminder, "stand up", clock.now() + 10s);
  gossip::Schedule call = bus.publish_after(reminder, "call back", 15s);
  // [/after]
  pass(bus, clock, 10s);
  // [cancel]
  if (call.cancel()) std::puts("no call, then");
  // [/cancel]
  pass(bus, clock, 10s);
}

void heartbeats(Bus& bus, gossip::ManualClock& clock) {
  std::puts("-- again and again");
  // [every]
  gossip::Schedule beats = bus.publish_every(heartbeat, 30s);
  // [/every]
  pass(bus, clock, 30s);
  pass(bus, clock, 30s);
  pass(bus, clock, 120s);  // late: one, no burst
  beats.cancel();
  pass(bus, clock, 30s);
  std::printf("%llu skipped\n", static_cast<unsigned long long>(bus.stats().scheduled_skipped));
}

void latecomer(Bus& bus, gossip::ManualClock& clock) {
  std::puts("-- who comes late");
  // [retain]
  bus.retain(temperature);
  // [/retain]
  bus.publish(temperature, 19);
  bus.publish(temperature, 21);
  pass(bus, clock, 60s);
  // [sticky]
  auto display = bus.subscribe(
      temperature, [](const int& degrees) { std::printf("  display: %d degrees\n", degrees); },
      {.start = gossip::SubscribeOptions::Start::with_last_event});
  // [/sticky]
  pass(bus, clock, 1s);
  bus.publish(temperature, 20);
  pass(bus, clock, 1s);
}

void refused(Bus& bus) {
  std::puts("-- refused");
  // [refused]
  const gossip::Schedule never = bus.publish_every(heartbeat, 0s);
  if (!never.status().ok()) std::puts(std::string{never.status().what()}.c_str());
  // [/refused]
}

}  // namespace

int main() {
  gossip::ManualClock clock;
  Bus bus{{.workers = 1}, {}, clock};
  auto reminded = bus.subscribe(
      reminder, [](const std::string& text) { std::printf("  reminder: %s\n", text.c_str()); });
  auto alive = bus.subscribe(heartbeat, [] { std::puts("  heartbeat"); });
  reminders(bus, clock);
  heartbeats(bus, clock);
  latecomer(bus, clock);
  refused(bus);
}
