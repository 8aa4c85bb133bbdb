// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/thread_times.hpp>

#include "support/recorder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::BusOptions;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::Histogram;
using gossip::ManualClock;
using gossip::Measure;
using gossip::Status;
using gossip::SubscribeOptions;
using namespace std::chrono_literals;

constexpr EventType<int> timed{"timed.number"};
constexpr EventType<int> other{"timed.other"};

using Bus = EventBus<gossip::InMemoryProvider, ManualClock>;

/// A bus whose time stands still but while processors move it.
struct Measured {
  ManualClock clock;
  Bus bus;

  explicit Measured(BusOptions options = {})
      : bus{[&] {
              options.workers = 1;
              options.measure = Measure::times;
              return options;
            }(),
            {},
            clock} {}

  [[nodiscard]] Histogram took(std::size_t i) const { return bus.stats().subscriptions.at(i).took; }
  [[nodiscard]] Histogram waited(std::size_t i = 0) const { return bus.stats().types.at(i).waited; }
};

TEST_CASE("Measure::times: the calls of each subscription, each by itself", "[times]") {
  Measured m;
  const auto a = m.bus.subscribe(timed, [&](int ms) { m.clock.advance(ms * 1ms); });
  const auto b = m.bus.subscribe(timed, [&](int) { m.clock.advance(7us); });
  const auto c = m.bus.subscribe(timed, [&](int) { m.clock.advance(3ns); });
  REQUIRE(m.bus.publish(timed, 1).ok());
  REQUIRE(m.bus.publish(timed, 2).ok());
  REQUIRE(m.bus.drain());
  CHECK(m.took(0).count() == 2);
  CHECK(m.took(0).sum() == 3ms);
  CHECK(m.took(1).count() == 2);
  CHECK(m.took(1).sum() == 14us);
  CHECK(m.took(2).count() == 2);
  CHECK(m.took(2).sum() == 6ns);
}

TEST_CASE("Measure::times: how long an event waited for its first call", "[times]") {
  Measured m;
  gossip::test::Gate gate;
  const auto a = m.bus.subscribe(timed, [&](int i) {
    if (i == 1) static_cast<void>(gate.pass());
  });
  const auto b = m.bus.subscribe(timed, [&](int) { m.clock.advance(1us); });
  REQUIRE(m.bus.publish(timed, 1).ok());
  REQUIRE(gate.wait_for_arrivals());
  REQUIRE(m.bus.publish(timed, 2).ok());
  m.clock.advance(5ms);
  gate.open();
  REQUIRE(m.bus.drain());
  CHECK(m.waited().count() == 2);
  CHECK(m.waited().quantile(0) == 0ns);
  CHECK(m.waited().sum() == 5ms + 1us);  // the first one's call of b came before
  REQUIRE(m.bus.publish(Event{other, 1}).ok());
  REQUIRE(m.bus.drain());
  CHECK(m.waited(1).count() == 0);  // nobody was called
}

TEST_CASE("Measure::times: calls that fail, throw, end themselves, or come again", "[times]") {
  Measured m{{.on_error = [&](const gossip::ErrorReport&) {}}};
  const auto a = m.bus.subscribe(timed, [&](int) -> Status {
    m.clock.advance(1us);
    return Errc::timeout;
  });
  const auto b = m.bus.subscribe(timed, [&](int) {
    m.clock.advance(2us);
    throw std::runtime_error{"x"};
  });
  const auto c = m.bus.subscribe(timed, [&](const Event<int>&, Context& context) -> Status {
    m.clock.advance(4us);
    if (context.attempt() < 3 && context.defer(0s)) return Errc::retryable;
    return {};
  });
  REQUIRE(m.bus.publish(timed, 1).ok());
  REQUIRE(m.bus.drain());
  CHECK(m.took(0).sum() == 1us);
  CHECK(m.took(1).sum() == 2us);
  CHECK(m.took(2).sum() == 12us);
  CHECK(m.took(2).count() == 3);
  CHECK(m.waited().count() == 1);
}

