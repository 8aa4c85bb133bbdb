// SPDX-License-Identifier: MIT
// Retries and limits of time, end to end.
#include <gossip/bus/event_bus.hpp>
#include <gossip/processing/retry.hpp>
#include <gossip/processing/timeout.hpp>

#include "support/recorder.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using gossip::BusOptions;
using gossip::Context;
using gossip::Errc;
using gossip::ErrorReport;
using gossip::Event;
using gossip::EventType;
using gossip::ManualClock;
using gossip::retry;
using gossip::RetryOptions;
using gossip::StalledCall;
using gossip::Status;
using gossip::Subscription;
using gossip::test::eventually;
using gossip::test::Gate;
using gossip::test::Recorder;
using gossip::test::scaled;
using namespace std::chrono_literals;
using ManualBus = gossip::EventBus<gossip::InMemoryProvider, ManualClock>;

constexpr EventType<int> number{"retries.number"};
constexpr EventType<int> other{"retries.other"};
constexpr EventType<std::unique_ptr<int>> owned{"retries.owned"};

constexpr RetryOptions hourly{
    .max_attempts = 3, .initial_delay = 1h, .factor = 1.0, .max_delay = 1h, .jitter = 0.0};

/// A bus whose time stands still, and what its error handler heard.
struct Fixture {
  ManualClock clock;
  Recorder<std::string> errors;
  ManualBus bus;

