// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/schedule.hpp>
#include <gossip/core/manual_clock.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

using gossip::Errc;
using gossip::EventType;
using gossip::ManualClock;
using gossip::Schedule;
using gossip::SteadyTime;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"schedule.number"};
using Bus = gossip::EventBus<gossip::InMemoryProvider, ManualClock>;

static_assert(!std::is_copy_constructible_v<Schedule> && !std::is_copy_assignable_v<Schedule>);
static_assert(std::is_nothrow_move_constructible_v<Schedule>);

struct Fixture {
  ManualClock clock;
  int received = 0;
  std::optional<Bus> bus{std::in_place, gossip::BusOptions{.workers = 1},
                         gossip::InMemoryProvider::Options{}, clock};
  gossip::Subscription subscription =
      bus->subscribe(number, [this](const int& value) { received += value; });

  void advance(std::chrono::nanoseconds step) {
    clock.advance(step);
    REQUIRE(bus->drain());
  }
};

}  // namespace

TEST_CASE("Schedule: an empty one is not active, and cannot be cancelled", "[schedule]") {
  Schedule none;
  REQUIRE(none.status().ok());
  REQUIRE_FALSE(none.active());
  REQUIRE(none.next() == SteadyTime::max());
  REQUIRE_FALSE(none.cancel());
}

TEST_CASE("Schedule: tells when its event is due, until it has come", "[schedule]") {
  Fixture fixture;
  Schedule schedule = fixture.bus->publish_after(number, 1, 5s);
  REQUIRE(schedule.status().ok());
  REQUIRE(schedule.active());
  REQUIRE(schedule.next() == fixture.clock.now() + 5s);
  fixture.advance(5s);
  REQUIRE_FALSE(schedule.active());
  REQUIRE_FALSE(schedule.cancel());
  REQUIRE(fixture.received == 1);
}

TEST_CASE("Schedule: its destructor does not cancel, and moving keeps what was scheduled",
          "[schedule]") {
  Fixture fixture;
  static_cast<void>(fixture.bus->publish_after(number, 1, 1s));
  Schedule first = fixture.bus->publish_after(number, 10, 1s);
  Schedule second = fixture.bus->publish_after(number, 100, 1s);
  first = std::move(second);  // lets go of 10
  REQUIRE(first.cancel());
  fixture.advance(1s);
  REQUIRE(fixture.received == 11);
}

TEST_CASE("Schedule: may outlive the bus", "[schedule]") {
  Fixture fixture;
  const auto token = std::make_shared<int>(0);
  constexpr EventType<std::shared_ptr<int>> shared{"schedule.shared"};
  Schedule schedule = fixture.bus->publish_after(shared, token, 1s);
  Schedule other = fixture.bus->publish_after(number, 1, 1s);
  REQUIRE(token.use_count() == 2);
  fixture.bus.reset();
  REQUIRE(token.use_count() == 1);
  REQUIRE_FALSE(schedule.active());
  REQUIRE_FALSE(schedule.cancel());
  schedule = std::move(other);
  REQUIRE_FALSE(schedule.active());
}

TEST_CASE("Schedule: ends with a bus that its own processor destroys", "[schedule]") {
  constexpr EventType<std::shared_ptr<int>> shared{"schedule.shared"};
  const auto token = std::make_shared<int>(0);
  auto bus = std::make_unique<gossip::EventBus<>>(gossip::BusOptions{.workers = 1});
  gossip::test::Door gone;
  gossip::test::Door scheduled;  // nobody is inside the bus by then
  bus->subscribe(number,
                 [&](const int&) {
                   scheduled.wait();
                   bus.reset();
                   gone.open();
                 })
      .detach();
  Schedule waiting = bus->publish_after(shared, token, 1h);
  Schedule due = bus->publish_after(number, 1, 1ms);
  scheduled.open();
  REQUIRE(gone.wait());
  REQUIRE(waiting.cancel());
  REQUIRE(token.use_count() == 1);
  due = Schedule{};
}

TEST_CASE("Schedule: says why nothing was scheduled", "[schedule]") {
  Fixture fixture;
  constexpr EventType<long> same_name{"schedule.number"};
  Schedule wrong = fixture.bus->publish_after(same_name, 1L, 1s);
  REQUIRE(gossip::is_type_assertion(wrong.status()));
  fixture.bus->shutdown();
  Schedule late = fixture.bus->publish_every(number, 1, 1s);
  REQUIRE(late.status() == Errc::closed);
  REQUIRE_FALSE(late.active());
  REQUIRE_FALSE(late.cancel());
}