TEST_CASE("Measure::times: a subscription for one event, and one with a lane", "[times]") {
  Measured m;
  const auto lane =
      m.bus.subscribe(timed, [&](int) { m.clock.advance(8us); },
                      {.name = "lane", .ordering = gossip::Ordering::per_publisher()});
  auto once = m.bus.subscribe(timed, [&](int) { m.clock.advance(2us); },
                              {.name = "once", .lifetime = SubscribeOptions::Lifetime::once});
  const auto plain = m.bus.subscribe(timed, [&](int) { m.clock.advance(1us); }, {.name = "plain"});
  REQUIRE(m.bus.publish(timed, 1).ok());
  REQUIRE(m.bus.publish(timed, 2).ok());
  REQUIRE(m.bus.drain());
  const auto statistics = m.bus.stats();
  for (const auto& subscription : statistics.subscriptions) {
    INFO(subscription.name);
    if (subscription.name == "lane") CHECK(subscription.took.sum() == 16us);
    if (subscription.name == "plain") CHECK(subscription.took.sum() == 2us);
    CHECK(subscription.took.count() == (subscription.name == "once" ? 1 : 2));
  }
}

TEST_CASE("Measure::times: a pattern, and publish_sync, which waits for nothing", "[times]") {
  Measured m;
  const auto a = m.bus.subscribe("timed.*", [&](const AnyEvent&) { m.clock.advance(3us); });
  CHECK(m.bus.publish_sync(timed, 1).ok());
  REQUIRE(m.bus.publish(other, 1).ok());
  REQUIRE(m.bus.drain());
  CHECK(m.took(0).count() == 2);
  CHECK(m.took(0).sum() == 6us);
  CHECK(m.waited(0).count() == 0);
  CHECK(m.waited(1).count() == 1);
}

TEST_CASE("Measure::times: a place that is used again begins anew", "[times]") {
  Measured m;
  {
    const auto a = m.bus.subscribe(timed, [&](int) { m.clock.advance(1ms); });
    REQUIRE(m.bus.publish(timed, 1).ok());
    REQUIRE(m.bus.drain());
    CHECK(m.took(0).count() == 1);
  }
  const auto b = m.bus.subscribe(timed, [&](int) { m.clock.advance(1ns); });
  CHECK(m.took(0).count() == 0);
  REQUIRE(m.bus.publish(timed, 1).ok());
  REQUIRE(m.bus.drain());
  CHECK(m.took(0).count() == 1);
  CHECK(m.took(0).sum() == 1ns);
}

TEST_CASE("Measure::times: a call inside a call", "[times]") {
  Measured m;
  const auto a = m.bus.subscribe(timed, [&](int i) {
    m.clock.advance(1us);
    if (i == 0) CHECK(m.bus.publish_sync(timed, 1).ok());
    m.clock.advance(1us);
  });
  CHECK(m.bus.publish_sync(timed, 0).ok());
  CHECK(m.took(0).count() == 2);
  CHECK(m.took(0).sum() == 6us);  // 2 us inside, and 4 us around it
}

TEST_CASE("Measure::times: events without time stamps wait for no known time", "[times]") {
  Measured m{{.timestamps = gossip::Timestamps::off}};
  const auto a = m.bus.subscribe(timed, [&](int) { m.clock.advance(1us); });
  REQUIRE(m.bus.publish(timed, 1).ok());
  REQUIRE(m.bus.drain());
  CHECK(m.waited().count() == 0);
  CHECK(m.took(0).count() == 1);
}

TEST_CASE("Measure::nothing: is the default, and measures nothing", "[times]") {
  EventBus bus{{.workers = 1}};
  const auto a = bus.subscribe(timed, [](int) {});
  REQUIRE(bus.publish(timed, 1).ok());
  REQUIRE(bus.drain());
  CHECK(bus.stats().subscriptions[0].took.count() == 0);
  CHECK(bus.stats().types[0].waited.count() == 0);
}

TEST_CASE("Measure::times: many threads, real time, nothing lost", "[times]") {
  EventBus bus{{.workers = 2, .measure = Measure::times}};
  const auto a = bus.subscribe(timed, [](int) {});
  const auto b = bus.subscribe("timed.*", [](const AnyEvent&) {});
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        if (i % 4 == 0) {
          static_cast<void>(bus.publish_sync(timed, i).ok());
        } else {
          static_cast<void>(bus.publish(timed, i));
        }
        if (i % 500 == 0) static_cast<void>(bus.stats());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(bus.drain());
  const auto statistics = bus.stats();
  CHECK(statistics.subscriptions[0].took.count() == 6000);
  CHECK(statistics.subscriptions[1].took.count() == 6000);
  CHECK(statistics.types[0].waited.count() == 4500);
}

}  // namespace
