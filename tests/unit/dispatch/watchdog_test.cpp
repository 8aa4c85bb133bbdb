// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/watchdog.hpp>

#include "support/recorder.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using gossip::Errc;
using gossip::EventBus;
using gossip::EventType;
using gossip::ManualClock;
using gossip::StallReport;
using gossip::Status;
using gossip::test::Gate;
using namespace std::chrono_literals;

constexpr EventType<int> slow{"slow.number"};
constexpr EventType<int> quick{"quick.number"};

using Bus = EventBus<gossip::InMemoryProvider, ManualClock>;

/// A bus that is watched, in a time of its own; its timer runs inside advance().
struct Watched {
  ManualClock clock;
  std::vector<StallReport> reports;
  Bus bus;

  explicit Watched(std::size_t workers = 1)
      : bus{{.workers = workers,
             .stall_after = 1s,
             .on_stall = [this](const StallReport& report) { reports.push_back(report); }},
            {},
            clock} {}

  /// In steps shorter than what the watchdog waits.
  void advance(std::chrono::milliseconds time) {
    for (auto passed = 0ms; passed < time; passed += 50ms) clock.advance(50ms);
  }
};

TEST_CASE("Watchdog: a call that runs for long is reported once, while it runs", "[watchdog]") {
  Watched watched;
  Gate gate;
  const unsigned line = __LINE__ + 1;
  const auto a = watched.bus.subscribe(slow, [&](int) { static_cast<void>(gate.pass()); },
                                       {.name = "sleeper"});
  REQUIRE(watched.bus.publish(slow, 1).ok());
  REQUIRE(gate.wait_for_arrivals());
  watched.advance(1000ms);
  CHECK(watched.reports.empty());
  watched.advance(500ms);
  REQUIRE(watched.reports.size() == 1);
  CHECK(watched.bus.stats().stalled == 1);
  const StallReport report = watched.reports[0];
  CHECK(report.subscription == a.id());
  CHECK(report.subscription_name == "sleeper");
  CHECK(report.subscribed_to == "slow.number");
  CHECK((report.where.line == line || report.where.line == line + 1));
  CHECK(std::string_view{report.where.file} == __FILE__);
  CHECK(report.running_for >= 1s);
  CHECK(report.running_for <= 1500ms);
  CHECK(report.worker == 0);
  watched.advance(5000ms);
  CHECK(watched.reports.size() == 1);
  gate.open();
  REQUIRE(watched.bus.drain());
}

TEST_CASE("Watchdog: many short calls of one subscription are no long one", "[watchdog]") {
  Watched watched;
  std::vector<Gate> gates(12);
  const auto a = watched.bus.subscribe(slow, [&](int i) -> Status {
    static_cast<void>(gates[static_cast<std::size_t>(i)].pass());
    if (i % 3 == 1) return Errc::timeout;
    if (i % 3 == 2) throw std::runtime_error{"x"};
    return {};
  });
  for (int i = 0; i < 12; ++i) REQUIRE(watched.bus.publish(slow, i).ok());
  for (Gate& gate : gates) {
    REQUIRE(gate.wait_for_arrivals());
    watched.advance(700ms);
    gate.open();
  }
  REQUIRE(watched.bus.drain());
  CHECK(watched.reports.empty());
}

TEST_CASE("Watchdog: deferred attempts are calls of their own", "[watchdog]") {
  Watched watched;
  std::vector<Gate> gates(6);
  const auto a = watched.bus.subscribe(
      slow, [&](const gossip::Event<int>&, gossip::Context& context) -> Status {
        static_cast<void>(gates[context.attempt() - 1].pass());
        if (context.attempt() < 6 && context.defer(0s)) return Errc::retryable;
        return {};
      });
  REQUIRE(watched.bus.publish(slow, 1).ok());
  for (Gate& gate : gates) {
    REQUIRE(gate.wait_for_arrivals());
    watched.advance(700ms);
    gate.open();
  }
  REQUIRE(watched.bus.drain());
  CHECK(watched.reports.empty());
}

