// SPDX-License-Identifier: MIT
#include <gossip/core/clock.hpp>
#include <gossip/dispatch/dispatcher.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using gossip::BusOptions;
using gossip::Errc;
using gossip::EventType;
using gossip::Statistics;
using gossip::Status;
using gossip::SteadyTime;
using gossip::detail::ClockView;
using gossip::detail::Dispatcher;
using gossip::detail::erase_processor;
using gossip::detail::Timer;
using gossip::test::Door;
using gossip::test::patience;

namespace {

constexpr EventType<int> number{"dispatcher.number"};
constexpr auto nothing = [](SteadyTime) {};  // to be done last in a shutdown

struct Fixture {
  explicit Fixture(const BusOptions& options = {.workers = 1})
      : dispatcher{gossip::detail::held(options), ClockView::of(clock), Timer::Drive::own_thread} {
    dispatcher.start(nullptr);
  }
  ~Fixture() {
    dispatcher.shutdown(patience, nothing);
    dispatcher.unsubscribe_all();
  }
  template <class F>
  gossip::SubscriptionId subscribe(F processor) {
    return dispatcher.subscribe(dispatcher.entry_of<int>(number.key()),
                                erase_processor<int>(processor), {});
  }
  Status publish(int value) {
    gossip::detail::Owner<gossip::detail::EventExtras> extras;
    return dispatcher.accept<int>(dispatcher.entry_of<int>(number.key()), value, {}, extras);
  }
  bool drain() { return dispatcher.drain(std::chrono::steady_clock::now() + patience); }

  gossip::TickClock clock;
  Dispatcher dispatcher;
};

}  // namespace

TEST_CASE("Dispatcher: workers hand accepted events to the subscriptions", "[dispatch]") {
  Fixture fixture;
  std::vector<int> seen;
  fixture.subscribe([&](const int& value) { seen.push_back(value); });
  for (int i = 0; i < 100; ++i) REQUIRE(fixture.publish(i).ok());
  REQUIRE(fixture.drain());
  REQUIRE(seen.size() == 100);
  for (int i = 0; i < 100; ++i) REQUIRE(seen[static_cast<std::size_t>(i)] == i);
  const Statistics stats = fixture.dispatcher.statistics();
  REQUIRE(stats.published == 100);
  REQUIRE(stats.handled == 100);
  REQUIRE(stats.delivered == 100);
  REQUIRE(stats.types.at(0).dispatched == 100);
}

TEST_CASE("Dispatcher: an event that nobody wants is handled and counted as unmatched",
          "[dispatch]") {
  Fixture fixture;
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(fixture.drain());
  REQUIRE(fixture.dispatcher.statistics().unmatched == 1);
}

TEST_CASE("Dispatcher: drain answers false at its deadline, and on a worker", "[dispatch]") {
  Fixture fixture;
  Door inside;
  Door go_on;
  std::atomic<int> on_worker{-1};
  fixture.subscribe([&](const int&) {
    on_worker = fixture.dispatcher.drain(SteadyTime::max()) ? 1 : 0;
    inside.open();
    go_on.wait();
  });
  REQUIRE(fixture.publish(1).ok());
  const bool began = inside.wait();
  const bool drained =
      fixture.dispatcher.drain(std::chrono::steady_clock::now() + std::chrono::milliseconds{5});
  go_on.open();
  REQUIRE(began);
  REQUIRE_FALSE(drained);
  REQUIRE(on_worker.load() == 0);
  REQUIRE(fixture.drain());
}

TEST_CASE("Dispatcher: shutdown handles what is queued, then refuses", "[dispatch]") {
  Fixture fixture;
  std::atomic<int> handled{0};
  fixture.subscribe([&](const int&) { ++handled; });
  for (int i = 0; i < 50; ++i) REQUIRE(fixture.publish(i).ok());
  REQUIRE(fixture.dispatcher.shutdown(patience, nothing).clean());
  REQUIRE(handled.load() == 50);
  REQUIRE(fixture.publish(1) == Errc::closed);
  REQUIRE(fixture.dispatcher.closed());
  REQUIRE(fixture.dispatcher.shutdown(patience, nothing).clean());
  REQUIRE(fixture.dispatcher.statistics().refused_closed == 1);
}

TEST_CASE("Dispatcher: shutdown past its time requests a stop and counts what is left",
          "[dispatch]") {
  Fixture fixture;
  Door inside;
  fixture.subscribe([&](const int&) {
    inside.open();
    const std::stop_token stop = fixture.dispatcher.calls().stop_token();
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  for (int i = 0; i < 3; ++i) REQUIRE(fixture.publish(i).ok());
  REQUIRE(inside.wait());
  const auto report = fixture.dispatcher.shutdown(std::chrono::milliseconds{2}, nothing);
  REQUIRE(report.complete);
  const Statistics stats = fixture.dispatcher.statistics();
  REQUIRE(stats.handled + report.abandoned == 3);
  REQUIRE(stats.abandoned == report.abandoned);
}

TEST_CASE("Dispatcher: a shutdown on a worker closes and does not wait", "[dispatch]") {
  Fixture fixture;
  std::atomic<int> complete{-1};
  fixture.subscribe([&](const int&) {
    complete = fixture.dispatcher.shutdown(patience, nothing).complete ? 1 : 0;
  });
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(gossip::test::eventually([&] { return complete.load() >= 0; }));
  REQUIRE(complete.load() == 0);
  REQUIRE(fixture.dispatcher.closed());
  REQUIRE(fixture.dispatcher.shutdown(patience, nothing).clean());
}

TEST_CASE("Dispatcher: a failing processor is reported to the handler", "[dispatch]") {
  std::atomic<int> reports{0};
  Fixture fixture{{.workers = 1, .on_error = [&](const gossip::ErrorReport& report) {
                     if (report.status == Errc::fatal && report.attempt == 1) ++reports;
                   }}};
  fixture.subscribe([](const int&) -> Status { return Errc::fatal; });
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(fixture.drain());
  REQUIRE(reports.load() == 1);
  REQUIRE(fixture.dispatcher.statistics().failed == 1);
}
