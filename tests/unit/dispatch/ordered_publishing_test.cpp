// SPDX-License-Identifier: MIT
#include <gossip/core/clock.hpp>
#include <gossip/dispatch/dispatcher.hpp>
#include <gossip/dispatch/ordered_publishing.hpp>

#include "support/recorder.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using gossip::BusOptions;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::LaneOverflow;
using gossip::Ordering;
using gossip::OverflowPolicy;
using gossip::Priority;
using gossip::Statistics;
using gossip::Status;
using gossip::SteadyTime;
using gossip::SubscribeOptions;
using gossip::SubscriptionId;
using gossip::detail::ClockView;
using gossip::detail::current_thread;
using gossip::detail::Destinations;
using gossip::detail::Dispatcher;
using gossip::detail::erase_processor;
using gossip::detail::EventExtras;
using gossip::detail::Lane;
using gossip::detail::Timer;
using gossip::test::Door;
using gossip::test::Gate;
using gossip::test::patience;
using gossip::test::Recorder;

namespace {

/// A payload that only moves, so that one sees where it is.
using Parcel = std::unique_ptr<int>;
constexpr EventType<Parcel> sent{"ordered.sent"};
constexpr auto nothing = [](SteadyTime) {};

struct Fixture {
  explicit Fixture(const BusOptions& options = {.workers = 2})
      : dispatcher{gossip::detail::held(options), ClockView::of(clock), Timer::Drive::own_thread} {
    dispatcher.start(nullptr);
  }
  ~Fixture() {
    dispatcher.shutdown(patience, nothing);
    dispatcher.unsubscribe_all();
  }
  template <class F>
  SubscriptionId subscribe(F processor, SubscribeOptions options = {}) {
    return dispatcher.subscribe(dispatcher.entry_of<Parcel>(sent.key()),
                                erase_processor<Parcel>(processor), std::move(options));
  }
  Status publish(Parcel& data) {
    return dispatcher.accept<Parcel>(dispatcher.entry_of<Parcel>(sent.key()), data, {}, extras,
                                     priority);
  }
  Status publish(int value) {
    Parcel data = std::make_unique<int>(value);
    return publish(data);
  }
  bool drain() { return dispatcher.drain(std::chrono::steady_clock::now() + patience); }
  Statistics stats() { return dispatcher.statistics(); }

  gossip::TickClock clock;
  gossip::detail::Owner<EventExtras> extras;
  Priority priority = Priority::normal;
  Dispatcher dispatcher;
};

SubscribeOptions one_at_a_time(std::size_t capacity, LaneOverflow overflow) {
  return {.max_concurrency = 1, .lane = {.capacity = capacity, .overflow = overflow}};
}

}  // namespace

TEST_CASE("OrderedPublishing: every subscription gets the event once, lane or not", "[lanes]") {
  Fixture fixture;
  Recorder<int> in_lane;
  Recorder<int> by_key;
  Recorder<int> plain;
  fixture.subscribe([&](const Parcel& data) { in_lane.add(*data); }, {.max_concurrency = 1});
  fixture.subscribe([&](const Parcel& data) { by_key.add(*data); },
                    {.ordering = Ordering::by_key([](const Parcel& data) { return *data % 3; })});
  fixture.subscribe([&](const Parcel& data) { plain.add(*data); });
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(fixture.publish(i).ok());
    expected.push_back(i);
  }
  REQUIRE(fixture.drain());
  CHECK(in_lane.values() == expected);  // one at a time is in order, too
  CHECK(by_key.sorted() == expected);
  CHECK(plain.sorted() == expected);
  const Statistics stats = fixture.stats();
  CHECK(stats.published == 100);
  CHECK(stats.handled == 100);
  CHECK(stats.unmatched == 0);
  CHECK(stats.delivered == 300);
  CHECK(stats.types.at(0).dispatched == 100);
  CHECK(stats.lanes.handled == 200);
  CHECK(stats.subscriptions.at(0).lane.handled == 100);
  CHECK(stats.subscriptions.at(2).lane.capacity == 0);
}

TEST_CASE("OrderedPublishing: an event that only lanes want is published and handled", "[lanes]") {
  Fixture fixture;
  const auto id = fixture.subscribe([](const Parcel&) {}, {.max_concurrency = 1});
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(fixture.drain());
  CHECK(fixture.stats().published == 1);
  CHECK(fixture.stats().handled == 1);
  CHECK(fixture.stats().types.at(0).dispatched == 1);
  CHECK(fixture.stats().unmatched == 0);
  fixture.dispatcher.unsubscribe(id);
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(fixture.drain());
  CHECK(fixture.stats().published == 2);
  CHECK(fixture.stats().unmatched == 1);
  CHECK(fixture.stats().lanes.accepted == 1);
}

