// SPDX-License-Identifier: MIT
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/asynchronous_calls.hpp>
#include <gossip/dispatch/dispatcher.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using gossip::BusOptions;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::ManualClock;
using gossip::Status;
using gossip::SubscriptionId;
using gossip::detail::ClockView;
using gossip::detail::Dispatcher;
using gossip::detail::erase_processor;
using gossip::detail::Timer;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::patience;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"calls.number"};
constexpr EventType<std::unique_ptr<int>> unique{"calls.unique"};

struct Fixture {
  explicit Fixture(BusOptions options = {})
      : dispatcher{gossip::detail::held(with_handler(std::move(options))), ClockView::of(clock),
                   Timer::Drive::run_due} {
    follower = clock.follow([this] { dispatcher.timer().run_due(); });
    dispatcher.start(nullptr);
  }
  ~Fixture() {
    shutdown(0s);
    dispatcher.unsubscribe_all();
  }
  BusOptions with_handler(BusOptions options) {
    options.workers = 1;
    options.on_error = [this](const gossip::ErrorReport& report) {
      reported.push_back(std::to_string(report.attempt) + " " + std::string{report.status.what()});
    };
    return options;
  }
  template <class F>
  SubscriptionId subscribe(F processor, gossip::SubscribeOptions options = {}) {
    return dispatcher.subscribe(dispatcher.entry_of<int>(number.key()),
                                erase_processor<int>(processor), std::move(options));
  }
  template <class T>
  Status publish(const EventType<T>& type, T value, gossip::Receipt receipt = {}) {
    gossip::detail::Owner<gossip::detail::EventExtras> extras;
    if (receipt) {
      extras.reset(new gossip::detail::EventExtras);
      extras->receipt = std::move(receipt);
    }
    return dispatcher.accept<T>(dispatcher.entry_of<T>(type.key()), value, {}, extras);
  }
  bool drain() { return dispatcher.drain(std::chrono::steady_clock::now() + patience); }
  /// Waits until so many deliveries are put off, and the timer knows of them.
  bool waiting(std::size_t count) {
    return eventually([&] {
      const auto stats = dispatcher.statistics();
      return stats.deferred_waiting == count && dispatcher.timer().pending() == count &&
             stats.in_flight == 0 && stats.depth == 0;
    });
  }
  gossip::ShutdownReport shutdown(std::chrono::nanoseconds timeout) {
    return dispatcher.shutdown(timeout, [](gossip::SteadyTime) {});
  }

  ManualClock clock;
  std::vector<std::string> reported;
  Dispatcher dispatcher;
  std::shared_ptr<void> follower;
};

/// What became of an event.
struct Outcome : gossip::ReceiptState {
  Outcome()
      : ReceiptState{[](ReceiptState* state) noexcept {
          static_cast<Outcome*>(state)->settled = state->failed ? 'f' : 's';
        }} {}
  std::atomic<char> settled{'-'};
};

/// Fails and asks for another attempt in a second, until it is attempt `last`.
auto failing_until(unsigned last, std::vector<unsigned>& attempts) {
  return [last, &attempts](const Event<int>&, Context& context) -> Status {
    attempts.push_back(context.attempt());
    if (context.attempt() >= last) return {};
    REQUIRE(context.defer(1s));
    REQUIRE(context.deferred());
    return Errc::retryable;
  };
}

}  // namespace

TEST_CASE("AsynchronousCalls: a deferred call is made again when its time has come", "[dispatch]") {
  Fixture fixture;
  std::vector<unsigned> attempts;
  fixture.subscribe(failing_until(3, attempts));
  std::atomic<int> others{0};
  fixture.subscribe([&](const int&) { ++others; });
  REQUIRE(fixture.publish(number, 1).ok());
  REQUIRE(fixture.waiting(1));
  fixture.clock.advance(999ms);
  REQUIRE(fixture.dispatcher.statistics().deferred_waiting == 1);
  REQUIRE(attempts == std::vector<unsigned>{1});
  fixture.clock.advance(1ms);
  REQUIRE(eventually([&] { return fixture.dispatcher.statistics().deferred == 2; }));
  REQUIRE(fixture.waiting(1));
  fixture.clock.advance(1s);
  REQUIRE(fixture.drain());
  REQUIRE(attempts == std::vector<unsigned>{1, 2, 3});
  REQUIRE(others == 1);
  REQUIRE(fixture.reported.empty());
  const auto stats = fixture.dispatcher.statistics();
  REQUIRE(stats.deferred == 2);
  REQUIRE(stats.deferred_dropped == 0);
  REQUIRE(stats.delivered == 2);
  REQUIRE(stats.failed == 0);
}

