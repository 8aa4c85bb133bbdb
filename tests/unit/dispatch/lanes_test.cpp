// SPDX-License-Identifier: MIT
#include <gossip/dispatch/lanes.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

using Catch::Matchers::ContainsSubstring;
using gossip::BusOptions;
using gossip::Event;
using gossip::EventType;
using gossip::LaneOverflow;
using gossip::Ordering;
using gossip::payload_info;
using gossip::SubscribeOptions;
using gossip::detail::EventQueue;
using gossip::detail::Lane;
using gossip::detail::LaneLease;
using gossip::detail::Lanes;
using gossip::detail::PayloadOperations;
using gossip::detail::SharedEvent;
using gossip::detail::SubscriptionRecord;
using gossip::detail::Task;
using gossip::detail::ThreadSlot;
using gossip::detail::TypeEntry;
using gossip::detail::WaitGate;

namespace {

constexpr EventType<int> number{"lanes.number"};
constexpr PayloadOperations no_operations{};

struct Fixture {
  ~Fixture() {
    queue.close();
    queue.sweep();  // while there are runners
  }

  /// A lane with a tenant.
  Lane& open(const SubscribeOptions& options) {
    return *lanes.settle_in(options, type, [&](LaneLease lease) {
      runners = lease.terms->runners;
      lease.lane->open(record, ++serial, *lease.terms);
      return lease.lane;
    });
  }
  static void move_out(Lane& lane, std::uint64_t serial) {
    lane.end(serial);
    lane.vacate();
  }

  EventQueue queue{BusOptions{.capacity = 2}, 1};
  WaitGate<> idle;
  TypeEntry type{number.key(), payload_info<int>(), no_operations, 0};
  SubscriptionRecord record;
  Lanes lanes{{.queue = &queue, .idle = &idle, .run = [](Task&, ThreadSlot&) noexcept {}},
              /*workers=*/4};
  std::uint64_t serial = 0;
  std::size_t runners = 0;
};

}  // namespace

TEST_CASE("Lanes: max_concurrency caps the runners, and so do the workers", "[lanes]") {
  Fixture fixture;
  fixture.open({.ordering = Ordering::per_publisher()});
  CHECK(fixture.runners == 4);
  fixture.open({.max_concurrency = 2});
  CHECK(fixture.runners == 2);
  fixture.open({.max_concurrency = 9});
  CHECK(fixture.runners == 4);
}

TEST_CASE("Lanes: a vacant lane is used again", "[lanes]") {
  Fixture fixture;
  Lane& first = fixture.open({.max_concurrency = 1});
  Lane& second = fixture.open({.max_concurrency = 1});
  REQUIRE(&first != &second);
  Fixture::move_out(first, 1);
  REQUIRE(&fixture.open({.max_concurrency = 1}) == &first);
  REQUIRE(&fixture.open({.max_concurrency = 1}) != &second);
}

TEST_CASE("Lanes: a lane whose tenant has moved out holds nothing of its key function", "[lanes]") {
  Fixture fixture;
  auto held = std::make_shared<int>(1);
  Lane& lane = fixture.open({.ordering = Ordering::by_key([held](const int&) { return *held; })});
  REQUIRE(held.use_count() > 1);
  lane.end(1);
  REQUIRE(held.use_count() > 1);  // a publisher may still ask for a key
  lane.vacate();
  REQUIRE(held.use_count() == 1);
}

TEST_CASE("Lanes: a lane whose tenant did not move in is used again", "[lanes]") {
  Fixture fixture;
  Lane* offered = nullptr;
  const auto fail = [&](LaneLease lease) -> Lane* {
    offered = lease.lane;
    throw std::bad_alloc{};
  };
  REQUIRE_THROWS_AS(fixture.lanes.settle_in({.max_concurrency = 1}, fixture.type, fail),
                    std::bad_alloc);
  REQUIRE(&fixture.open({.max_concurrency = 1}) == offered);
}

TEST_CASE("Lanes: options out of range are refused by name", "[lanes]") {
  Fixture fixture;
  REQUIRE_THROWS_MATCHES(
      fixture.open({.lane = {.capacity = 0}}), std::invalid_argument,
      Catch::Matchers::Message("SubscribeOptions: lane.capacity is 0; allowed: 1 to 1048576"));
}

TEST_CASE("Lanes: a key function of another payload is refused, with both types", "[lanes]") {
  Fixture fixture;
  const SubscribeOptions options{.ordering =
                                     Ordering::by_key([](const std::string& s) { return s; })};
  try {
    fixture.open(options);
    FAIL("it was accepted");
  } catch (const gossip::TypeAssertionError& error) {
    CHECK_THAT(error.expected(), ContainsSubstring("string"));
    CHECK(error.actual() == "int");
    CHECK_THAT(error.what(), ContainsSubstring("SubscribeOptions::ordering"));
  }
  const SubscribeOptions any{.ordering =
                                 Ordering::by_key([](const gossip::AnyEvent&) { return 1; })};
  REQUIRE_NOTHROW(fixture.open(any));
  const auto subscribe = [](LaneLease) -> int { throw std::bad_alloc{}; };
  const gossip::EventPattern pattern{"lanes.*"};
  CHECK_THROWS_AS(fixture.lanes.settle_in(options, pattern, subscribe), gossip::TypeAssertionError);
  CHECK_THROWS_AS(fixture.lanes.settle_in(any, pattern, subscribe), std::bad_alloc);
}

TEST_CASE("Lanes: adds up and sweeps all of them", "[lanes]") {
  Fixture fixture;
  Lane& first = fixture.open({.max_concurrency = 1});
  Lane& second =
      fixture.open({.max_concurrency = 1, .lane = {.overflow = LaneOverflow::drop_newest}});
  const auto place = [&](Lane& lane, std::uint64_t serial) {
    (void)lane.reserve(serial);
    lane.place(serial, 0, SharedEvent::of(Event<int>{number, 1}), fixture.type);
  };
  place(first, 1);
  place(second, 2);
  place(second, 2);
  CHECK(fixture.lanes.pending() == 3);
  CHECK(fixture.lanes.totals().accepted == 3);
  CHECK(fixture.lanes.totals().capacity == 2048);
  fixture.lanes.sweep();
  CHECK(fixture.lanes.abandoned() == 3);
  CHECK(fixture.lanes.pending() == 0);
  CHECK(fixture.lanes.totals().abandoned == 3);
  place(first, 1);  // by a publisher who had looked before the end
  place(second, 2);
  fixture.lanes.sweep();
  CHECK(fixture.lanes.abandoned() == 5);
  CHECK(fixture.lanes.pending() == 0);
  CHECK(fixture.lanes.totals().abandoned == 5);
}

TEST_CASE("Lanes: who intends to place an event is pending", "[lanes]") {
  Fixture fixture;
  {
    const Lanes::Intent intent{fixture.lanes};
    CHECK(fixture.lanes.pending() == 1);
  }
  CHECK(fixture.lanes.pending() == 0);
}
