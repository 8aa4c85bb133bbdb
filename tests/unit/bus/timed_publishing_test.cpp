// SPDX-License-Identifier: MIT
// Publishing later. What becomes of a schedule is in schedules_test.cpp, the handle in
// schedule_test.cpp.
#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/timed_publishing.hpp>
#include <gossip/core/causality.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/testing/test_bus.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using gossip::BusOptions;
using gossip::Event;
using gossip::EventId;
using gossip::EventType;
using gossip::ManualClock;
using gossip::PointInTime;
using gossip::Priority;
using gossip::Schedule;
using gossip::SteadyTime;
using gossip::Timestamp;
using gossip::test::Door;
using gossip::testing::TestBus;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"timed.number"};
constexpr EventType<std::unique_ptr<int>> unique{"timed.unique"};
constexpr EventType<void> ticked{"timed.ticked"};

/// What a subscriber was told.
struct Seen {
  int value;
  EventId id;
  Timestamp time;
  Priority priority;
  std::string note;
};

struct Fixture {
  std::vector<Seen> seen;
  int ticks = 0;
  TestBus bus;
  gossip::Subscription numbers = bus.subscribe(number, [this](const Event<int>& event) {
    const auto* note = event.metadata().find("note");
    seen.push_back({event.data(), event.id(), event.timestamp(), event.priority(),
                    note != nullptr ? *note->get_if<std::string>() : std::string{}});
  });
  gossip::Subscription uniques =
      bus.subscribe(unique, [this](const std::unique_ptr<int>& value) { ticks += 100 * *value; });
  gossip::Subscription voids = bus.subscribe(ticked, [this] { ++ticks; });

  Timestamp wall() const { return bus.clock().to_time(bus.clock().ticks()); }
};

}  // namespace

TEST_CASE("TimedPublishing: an event is stamped when it is published", "[timed]") {
  Fixture fixture;
  fixture.bus.publish_after(number, 7, 2s, {.priority = Priority::high});
  fixture.bus.advance(1s);
  REQUIRE(fixture.seen.empty());
  fixture.bus.advance(1s);
  REQUIRE(fixture.seen.size() == 1);
  REQUIRE(fixture.seen[0].value == 7);
  REQUIRE(fixture.seen[0].time == fixture.wall());
  REQUIRE(fixture.seen[0].priority == Priority::high);
}

TEST_CASE("TimedPublishing: payloads that only move, and events without any", "[timed]") {
  Fixture fixture;
  fixture.bus.publish_after(unique, std::make_unique<int>(1), 1s);
  fixture.bus.publish_at(unique, std::make_unique<int>(2), fixture.bus.clock().now() + 1s);
  fixture.bus.publish_after(ticked, 1s);
  fixture.bus.publish_at(ticked, fixture.bus.clock().now() + 1s);
  fixture.bus.publish_after(Event{unique, std::make_unique<int>(4)}, 1s);
  fixture.bus.advance(1s);
  REQUIRE(fixture.ticks == 702);
}

TEST_CASE("TimedPublishing: an event that was built keeps what it has", "[timed]") {
  Fixture fixture;
  Event event{number, 1};
  event.with_metadata("note", "built").with_priority(Priority::low);
  const EventId id = event.id();
  const Timestamp time = event.timestamp();
  fixture.bus.publish_after(event, 1s);
  fixture.bus.publish_at(std::move(event), fixture.bus.clock().now() + 2s);
  fixture.bus.advance(1s);
  fixture.bus.advance(1s);
  REQUIRE(fixture.seen.size() == 2);
  for (const Seen& seen : fixture.seen) {
    REQUIRE(seen.id == id);
    REQUIRE(seen.time == time);
    REQUIRE(seen.note == "built");
    REQUIRE(seen.priority == Priority::low);
  }
}

TEST_CASE("TimedPublishing: every copy of a repeated event is an event of its own", "[timed]") {
  Fixture fixture;
  Event event{number, 1};
  event.with_metadata("note", "again").with_priority(Priority::high);
  const EventId id = event.id();
  Schedule schedule = fixture.bus.publish_every(std::move(event), 1s);
  fixture.bus.advance(1s);
  fixture.bus.advance(1s);
  REQUIRE(schedule.cancel());
  fixture.bus.advance(1s);
  REQUIRE(fixture.seen.size() == 2);
  REQUIRE(fixture.seen[0].id != id);
  REQUIRE(fixture.seen[0].id != fixture.seen[1].id);
  REQUIRE(fixture.seen[1].time == fixture.wall() - 1s);
  REQUIRE(fixture.seen[1].time == fixture.seen[0].time + 1s);
  REQUIRE(fixture.seen[1].note == "again");
  REQUIRE(fixture.seen[1].priority == Priority::high);
}

TEST_CASE("TimedPublishing: a payload is copied for every repetition", "[timed]") {
  Fixture fixture;
  Schedule numbers = fixture.bus.publish_every(number, 5, 2s, {.priority = Priority::low});
  Schedule ticks = fixture.bus.publish_every(ticked, 1s);
  for (int i = 0; i < 4; ++i) fixture.bus.advance(1s);
  REQUIRE(fixture.seen.size() == 2);
  REQUIRE(fixture.seen[1].value == 5);
  REQUIRE(fixture.seen[1].priority == Priority::low);
  REQUIRE(fixture.ticks == 4);
  ManualClock{fixture.bus.clock()}.advance(10s);  // late: no burst
  fixture.bus.run_until_idle();
  REQUIRE(fixture.ticks == 5);
  REQUIRE(fixture.bus.stats().scheduled_skipped == 9 + 4);
}

