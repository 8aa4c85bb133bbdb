// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/sync_result.hpp>
#include <gossip/core/manual_clock.hpp>

#include "support/recorder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::Status;
using gossip::SyncResult;
using gossip::test::Gate;

constexpr EventType<int> number{"test.number"};
constexpr EventType<std::unique_ptr<int>> only_moved{"test.only_moved"};
constexpr EventType<void> ticked{"test.ticked"};

TEST_CASE("SyncResult: is success by default", "[sync_result]") {
  const SyncResult result;
  CHECK(result.ok());
  CHECK(static_cast<bool>(result));
  CHECK(result.calls == 0);
  CHECK_NOTHROW(result.throw_if_error());
}

TEST_CASE("SyncResult: throws what was refused before the first error", "[sync_result]") {
  SyncResult result;
  result.errors.push_back({{1, 0}, "a", gossip::ValidationError{"f", "m"}});
  result.errors.push_back({{2, 0}, "b", gossip::FatalError{"m"}});
  CHECK_FALSE(result.ok());
  CHECK_FALSE(static_cast<bool>(result));
  CHECK_THROWS_AS(result.throw_if_error(), gossip::ValidationError);
  result.refused = gossip::TypeAssertionError{"int", "long"};
  CHECK_THROWS_AS(result.throw_if_error(), gossip::TypeAssertionError);
  result.errors.clear();
  CHECK_FALSE(result.ok());
}

TEST_CASE("publish_sync: calls every processor on this thread, in order, before it returns",
          "[sync_result]") {
  EventBus bus{{.workers = 1}};
  std::vector<std::string> seen;
  std::thread::id runner;
  const auto a = bus.subscribe(number, [&](int value) {
    runner = std::this_thread::get_id();
    seen.emplace_back("a").append(std::to_string(value));
  });
  const auto b = bus.subscribe(number, [&](const Event<int>& event, Context& context) {
    seen.emplace_back("b").append(event.type());
    CHECK(context.attempt() == 1);
    CHECK(context.deadline() == gossip::SteadyTime::max());
    CHECK_FALSE(context.stop_requested());
  });
  const SyncResult result = bus.publish_sync(number, 7);
  CHECK(result.ok());
  CHECK(result.calls == 2);
  CHECK(seen == std::vector<std::string>{"a7", "btest.number"});
  CHECK(runner == std::this_thread::get_id());
}

TEST_CASE("publish_sync: with nobody subscribed it succeeds with no call", "[sync_result]") {
  EventBus bus{{.workers = 1}};
  const SyncResult result = bus.publish_sync(number, 7);
  CHECK(result.ok());
  CHECK(result.calls == 0);
}

TEST_CASE("publish_sync: of void, of a move-only payload, and of a whole event", "[sync_result]") {
  EventBus bus{{.workers = 1}};
  int ticks = 0;
  int moved = 0;
  const auto a = bus.subscribe(ticked, [&] { ++ticks; });
  const auto b = bus.subscribe(only_moved, [&](const std::unique_ptr<int>& v) { moved = *v; });
  CHECK(bus.publish_sync(ticked).ok());
  CHECK(bus.publish_sync(Event{ticked}).ok());
  CHECK(bus.publish_sync(only_moved, std::make_unique<int>(5)).ok());
  CHECK(ticks == 2);
  CHECK(moved == 5);

  const Event<int>* delivered = nullptr;
  const auto c = bus.subscribe(number, [&](const Event<int>& event) {
    delivered = &event;
    CHECK(event.metadata().contains("k"));
    CHECK(event.priority() == gossip::Priority::low);
  });
  const auto event = Event{number, 1}.with_metadata("k", 1).with_priority(gossip::Priority::low);
  CHECK(bus.publish_sync(event).ok());
  CHECK(delivered == &event);
}