TEST_CASE("AsynchronousCalls: without a delay the next attempt needs no timer", "[dispatch]") {
  Fixture fixture;
  unsigned calls = 0;
  fixture.subscribe([&](const Event<int>&, Context& context) -> Status {
    ++calls;
    if (context.attempt() == 4) throw std::runtime_error{"at last"};
    REQUIRE(context.defer(0s));
    throw std::runtime_error{"not yet"};  // deferred by exception
  });
  REQUIRE(fixture.publish(number, 1).ok());
  REQUIRE(fixture.drain());
  REQUIRE(calls == 4);
  REQUIRE(fixture.dispatcher.statistics().failed == 1);
  REQUIRE(fixture.reported.size() == 1);
  REQUIRE(fixture.reported[0].find("4 ") == 0);
  REQUIRE(fixture.reported[0].find("at last") != std::string::npos);
}

TEST_CASE("AsynchronousCalls: beyond max_deferred a failure is final", "[dispatch]") {
  Fixture fixture{{.max_deferred = 2}};
  int refused = 0;
  fixture.subscribe([&](const Event<int>&, Context& context) -> Status {
    if (context.attempt() > 1) return {};
    refused += context.defer(1s) ? 0 : 1;
    return Errc::retryable;
  });
  for (int i = 0; i < 5; ++i) REQUIRE(fixture.publish(number, i).ok());
  REQUIRE(fixture.waiting(2));
  REQUIRE(refused == 3);
  REQUIRE(fixture.reported.size() == 3);
  fixture.clock.advance(1s);
  REQUIRE(fixture.drain());
  REQUIRE(fixture.dispatcher.statistics().delivered == 2);
  REQUIRE(fixture.dispatcher.statistics().deferred == 2);
}

TEST_CASE("AsynchronousCalls: an attempt for a subscription that has ended is dropped and counted",
          "[dispatch]") {
  Fixture fixture;
  std::vector<unsigned> attempts;
  const auto id = fixture.subscribe(failing_until(2, attempts));
  REQUIRE(fixture.publish(number, 1).ok());
  REQUIRE(fixture.waiting(1));
  REQUIRE(fixture.dispatcher.unsubscribe(id));
  std::atomic<int> strangers{0};
  fixture.subscribe([&](const int&) { ++strangers; });  // in the same record
  fixture.clock.advance(1s);
  REQUIRE(fixture.drain());
  REQUIRE(attempts == std::vector<unsigned>{1});
  REQUIRE(strangers == 0);
  REQUIRE(fixture.dispatcher.statistics().deferred_dropped == 1);
}

TEST_CASE("AsynchronousCalls: a shutdown past its time reports the attempts that were left",
          "[dispatch]") {
  Fixture fixture;
  std::vector<unsigned> attempts;
  fixture.subscribe(failing_until(2, attempts));
  REQUIRE(fixture.publish(number, 1).ok());
  REQUIRE(fixture.publish(number, 2).ok());
  REQUIRE(fixture.waiting(2));
  const auto report = fixture.shutdown(0s);
  REQUIRE(report.complete);
  REQUIRE(report.abandoned == 0);
  REQUIRE(report.abandoned_attempts == 2);
  REQUIRE_FALSE(report.clean());
  REQUIRE(fixture.dispatcher.statistics().deferred_dropped == 2);
  REQUIRE(fixture.dispatcher.statistics().deferred_waiting == 0);
}