TEST_CASE("Watchdog: one that is being cancelled is reported too, and another one", "[watchdog]") {
  Watched watched{2};
  Gate gate;
  auto a = watched.bus.subscribe(slow, [&](int) { static_cast<void>(gate.pass()); }, {.name = "a"});
  const auto b = watched.bus.subscribe(
      "quick.*", [&](const gossip::AnyEvent&) { static_cast<void>(gate.pass()); }, {.name = "b"});
  REQUIRE(watched.bus.publish(slow, 1).ok());
  REQUIRE(watched.bus.publish(quick, 1).ok());
  REQUIRE(gate.wait_for_arrivals(2));
  std::thread cancelling{[&] { a.cancel(); }};
  REQUIRE(gossip::test::eventually([&] { return watched.bus.stats().subscriptions.size() == 1; }));
  watched.advance(1500ms);
  REQUIRE(watched.reports.size() == 2);
  CHECK(watched.reports[0].worker != watched.reports[1].worker);
  CHECK(watched.reports[0].subscription_name != watched.reports[1].subscription_name);
  for (const StallReport& report : watched.reports) {
    CHECK(report.subscribed_to == (report.subscription_name == "a" ? "slow.number" : "quick.*"));
  }
  gate.open();
  cancelling.join();
  REQUIRE(watched.bus.drain());
}

TEST_CASE("Watchdog: a call inside publish_sync, and one around it", "[watchdog]") {
  Watched watched;
  Gate gate;
  const auto inner =
      watched.bus.subscribe(quick, [&](int) { static_cast<void>(gate.pass()); }, {.name = "inner"});
  const auto outer = watched.bus.subscribe(
      slow, [&](int) { CHECK(watched.bus.publish_sync(quick, 1).ok()); }, {.name = "outer"});
  std::thread publishing{[&] { CHECK(watched.bus.publish_sync(slow, 1).ok()); }};
  REQUIRE(gate.wait_for_arrivals());
  watched.advance(1500ms);
  REQUIRE(watched.reports.size() == 2);
  CHECK(watched.reports[0].subscription_name == "outer");
  CHECK(watched.reports[0].worker == -1);
  CHECK(watched.reports[1].subscription_name == "inner");
  gate.open();
  publishing.join();
}

TEST_CASE("Watchdog: what on_stall throws is counted", "[watchdog]") {
  ManualClock clock;
  Bus bus{{.workers = 1,
           .stall_after = 1s,
           .on_stall = [](const StallReport&) { throw std::runtime_error{"x"}; }},
          {},
          clock};
  Gate gate;
  const auto a = bus.subscribe(slow, [&](int) { static_cast<void>(gate.pass()); });
  REQUIRE(bus.publish(slow, 1).ok());
  REQUIRE(gate.wait_for_arrivals());
  for (int i = 0; i < 30; ++i) clock.advance(100ms);
  CHECK(bus.stats().stalled == 1);
  CHECK(bus.stats().handler_failures == 1);
  gate.open();
}

TEST_CASE("Watchdog: in real time, and a bus that watches ends as any other", "[watchdog]") {
  std::atomic<int> reports{0};
  {
    EventBus bus{{.workers = 1, .stall_after = 5ms, .on_stall = [&](const StallReport&) {
                    reports.fetch_add(1);
                  }}};
    const auto a = bus.subscribe(
        slow, [&](int) { CHECK(gossip::test::eventually([&] { return reports.load() == 1; })); });
    REQUIRE(bus.publish(slow, 1).ok());
    REQUIRE(bus.drain());
  }
  CHECK(reports.load() == 1);
  for (int i = 0; i < 20; ++i) EventBus ends{{.workers = 1, .stall_after = 1us}};
}

TEST_CASE("Watchdog: by default nothing is watched, and no timer runs", "[watchdog]") {
  ManualClock clock;
  Bus bus{{.workers = 1}, {}, clock};
  CHECK(bus.stats().stalled == 0);
  clock.advance(1h);
  CHECK(bus.stats().stalled == 0);
}

}  // namespace