TEST_CASE("publish_sync: the event has an id and the time of publishing", "[sync_result]") {
  EventBus bus{{.workers = 1}};
  gossip::EventId first;
  gossip::EventId second;
  gossip::Timestamp time;
  const auto a = bus.subscribe(number, [&](const Event<int>& e) { first = e.id(); });
  const auto b = bus.subscribe(number, [&](const Event<int>& e) {
    second = e.id();
    time = e.timestamp();
  });
  const auto before = std::chrono::system_clock::now();
  CHECK(bus.publish_sync(number, 1).ok());
  const auto after = std::chrono::system_clock::now();
  CHECK(first.origin != 0);
  CHECK(first == second);
  CHECK(time >= before - std::chrono::milliseconds{1});
  CHECK(time <= after + std::chrono::milliseconds{1});
}

TEST_CASE("publish_sync: reports every failure with its subscription and goes on",
          "[sync_result]") {
  EventBus bus{{.workers = 1}};
  int good = 0;
  const auto status = bus.subscribe(number,
                                    [](int) -> Status {
                                      return gossip::ValidationError{"age", "negative"};
                                    },
                                    {.name = "status"});
  const auto fine = bus.subscribe(number, [&](int) { ++good; }, {.name = "fine"});
  const auto throws_error = bus.subscribe(
      number, [](int) { throw gossip::RetryableError{"later"}; }, {.name = "gossip error"});
  const auto throws_std =
      bus.subscribe(number, [](int) { throw std::out_of_range{"index"}; }, {.name = "std error"});
  const auto throws_int = bus.subscribe(number, [](int) { throw 42; }, {.name = "an int"});
  const auto last = bus.subscribe(number, [&](int) { ++good; });

  const SyncResult result = bus.publish_sync(number, 1);
  CHECK_FALSE(result.ok());
  CHECK(result.refused.ok());
  CHECK(result.calls == 6);
  CHECK(good == 2);
  REQUIRE(result.errors.size() == 4);

  CHECK(result.errors[0].subscription == status.id());
  CHECK(result.errors[0].subscription_name == "status");
  CHECK(gossip::find_error<gossip::ValidationError>(result.errors[0].status)->field() == "age");

  CHECK(result.errors[1].subscription == throws_error.id());
  CHECK(result.errors[1].subscription_name == "gossip error");
  CHECK(gossip::find_error<gossip::RetryableError>(result.errors[1].status) != nullptr);

  CHECK(result.errors[2].subscription == throws_std.id());
  CHECK(result.errors[2].status == Errc::processing_failed);
  CHECK(result.errors[2].status.error()->message() == "index");
  CHECK_THROWS_AS(std::rethrow_exception(result.errors[2].status.error()->origin()),
                  std::out_of_range);

  CHECK(result.errors[3].subscription == throws_int.id());
  CHECK(result.errors[3].status == Errc::processing_failed);
  CHECK_THROWS_AS(std::rethrow_exception(result.errors[3].status.error()->origin()), int);

  CHECK_THROWS_AS(result.throw_if_error(), gossip::ValidationError);
  CHECK(bus.stats().failed == 4);
}

TEST_CASE("publish_sync: begins no processor after the deadline", "[sync_result]") {
  gossip::ManualClock clock;
  EventBus<gossip::InMemoryProvider, gossip::ManualClock> bus{{.workers = 1}, {}, clock};
  int calls = 0;
  const auto deadline = clock.now() + std::chrono::milliseconds{20};
  const auto slow = bus.subscribe(number, [&](const Event<int>&, Context& context) {
    if (++calls == 1) CHECK(context.deadline() == deadline);
    clock.advance(deadline - clock.now());
  });
  const auto late = bus.subscribe(number, [&](int) { ++calls; }, {.name = "late"});
  const SyncResult result = bus.publish_sync(number, 1, {.deadline = deadline});
  CHECK(calls == 1);
  CHECK(result.calls == 1);
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].subscription == late.id());
  CHECK(result.errors[0].subscription_name == "late");
  CHECK(result.errors[0].status == Errc::timeout);

  // In time, both run.
  CHECK(bus.publish_sync(number, 1).ok());
  CHECK(calls == 3);
}