TEST_CASE("OrderedPublishing: everybody sees the same event", "[lanes]") {
  Fixture fixture;
  Recorder<gossip::EventId> ids;
  Recorder<std::string> texts;
  const auto look = [&](const Event<Parcel>& event) {
    ids.add(event.id());
    texts.add(std::string{event.type()} + (event.metadata().contains("k") ? " k " : " - ") +
              to_string(event.priority()));
  };
  fixture.subscribe(look, {.max_concurrency = 1});
  fixture.subscribe(look);
  fixture.priority = Priority::high;
  fixture.extras.reset(new EventExtras);
  fixture.extras->metadata = gossip::detail::HeldMetadata{gossip::Metadata{}};
  fixture.extras->metadata->set("k", 1);
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(fixture.drain());
  REQUIRE(ids.size() == 2);
  CHECK(ids.values()[0] == ids.values()[1]);
  CHECK(texts.values() == std::vector<std::string>(2, "ordered.sent k high"));
}

TEST_CASE("OrderedPublishing: what a key function throws is the answer, and nobody gets the event",
          "[lanes]") {
  Fixture fixture;
  std::atomic<int> calls{0};
  fixture.subscribe([&](const Parcel&) { ++calls; });
  fixture.subscribe([&](const Parcel&) { ++calls; }, {.max_concurrency = 1});
  fixture.subscribe([&](const Parcel&) { ++calls; },
                    {.ordering = Ordering::by_key(
                         [](const Parcel&) -> int { throw std::runtime_error{"no key"}; })});
  fixture.extras.reset(new EventExtras);
  fixture.extras->metadata = gossip::detail::HeldMetadata{gossip::Metadata{}};
  fixture.extras->metadata->set("k", 1);
  Parcel data = std::make_unique<int>(7);
  const Status status = fixture.publish(data);
  REQUIRE_FALSE(status.ok());
  CHECK(std::string{status.what()}.find("no key") != std::string::npos);
  REQUIRE(data != nullptr);
  CHECK(*data == 7);
  REQUIRE(fixture.extras->metadata);
  CHECK(fixture.extras->metadata->contains("k"));
  REQUIRE(fixture.drain());
  CHECK(calls.load() == 0);
  CHECK(fixture.stats().published == 0);
  CHECK(fixture.stats().lanes.accepted == 0);
}

TEST_CASE("OrderedPublishing: if one lane rejects, nobody gets the event", "[lanes]") {
  Gate gate;
  Fixture fixture;
  Recorder<int> others;
  const auto remember = [&](const Parcel& data) { others.add(*data); };
  fixture.subscribe(remember);
  fixture.subscribe(remember, {.ordering = Ordering::per_publisher()});
  fixture.subscribe([&](const Parcel&) { gate.pass(); }, one_at_a_time(1, LaneOverflow::reject));
  fixture.subscribe(remember, one_at_a_time(4, LaneOverflow::block));
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(gate.wait_for_arrivals());
  REQUIRE(fixture.publish(2).ok());
  for (int i = 0; i < 10; ++i) {  // reservations in the other lanes are given back each time
    Parcel data = std::make_unique<int>(3);
    const Status status = fixture.publish(data);
    REQUIRE(status == Errc::queue_full);
    REQUIRE(data != nullptr);
  }
  gate.open();
  REQUIRE(fixture.drain());
  CHECK(others.sorted() == std::vector<int>{1, 1, 1, 2, 2, 2});
  const Statistics stats = fixture.stats();
  CHECK(stats.rejected == 10);
  CHECK(stats.lanes.rejected == 10);
  CHECK(stats.types.at(0).not_handled == 10);
  CHECK(stats.published == 2);
}

TEST_CASE("OrderedPublishing: if the queue refuses, the lanes get nothing", "[lanes]") {
  Gate gate;
  Fixture fixture{{.workers = 1, .capacity = 2, .overflow = OverflowPolicy::reject}};
  std::atomic<int> calls{0};
  fixture.subscribe([&](const Parcel&) { gate.pass(); });
  fixture.subscribe([&](const Parcel&) { ++calls; }, one_at_a_time(2, LaneOverflow::reject));
  int accepted = 0;
  while (fixture.publish(1).ok() && accepted < 100) ++accepted;
  REQUIRE(gate.wait_for_arrivals());
  Status status;
  for (int i = 0; i < 100 && status.ok(); ++i)
    accepted += (status = fixture.publish(2)).ok() ? 1 : 0;
  Parcel data = std::make_unique<int>(5);
  CHECK(fixture.publish(data) == Errc::queue_full);
  CHECK(data != nullptr);
  gate.open();
  REQUIRE(fixture.drain());
  CHECK(calls.load() == accepted);
  CHECK(fixture.stats().types.at(0).not_handled == fixture.stats().rejected);
}