TEST_CASE("AsynchronousCalls: a once subscription keeps its event until the last attempt",
          "[dispatch]") {
  Fixture fixture;
  std::vector<unsigned> attempts;
  fixture.subscribe(failing_until(2, attempts),
                    {.lifetime = gossip::SubscribeOptions::Lifetime::once});
  REQUIRE(fixture.publish(number, 1).ok());
  REQUIRE(fixture.publish(number, 2).ok());
  REQUIRE(fixture.waiting(1));
  REQUIRE(fixture.dispatcher.statistics().subscriptions.size() == 1);
  fixture.clock.advance(1s);
  REQUIRE(fixture.drain());
  REQUIRE(attempts == std::vector<unsigned>{1, 2});
  REQUIRE(fixture.dispatcher.statistics().subscriptions.empty());
}

TEST_CASE("AsynchronousCalls: an event that cannot be copied cannot be deferred", "[dispatch]") {
  Fixture fixture;
  int calls = 0;
  bool deferred = true;
  fixture.dispatcher.subscribe(
      fixture.dispatcher.entry_of<std::unique_ptr<int>>(unique.key()),
      erase_processor<std::unique_ptr<int>>(
          [&](const Event<std::unique_ptr<int>>&, Context& context) -> Status {
            ++calls;
            deferred = context.defer(0s);
            return Errc::retryable;
          }),
      {});
  REQUIRE(fixture.publish(unique, std::make_unique<int>(1)).ok());
  REQUIRE(fixture.drain());
  REQUIRE_FALSE(deferred);
  REQUIRE(calls == 1);
  REQUIRE(fixture.reported.size() == 1);
}

TEST_CASE("AsynchronousCalls: a receipt is settled when the last processor is done", "[dispatch]") {
  Fixture fixture;
  Outcome good;
  Outcome bad;
  Outcome unmatched;
  fixture.subscribe([&](const int& value) -> Status {
    REQUIRE(good.settled == '-');
    return value == 1 ? Status{} : Status{Errc::fatal};
  });
  REQUIRE(fixture.publish(number, 1, gossip::Receipt{&good}).ok());
  REQUIRE(fixture.drain());
  REQUIRE(good.settled == 's');
  good.settled = '-';
  REQUIRE(fixture.publish(number, 2, gossip::Receipt{&bad}).ok());
  REQUIRE(fixture.publish(unique, std::make_unique<int>(1), gossip::Receipt{&unmatched}).ok());
  REQUIRE(fixture.drain());
  REQUIRE(bad.settled == 'f');
  REQUIRE(unmatched.settled == 'f');
}

TEST_CASE("AsynchronousCalls: an event that is retained does not hold its receipt", "[dispatch]") {
  Outcome outcome;
  Fixture fixture;
  gossip::detail::Dispatcher::retain(fixture.dispatcher.entry_of<int>(number.key()));
  fixture.subscribe([](const int&) {});
  REQUIRE(fixture.publish(number, 1, gossip::Receipt{&outcome}).ok());
  REQUIRE(fixture.drain());
  REQUIRE(outcome.settled == 's');
}

TEST_CASE("AsynchronousCalls: a deferred attempt holds the receipt", "[dispatch]") {
  Fixture fixture;
  Outcome retried;
  Outcome left;
  std::vector<unsigned> attempts;
  fixture.subscribe(failing_until(2, attempts));
  REQUIRE(fixture.publish(number, 1, gossip::Receipt{&retried}).ok());
  REQUIRE(fixture.waiting(1));
  REQUIRE(retried.settled == '-');
  fixture.clock.advance(1s);
  REQUIRE(fixture.drain());
  REQUIRE(retried.settled == 's');
  REQUIRE(fixture.publish(number, 2, gossip::Receipt{&left}).ok());
  REQUIRE(fixture.waiting(1));
  fixture.shutdown(0s);
  REQUIRE(left.settled == 'f');
}