TEST_CASE("publish_sync: begins no processor after a stop, and processors see it",
          "[sync_result]") {
  EventBus bus{{.workers = 1}};
  std::stop_source source;
  int calls = 0;
  const auto first = bus.subscribe(number, [&](const Event<int>&, Context& context) {
    ++calls;
    CHECK_FALSE(context.stop_requested());
    source.request_stop();
    CHECK(context.stop_requested());
  });
  const auto second = bus.subscribe(number, [&](int) { ++calls; });
  const SyncResult result = bus.publish_sync(number, 1, {.stop = source.get_token()});
  CHECK(calls == 1);
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].subscription == second.id());
  CHECK(result.errors[0].status == Errc::cancelled);
}

TEST_CASE("publish_sync: a processor that is left out keeps its one event", "[sync_result]") {
  EventBus bus{{.workers = 1}};
  int calls = 0;
  const auto once = bus.subscribe(number, [&](int) { ++calls; },
                                  {.lifetime = gossip::SubscribeOptions::Lifetime::once});
  CHECK_FALSE(bus.publish_sync(number, 1, {.deadline = std::chrono::steady_clock::now()}).ok());
  CHECK(calls == 0);
  CHECK(bus.stats().unmatched == 0);  // somebody wanted it
  CHECK(bus.publish_sync(number, 1).ok());
  CHECK(bus.publish_sync(number, 1).ok());
  CHECK(calls == 1);
}

TEST_CASE("publish_sync: answers closed after shutdown and calls nobody", "[sync_result]") {
  EventBus bus{{.workers = 1}};
  int calls = 0;
  const auto subscription = bus.subscribe(number, [&](int) { ++calls; });
  bus.shutdown();
  const SyncResult result = bus.publish_sync(number, 1);
  CHECK_FALSE(result.ok());
  CHECK(result.refused == Errc::closed);
  CHECK(result.errors.empty());
  CHECK(bus.publish_sync(Event{number, 1}).refused == Errc::closed);
  CHECK(calls == 0);
  CHECK(bus.stats().refused_closed == 2);
}

TEST_CASE("publish_sync: does not wait behind a full queue or a busy worker", "[sync_result]") {
  Gate gate;
  EventBus bus{{.workers = 1, .capacity = 2, .overflow = gossip::OverflowPolicy::reject}};
  const auto busy = bus.subscribe(ticked, [&] { static_cast<void>(gate.pass()); });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(gate.wait_for_arrivals());
  while (bus.publish(ticked).ok()) {
  }
  int seen = 0;
  const auto subscription = bus.subscribe(number, [&](int value) { seen = value; });
  CHECK(bus.publish_sync(number, 3).ok());
  CHECK(seen == 3);
  gate.open();
}

TEST_CASE("publish_sync: may be nested, and a processor may cancel itself", "[sync_result]") {
  EventBus bus{{.workers = 1}};
  std::vector<int> seen;
  gossip::Subscription self;
  const auto outer = bus.subscribe(number, [&](int value) -> Status {
    seen.push_back(value);
    if (value == 3) return gossip::FatalError{"three"};
    const SyncResult inner = bus.publish_sync(number, value + 1);
    return inner.ok() ? Status{} : inner.errors.front().status;
  });
  self = bus.subscribe(ticked, [&] {
    seen.push_back(0);
    self.cancel();
  });
  const SyncResult result = bus.publish_sync(number, 1);
  CHECK(seen == std::vector<int>{1, 2, 3});
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].status == Errc::fatal);
  CHECK(bus.publish_sync(ticked).calls == 1);
  CHECK(bus.publish_sync(ticked).calls == 0);
}

}  // namespace
