// SPDX-License-Identifier: MIT
#include <gossip/dispatch/dispatcher.hpp>
#include <gossip/dispatch/snapshot.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>

using gossip::Event;
using gossip::EventType;
using gossip::Statistics;
using gossip::Status;
using gossip::SteadyTime;
using gossip::detail::ClockView;
using gossip::detail::Dispatcher;
using gossip::detail::erase_processor;
using gossip::detail::EventExtras;
using gossip::detail::Timer;
using gossip::test::patience;

namespace {

constexpr EventType<int> plain{"snapshot.plain"};
constexpr EventType<int> in_lanes{"snapshot.lanes"};

}  // namespace

TEST_CASE("snapshot: every part of a bus is in it", "[dispatch]") {
  const gossip::TickClock clock;
  Dispatcher dispatcher{gossip::detail::held({.workers = 1}), ClockView::of(clock),
                        Timer::Drive::own_thread};
  dispatcher.start(nullptr);
  const auto publish = [&](const EventType<int>& type, int value) {
    gossip::detail::Owner<EventExtras> extras;
    return dispatcher.accept<int>(dispatcher.entry_of<int>(type.key()), value, {}, extras).ok();
  };
  const auto fails_if_odd = [](const int& value) -> Status {
    return value % 2 == 0 ? Status{} : Status{gossip::Errc::fatal};
  };
  dispatcher.subscribe(dispatcher.entry_of<int>(plain.key()), erase_processor<int>(fails_if_odd),
                       {.name = "plain"});
  dispatcher.subscribe(dispatcher.entry_of<int>(in_lanes.key()), erase_processor<int>(fails_if_odd),
                       {.name = "lane", .max_concurrency = 1});
  for (int i = 0; i < 3; ++i) REQUIRE((publish(plain, i) && publish(in_lanes, i)));
  REQUIRE(publish(in_lanes, 4));
  REQUIRE(dispatcher.drain(std::chrono::steady_clock::now() + patience));

  const Statistics stats = dispatcher.statistics();
  CHECK(stats.published == 7);
  CHECK(stats.handled == 7);
  CHECK(stats.delivered == 5);
  CHECK(stats.failed == 2);
  CHECK(stats.depth == 0);
  CHECK(stats.in_flight == 0);
  CHECK(stats.workers == 1);
  CHECK(stats.capacity == 1024);
  CHECK(stats.lanes.accepted == 4);
  REQUIRE(stats.types.size() == 2);
  CHECK(stats.types[0].dispatched == 3);
  CHECK(stats.types[1].dispatched == 4);
  REQUIRE(stats.subscriptions.size() == 2);
  CHECK(stats.subscriptions[0].name == "plain");
  CHECK(stats.subscriptions[0].delivered == 2);
  CHECK(stats.subscriptions[0].lane.accepted == 0);
  CHECK(stats.subscriptions[1].failed == 1);
  CHECK(stats.subscriptions[1].lane.handled == 4);

  dispatcher.shutdown(patience, [](SteadyTime) {});
  dispatcher.unsubscribe_all();
}