TEST_CASE("AsynchronousCalls: of a lane, the events of a key wait for the attempt that was put off",
          "[lanes]") {
  Fixture fixture;
  std::vector<std::string> calls;
  const auto id = fixture.subscribe(
      [&](const Event<int>& event, Context& context) -> Status {
        calls.push_back(std::to_string(event.data()) + "/" + std::to_string(context.attempt()));
        if (event.data() != 10 || context.attempt() == 3) return {};
        if (!context.defer(1s)) return Errc::fatal;
        return Errc::retryable;
      },
      {.ordering = gossip::Ordering::by_key([](const int& value) { return value / 10; })});
  for (const int value : {10, 11, 20, 12}) REQUIRE(fixture.publish(number, value).ok());
  REQUIRE(eventually([&] { return fixture.dispatcher.statistics().lanes.handled == 1; }));
  CHECK(fixture.waiting(1));
  CHECK(calls == std::vector<std::string>{"10/1", "20/1"});
  CHECK(fixture.dispatcher.statistics().lanes.waiting == 2);
  CHECK(fixture.dispatcher.statistics().lanes.in_flight == 1);
  fixture.clock.advance(1s);
  REQUIRE(eventually([&] { return fixture.dispatcher.statistics().deferred == 2; }));
  SECTION("until the last one") {
    REQUIRE(fixture.waiting(1));
    fixture.clock.advance(1s);
    REQUIRE(fixture.drain());
    CHECK(calls == std::vector<std::string>{"10/1", "20/1", "10/2", "10/3", "11/1", "12/1"});
    CHECK(fixture.dispatcher.statistics().lanes.handled == 4);
    CHECK(fixture.dispatcher.statistics().deferred_dropped == 0);
  }
  SECTION("or are dropped with it when the subscription ends") {
    REQUIRE(fixture.waiting(1));
    REQUIRE(fixture.dispatcher.unsubscribe(id));
    CHECK(fixture.dispatcher.statistics().lanes.unsubscribed == 3);
    fixture.clock.advance(1s);
    REQUIRE(fixture.drain());
    CHECK(calls.size() == 3);
    CHECK(fixture.dispatcher.statistics().deferred_dropped == 1);
  }
  SECTION("or are abandoned with it") {
    REQUIRE(fixture.waiting(1));
    const gossip::ShutdownReport report = fixture.shutdown(0s);
    CHECK(report.abandoned_in_lanes == 3);
    CHECK(report.abandoned_attempts == 1);
    CHECK_FALSE(report.clean());
  }
}

TEST_CASE("AsynchronousCalls: a `once` subscription with a lane gets one event", "[lanes]") {
  Fixture fixture;
  std::vector<unsigned> attempts;
  fixture.subscribe(failing_until(2, attempts),
                    {.lifetime = gossip::SubscribeOptions::Lifetime::once, .max_concurrency = 1});
  for (int i = 0; i < 3; ++i) REQUIRE(fixture.publish(number, i).ok());
  REQUIRE(fixture.waiting(1));
  fixture.clock.advance(1s);
  REQUIRE(fixture.drain());
  CHECK(attempts == std::vector<unsigned>{1, 2});
  const auto lanes = fixture.dispatcher.statistics().lanes;
  CHECK(lanes.accepted == 3);
  CHECK(lanes.handled == 1);
  CHECK(lanes.unsubscribed == 2);
}

TEST_CASE("AsynchronousCalls: a receipt is settled once a lane is done with the event", "[lanes]") {
  Fixture fixture;
  Outcome outcome;
  const auto publish = [&](int value) {
    REQUIRE(fixture.publish(number, value, gossip::Receipt{&outcome}).ok());
  };
  SECTION("handled") {
    fixture.subscribe([&](const int&) { CHECK(outcome.settled == '-'); }, {.max_concurrency = 1});
    publish(1);
    REQUIRE(fixture.drain());
    CHECK(outcome.settled == 's');
  }
  SECTION("failed") {
    fixture.subscribe([](const int&) -> Status { return Errc::fatal; }, {.max_concurrency = 1});
    fixture.subscribe([](const int&) {});
    publish(1);
    REQUIRE(fixture.drain());
    CHECK(eventually([&] { return outcome.settled == 'f'; }));
  }
  SECTION("dropped") {
    Door door;
    fixture.subscribe([&](const int&) { door.wait(); },
                      {.max_concurrency = 1,
                       .lane = {.capacity = 1, .overflow = gossip::LaneOverflow::drop_oldest}});
    REQUIRE(fixture.publish(number, 0).ok());
    REQUIRE(eventually([&] { return fixture.dispatcher.statistics().lanes.in_flight == 1; }));
    publish(1);
    REQUIRE(fixture.publish(number, 2).ok());
    CHECK(outcome.settled == 'f');
    door.open();
    REQUIRE(fixture.drain());
  }
}