TEST_CASE("OrderedPublishing: a publisher waits for a place", "[lanes]") {
  Gate gate;
  Fixture fixture;
  fixture.subscribe([&](const Parcel&) { gate.pass(); }, one_at_a_time(1, LaneOverflow::block));
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(gate.wait_for_arrivals());
  REQUIRE(fixture.publish(2).ok());
  std::atomic<bool> published{false};
  Status status;
  std::thread publisher{[&] {
    status = fixture.publish(3);
    published = true;
  }};
  SECTION("until there is one") {
    CHECK_FALSE(published.load());
    gate.open();
    publisher.join();
    CHECK(status.ok());
    CHECK(fixture.drain());
    CHECK(fixture.stats().lanes.handled == 3);
  }
  SECTION("until the bus is closed") {
    std::thread closer{[&] { fixture.dispatcher.shutdown(patience, nothing); }};
    publisher.join();
    CHECK(status == Errc::closed);
    CHECK(fixture.stats().refused_closed == 1);
    gate.open();
    closer.join();
  }
}

TEST_CASE("OrderedPublishing: a publisher that waits goes on when the subscription ends",
          "[lanes]") {
  Gate gate;
  Fixture fixture;
  const auto id =
      fixture.subscribe([&](const Parcel&) { gate.pass(); }, one_at_a_time(1, LaneOverflow::block));
  REQUIRE(fixture.publish(1).ok());
  REQUIRE(gate.wait_for_arrivals());
  REQUIRE(fixture.publish(2).ok());
  Status status = Errc::fatal;
  std::thread publisher{[&] { status = fixture.publish(3); }};
  std::thread canceller{[&] { fixture.dispatcher.unsubscribe(id); }};
  publisher.join();
  CHECK(status.ok());
  gate.open();
  canceller.join();
  REQUIRE(fixture.drain());
  CHECK(fixture.stats().lanes.handled == 1);
  CHECK(fixture.stats().lanes.unsubscribed == 1);
}

TEST_CASE("OrderedPublishing: who must not wait is refused", "[lanes]") {
  Gate gate;  // outlives the workers
  Status inner;
  Fixture fixture{{.workers = 1}};
  SECTION("a worker that finds nothing to run") {
    fixture.subscribe(
        [&](const Parcel& data) {
          if (*data != 0) return;
          inner = fixture.publish(1);
          if (inner.ok()) inner = fixture.publish(2);
        },
        one_at_a_time(1, LaneOverflow::block));
    REQUIRE(fixture.publish(0).ok());
    REQUIRE(fixture.drain());
    CHECK(inner == Errc::queue_full);
    CHECK(fixture.stats().lanes.rejected == 1);
  }
  SECTION("a provider's thread") {
    fixture.subscribe([&](const Parcel&) { gate.pass(); }, one_at_a_time(1, LaneOverflow::block));
    REQUIRE(fixture.publish(0).ok());
    REQUIRE(gate.wait_for_arrivals());
    REQUIRE(fixture.publish(1).ok());
    std::thread provider{[&] {
      current_thread.never_waits = true;
      inner = fixture.publish(2);
    }};
    provider.join();
    CHECK(inner == Errc::queue_full);
    gate.open();
  }
}

TEST_CASE("OrderedPublishing: a worker that waits for a place runs what else is queued",
          "[lanes]") {
  Fixture fixture{{.workers = 1}};
  Recorder<int> seen;
  // With two runners and one worker: the second one runs inside the first one's call.
  Status inner;
  fixture.subscribe(
      [&](const Parcel& data) {
        if (*data == 0) {
          inner = fixture.publish(1);
          if (inner.ok()) inner = fixture.publish(2);
        }
        seen.add(*data);
      },
      {.ordering = Ordering::by_key([](const Parcel& data) { return *data; }),
       .lane = {.capacity = 1}});
  fixture.subscribe([&](const Parcel& data) { seen.add(10 + *data); });
  REQUIRE(fixture.publish(0).ok());
  REQUIRE(fixture.drain());
  // One worker, so one runner: it cannot take event 1 while it is inside event 0.
  CHECK(inner == Errc::queue_full);
  CHECK(seen.sorted() == std::vector<int>{0, 1, 10, 11});
}

TEST_CASE("OrderedPublishing: each thread is a publisher", "[lanes]") {
  Fixture fixture;
  std::atomic<int> inside{0};
  Door both;
  fixture.subscribe(
      [&](const Parcel&) {
        if (inside.fetch_add(1) == 1) both.open();
        both.wait();
      },
      {.ordering = Ordering::per_publisher()});
  Status status;
  std::thread one{[&] { status = fixture.publish(1); }};
  REQUIRE(fixture.publish(2).ok());
  one.join();
  REQUIRE(status.ok());
  CHECK(both.wait());  // the two were handled at the same time
  REQUIRE(fixture.drain());
}

TEST_CASE("Destinations: any number, each in its place by address", "[lanes]") {
  Destinations to;
  std::vector<char> lanes(100);
  const auto lane_at = [&](std::size_t i) { return reinterpret_cast<Lane*>(&lanes[i]); };
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const std::size_t mixed = i * 37 % lanes.size();
    to.add({lane_at(mixed), mixed, 0});
  }
  std::size_t i = 0;
  for (const auto& destination : to) {
    REQUIRE(destination.lane == lane_at(i));
    REQUIRE(destination.serial == i);
    ++i;
  }
  REQUIRE(i == lanes.size());
}