TEST_CASE("TimedPublishing: a period that is not positive is refused", "[timed]") {
  Fixture fixture;
  for (const auto period : {0ns, -1ns}) {
    const Schedule refused = fixture.bus.publish_every(ticked, period);
    REQUIRE(gossip::is_validation(refused.status()));
    REQUIRE(refused.status().what().find("period is " + std::to_string(period.count()) +
                                         " ns; allowed: more than 0 ns") != std::string_view::npos);
    REQUIRE_FALSE(refused.active());
  }
  REQUIRE(fixture.bus.stats().scheduled == 0);
  REQUIRE(fixture.bus.stats().scheduled_refused == 2);
}

TEST_CASE("TimedPublishing: what is wrong in itself is refused at once, and counted", "[timed]") {
  Fixture fixture;
  constexpr EventType<long> number_as_long{"timed.number"};
  const auto no_priority = static_cast<gossip::Priority>(3);
  REQUIRE(fixture.bus.publish_after(number, 1, 1s).status().ok());
  REQUIRE(gossip::is_type_assertion(fixture.bus.publish_after(number_as_long, 1, 1s).status()));
  for (const Schedule& refused :
       {fixture.bus.publish_after(number, 1, 1s, {.priority = no_priority}),
        fixture.bus.publish_after(gossip::Event{number, 1}.with_priority(no_priority), 1s),
        fixture.bus.publish_every(ticked, 1s, {.priority = no_priority})}) {
    REQUIRE(refused.status().what().find("priority is 3; allowed: high, normal, low") !=
            std::string_view::npos);
  }
  REQUIRE(fixture.bus.stats().scheduled == 1);
  REQUIRE(fixture.bus.stats().scheduled_refused == 4);
}

TEST_CASE("TimedPublishing: a time by the wall clock is converted once", "[timed]") {
  Fixture fixture;
  Schedule schedule = fixture.bus.publish_at(ticked, fixture.wall() + 90s);
  REQUIRE(schedule.next() == fixture.bus.clock().now() + 90s);
  fixture.bus.publish_at(ticked, Timestamp{});       // long past
  fixture.bus.publish_at(ticked, Timestamp::min());  // no less
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.ticks == 2);
  Schedule never = fixture.bus.publish_at(ticked, Timestamp::max());
  REQUIRE(never.active());
  fixture.bus.advance(90s);
  REQUIRE(fixture.ticks == 3);
  const PointInTime coarse{std::chrono::time_point_cast<std::chrono::seconds>(fixture.wall())};
  REQUIRE(coarse.by(fixture.bus.clock()) <= fixture.bus.clock().now());
}

TEST_CASE("TimedPublishing: real time passes, too", "[timed]") {
  gossip::EventBus bus{{.workers = 2}};
  Door came;
  gossip::test::Tally ticks;
  auto number_came = bus.subscribe(number, [&](const int&) { came.open(); });
  auto tick_came = bus.subscribe(ticked, [&] { ticks.add(); });
  const auto begin = std::chrono::steady_clock::now();
  bus.publish_at(number, 1, std::chrono::system_clock::now() + 20ms);
  Schedule schedule = bus.publish_every(ticked, 1ms);
  REQUIRE(came.wait());
  REQUIRE(std::chrono::steady_clock::now() - begin > 15ms);
  REQUIRE(ticks.wait_for(3));
  REQUIRE(schedule.cancel());
  REQUIRE(bus.drain());
  const auto count = ticks.count();
  REQUIRE(bus.stats().published == count + 1);
  REQUIRE(bus.drain());
  REQUIRE(ticks.count() == count);
}

TEST_CASE("TimedPublishing: a full queue is waited for by the worker that publishes", "[timed]") {
  TestBus bus{{.bus = {.workers = 1, .capacity = 2}}};
  int count = 0;
  auto subscription = bus.subscribe(number, [&](const int&) { ++count; });
  for (int i = 0; i < 100; ++i) bus.publish_after(number, i, 1s);
  bus.advance(1s);
  REQUIRE(count == 100);
  REQUIRE(bus.stats().scheduled_failed == 0);
}

TEST_CASE("TimedPublishing: the cause is what was processed when it was scheduled", "[timed]") {
  Fixture fixture;
  const Event<int> cause{number, 0};
  {
    gossip::detail::CausingEvent current{cause};
    const gossip::detail::CauseScope scope{current};
    fixture.bus.publish_after(number, 1, 1s);
    fixture.bus.publish_after(Event{number, 2}.with_metadata("note", "own"), 1s);
    fixture.bus.publish_every(number, 3, 1s);
    fixture.bus.publish_every(Event{number, 4}.with_metadata("note", "own"), 1s);
  }
  int caused = 0;
  auto subscription = fixture.bus.subscribe(number, [&](const Event<int>& event) {
    const auto* id = event.metadata().find(gossip::causation_id_key);
    if (id != nullptr && *id->get_if<std::string>() == to_string(cause.id())) ++caused;
  });
  fixture.bus.advance(1s);
  REQUIRE(caused == 4);
  REQUIRE(fixture.seen[1].note + fixture.seen[3].note == "ownown");
  fixture.bus.advance(1s);
  REQUIRE(caused == 6);
}