  explicit Fixture(std::size_t workers = 2, std::size_t max_deferred = 10'000)
      : bus{{.workers = workers,
             .max_deferred = max_deferred,
             .on_error =
                 [this](const ErrorReport& report) {
                   errors.add(std::to_string(report.attempt) + " " +
                              std::string{report.status.error()->message()});
                 }},
            {},
            clock} {}

  /// Waits until `made` failures in all were put off, `count` of which the timer has now.
  void wait_for_waiting(std::size_t count, std::uint64_t made) {
    REQUIRE(eventually([&] {
      const auto stats = bus.stats();
      return stats.deferred == made && stats.deferred_waiting == count && stats.depth == 0 &&
             stats.in_flight == 0;
    }));
  }
};

TEST_CASE("stress: a thousand pending retries hold no worker", "[stress]") {
  constexpr int count = 1000;
  Fixture fixture;
  std::vector<std::atomic<int>> calls(count);
  const auto failing = fixture.bus.subscribe(
      number, retry(hourly)([&](const Event<int>& event, Context& context) -> Status {
        ++calls[static_cast<std::size_t>(event.data())];
        return context.attempt() < 3 ? Errc::retryable : Status{};
      }));
  Recorder<int> seen;
  const auto quick = fixture.bus.subscribe(other, [&](int value) { seen.add(value); });
  for (int i = 0; i < count; ++i) REQUIRE(fixture.bus.publish(number, i).ok());
  fixture.wait_for_waiting(count, count);
  for (int i = 0; i < count; ++i) REQUIRE(fixture.bus.publish(other, i).ok());
  REQUIRE(seen.wait_for(count));
  fixture.clock.advance(1h);
  fixture.wait_for_waiting(count, 2 * count);
  fixture.clock.advance(1h);
  REQUIRE(fixture.bus.drain());
  for (const std::atomic<int>& called : calls) REQUIRE(called == 3);
  const auto stats = fixture.bus.stats();
  CHECK(stats.delivered == 2 * count);
  CHECK(stats.failed == 0);
  CHECK(stats.deferred_waiting == 0);
  CHECK(stats.deferred_dropped == 0);
  CHECK(fixture.errors.size() == 0);
}

TEST_CASE("stress: the last attempt's failure is reported, once", "[stress]") {
  Fixture fixture;
  const auto failing =
      fixture.bus.subscribe(number, retry(hourly)([](int) -> Status { return Errc::timeout; }));
  REQUIRE(fixture.bus.publish(number, 1).ok());
  for (const std::uint64_t made : {1U, 2U}) {
    fixture.wait_for_waiting(1, made);
    CHECK(fixture.errors.size() == 0);
    fixture.clock.advance(1h);
  }
  REQUIRE(fixture.bus.drain());
  CHECK(fixture.errors.values() == std::vector<std::string>{"3 gave up after 3 attempts"});
  CHECK(fixture.bus.stats().failed == 1);
  CHECK(fixture.bus.stats().deferred == 2);
}

TEST_CASE("stress: drain waits for pending retries", "[stress]") {
  Fixture fixture;
  std::atomic<bool> succeeded{false};
  const auto failing = fixture.bus.subscribe(
      number, retry(hourly)([&](const Event<int>&, Context& context) -> Status {
        if (context.attempt() == 1) return Errc::retryable;
        succeeded = true;
        return {};
      }));
  REQUIRE(fixture.bus.publish(number, 1).ok());
  fixture.wait_for_waiting(1, 1);
  CHECK_FALSE(fixture.bus.drain_for(1ms));
  bool drained = false;
  bool after = false;
  std::thread waiter{[&] {
    drained = fixture.bus.drain();
    after = succeeded.load();
  }};
  fixture.clock.advance(1h);
  waiter.join();
  CHECK(drained);
  CHECK(after);
}

TEST_CASE("stress: a shutdown counts the retries that it leaves", "[stress]") {
  Fixture fixture;
  std::atomic<int> calls{0};
  const auto failing = fixture.bus.subscribe(number, retry(hourly)([&](int) -> Status {
                                               ++calls;
                                               return Errc::retryable;
                                             }));
  for (int i = 0; i < 20; ++i) REQUIRE(fixture.bus.publish(number, i).ok());
  fixture.wait_for_waiting(20, 20);
  const auto report = fixture.bus.shutdown(0s);
  CHECK(report.complete);
  CHECK(report.abandoned_attempts == 20);
  fixture.clock.advance(24h);
  CHECK(calls == 20);
  CHECK(fixture.bus.stats().deferred_dropped == 20);
}

TEST_CASE("stress: the retries of a subscription that ends are dropped and counted", "[stress]") {
  Fixture fixture;
  std::atomic<int> calls{0};
  Subscription failing = fixture.bus.subscribe(number, retry(hourly)([&](int) -> Status {
                                                 ++calls;
                                                 return Errc::retryable;
                                               }));
  for (int i = 0; i < 20; ++i) REQUIRE(fixture.bus.publish(number, i).ok());
  fixture.wait_for_waiting(20, 20);
  failing.cancel();
  fixture.clock.advance(24h);
  REQUIRE(fixture.bus.drain());
  CHECK(calls == 20);
  CHECK(fixture.bus.stats().deferred_dropped == 20);
  CHECK(fixture.errors.size() == 0);
}

TEST_CASE("stress: a retry that cannot be put off is a failure at once", "[stress]") {
  Fixture fixture{1, 2};
  const auto failing =
      fixture.bus.subscribe(number, retry(hourly)([](int) -> Status { return Errc::retryable; }));
  const auto unique = fixture.bus.subscribe(
      owned, retry(hourly)([](const std::unique_ptr<int>&) -> Status { return Errc::retryable; }));
  for (int i = 0; i < 3; ++i) REQUIRE(fixture.bus.publish(number, i).ok());
  REQUIRE(fixture.errors.wait_for(1));
  REQUIRE(fixture.bus.publish(owned, std::make_unique<int>(1)).ok());
  REQUIRE(fixture.errors.wait_for(2));
  const std::string refused = "1 gave up after 1 attempt: another could not be arranged";
  CHECK(fixture.errors.values() == std::vector<std::string>{refused, refused});
  CHECK(fixture.bus.stats().deferred_waiting == 2);
  CHECK_FALSE(fixture.bus.shutdown(0s).clean());
}

TEST_CASE("stress: publish_sync retries in place, by the bus's clock", "[stress]") {
  Fixture fixture;
  std::atomic<int> calls{0};
  const auto failing = fixture.bus.subscribe(
      number, retry(hourly)([&](const Event<int>&, Context& context) -> Status {
        ++calls;
        return context.attempt() < 3 ? Errc::retryable : Status{};
      }));
  std::atomic<bool> done{false};
  bool good = false;
  std::thread publisher{[&] {
    good = fixture.bus.publish_sync(number, 1).ok();
    done = true;
  }};
  REQUIRE(eventually([&] {
    fixture.clock.advance(1h);
    return done.load();
  }));
  publisher.join();
  CHECK(good);
  CHECK(calls == 3);
  CHECK(fixture.bus.stats().deferred == 0);
}

TEST_CASE("stress: a shutdown ends the waiting of a publish_sync", "[stress]") {
  Fixture fixture;
  Gate called;
  called.open();
  const auto failing = fixture.bus.subscribe(number, retry(hourly)([&](int) -> Status {
                                               static_cast<void>(called.pass());
                                               return Errc::retryable;
                                             }));
  std::atomic<std::size_t> errors{0};
  std::thread publisher{[&] { errors = fixture.bus.publish_sync(number, 1).errors.size(); }};
  REQUIRE(called.wait_for_arrivals());
  CHECK(fixture.bus.shutdown(30s).complete);
  publisher.join();
  CHECK(errors == 1);
}

TEST_CASE("stress: retries in real time lose nothing", "[stress]") {
  const std::size_t count = scaled(20'000);
  std::vector<std::atomic<unsigned>> succeeded(count);
  gossip::EventBus bus{{.workers = 2, .max_deferred = 100'000}};
  const auto flaky = bus.subscribe(
      number, retry({.max_attempts = 50, .initial_delay = 10us, .max_delay = 1ms, .jitter = 1.0})(
                  [&](const Event<int>& event, Context& context) -> Status {
                    const auto index = static_cast<std::size_t>(event.data());
                    if (context.attempt() <= index % 4) return Errc::retryable;
                    ++succeeded[index];
                    return {};
                  }));
  for (std::size_t i = 0; i < count; ++i) {
    REQUIRE(bus.publish(number, static_cast<int>(i)).ok());
  }
  REQUIRE(bus.drain());
  for (const auto& times : succeeded) REQUIRE(times == 1);
  CHECK(bus.stats().failed == 0);
}

TEST_CASE("stress: a stalled call is told while it runs, and may be cancelled from there",
          "[stress]") {
  Fixture fixture;
  Gate busy;
  Recorder<std::string> stalled;
  std::optional<Subscription> handle;
  const auto limit = gossip::timeout({.limit = 1h}, [&](const StalledCall& call) {
    stalled.add(call.event_type + " " + call.subscription_name + " " +
                (call.subscription == handle->id() ? "right" : "wrong"));
    busy.open();
    handle->cancel();  // waits for the call, which must not wait for this report
  });
  handle.emplace(fixture.bus.subscribe(number, limit([&](int) { static_cast<void>(busy.pass()); }),
                                       {.name = "slow"}));
  REQUIRE(fixture.bus.publish(number, 1).ok());
  REQUIRE(busy.wait_for_arrivals());
  fixture.clock.advance(1h);
  CHECK(stalled.size() == 0);
  fixture.clock.advance(1h);
  CHECK(stalled.values() == std::vector<std::string>{"retries.number slow right"});
  REQUIRE(fixture.bus.drain());
  CHECK(limit.timed_out() == 1);
  CHECK(limit.stalled() == 1);
  CHECK(fixture.bus.stats().failed == 1);
}

TEST_CASE("stress: limits of time inside retries", "[stress]") {
  Fixture fixture;
  Gate first;
  auto processor = retry(hourly)(
      gossip::timeout({.limit = 1min})([&](const Event<int>&, Context& context) -> Status {
        if (context.attempt() > 1) return {};
        static_cast<void>(first.pass());
        return context.stop_requested() ? Errc::cancelled : Errc::fatal;
      }));
  const auto slow = fixture.bus.subscribe(number, std::move(processor));
  REQUIRE(fixture.bus.publish(number, 1).ok());
  REQUIRE(first.wait_for_arrivals());
  fixture.clock.advance(1min);
  first.open();
  fixture.wait_for_waiting(1, 1);
  fixture.clock.advance(1h);
  REQUIRE(fixture.bus.drain());
  CHECK(fixture.bus.stats().delivered == 1);
  CHECK(fixture.errors.size() == 0);
}

TEST_CASE("stress: a call in publish_sync is limited too", "[stress]") {
  Fixture fixture;
  auto processor = gossip::timeout({.limit = 1min})([&](const Event<int>&, Context& context) {
    fixture.clock.advance(1min);
    CHECK(context.stop_requested());
  });
  const auto slow = fixture.bus.subscribe(number, std::move(processor));
  const auto result = fixture.bus.publish_sync(number, 1);
  REQUIRE(result.errors.size() == 1);
  CHECK(is_timeout(result.errors[0].status));
}

}  // namespace
