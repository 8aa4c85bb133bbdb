// SPDX-License-Identifier: MIT
#include <gossip/dispatch/lane.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

using gossip::BusOptions;
using gossip::Event;
using gossip::EventType;
using gossip::LaneOverflow;
using gossip::LaneStatistics;
using gossip::Ordering;
using gossip::detail::EventQueue;
using gossip::detail::Lane;
using gossip::detail::LaneHost;
using gossip::detail::LaneOutcome;
using gossip::detail::LaneQueue;
using gossip::detail::LaneReservation;
using gossip::detail::LaneRunner;
using gossip::detail::LaneTerms;
using gossip::detail::Owner;
using gossip::detail::PayloadOperations;
using gossip::detail::SharedEvent;
using gossip::detail::Task;
using gossip::detail::ThreadSlot;
using gossip::detail::TypeEntry;
using gossip::detail::WaitGate;

namespace {

constexpr EventType<int> number{"lane.number"};
constexpr PayloadOperations no_operations{};
constexpr std::size_t workers = 3;

/// A lane whose runners are run by the test.
struct Fixture {
  Fixture() {
    host.queue = &queue;
    host.idle = &idle;
    host.pending = &pending;
    host.abandoned = &abandoned;
    host.run = [](Task&, ThreadSlot&) noexcept {};
    host.vacant = [](void* self, Lane&) noexcept { ++static_cast<Fixture*>(self)->vacancies; };
    host.owner = this;
  }
  ~Fixture() {
    queue.close();
    queue.sweep();  // while there are runners
  }

  void open(std::size_t capacity, LaneOverflow overflow, std::size_t runners = workers,
            Ordering ordering = Ordering::per_publisher()) {
    LaneTerms terms{std::move(ordering), overflow, runners,
                    Owner<LaneQueue>{new LaneQueue{capacity, runners}}};
    lane.open(record, ++serial, terms);
  }
  /// Publishes, if there is a place. @return false if there is none
  bool publish(std::uint64_t key, int value) {
    if (lane.reserve(serial) == LaneReservation::full) return false;
    lane.place(serial, key, SharedEvent::of(Event<int>{number, value}), type);
    return true;
  }
  /// The runner that was posted first; null if there is none.
  LaneRunner* posted() {
    Task* task = nullptr;
    std::uint32_t turn = 0;
    queue.take(
        turn, [](EventQueue::Ring::Claim&) {}, [&](Task& taken) { task = &taken; });
    return static_cast<LaneRunner*>(task);
  }
  static int value_of(const Lane::Work& work) {
    return static_cast<const Event<int>&>(*work.taken.event).data();
  }
  [[nodiscard]] bool balanced() const {
    const LaneStatistics counts = lane.statistics();
    return counts.accepted == counts.handled + counts.dropped_oldest + counts.coalesced +
                                  counts.unsubscribed + counts.abandoned + counts.waiting +
                                  counts.in_flight;
  }

  EventQueue queue{BusOptions{.capacity = 2}, 1};
  WaitGate<> idle;
  std::atomic<std::size_t> pending{0};
  std::atomic<std::uint64_t> abandoned{0};
  int vacancies = 0;
  LaneHost host;
  TypeEntry type{number.key(), gossip::payload_info<int>(), no_operations, 0};
  gossip::detail::SubscriptionRecord record;
  Lane lane{host, workers};
  std::uint64_t serial = 0;
};

}  // namespace

TEST_CASE("Lane: posts a runner for each key that is ready, up to the cap", "[lanes]") {
  Fixture fixture;
  fixture.open(8, LaneOverflow::block, 2);
  REQUIRE(fixture.posted() == nullptr);
  for (const int key : {1, 1, 2, 3}) REQUIRE(fixture.publish(static_cast<std::uint64_t>(key), key));
  LaneRunner* first = fixture.posted();
  LaneRunner* second = fixture.posted();
  REQUIRE(first != nullptr);
  REQUIRE(second != nullptr);
  REQUIRE(fixture.posted() == nullptr);
  REQUIRE(fixture.pending.load() == 4);

  Lane::Work one;
  Lane::Work two;
  REQUIRE(fixture.lane.begin(*first, one));
  REQUIRE(fixture.lane.begin(*second, two));
  CHECK(Fixture::value_of(one) == 1);
  CHECK(Fixture::value_of(two) == 2);
  CHECK(one.record == &fixture.record);
  CHECK(one.serial == fixture.serial);
  CHECK(fixture.lane.statistics().in_flight == 2);
  REQUIRE(fixture.lane.next(*first, one, LaneOutcome::handled, true));
  CHECK(Fixture::value_of(one) == 3);
  REQUIRE(fixture.lane.next(*second, two, LaneOutcome::handled, true));
  CHECK(Fixture::value_of(two) == 1);
  REQUIRE_FALSE(fixture.lane.next(*first, one, LaneOutcome::handled, true));
  REQUIRE_FALSE(fixture.lane.next(*second, two, LaneOutcome::handled, true));
  CHECK(fixture.lane.statistics().handled == 4);
  CHECK(fixture.pending.load() == 0);
  CHECK(fixture.balanced());
}

TEST_CASE("Lane: a runner that has done its share is posted again", "[lanes]") {
  Fixture fixture;
  fixture.open(8, LaneOverflow::block);
  REQUIRE(fixture.publish(1, 10));
  REQUIRE(fixture.publish(1, 11));
  LaneRunner* runner = fixture.posted();
  Lane::Work work;
  REQUIRE(fixture.lane.begin(*runner, work));
  REQUIRE_FALSE(fixture.lane.next(*runner, work, LaneOutcome::handled, false));
  REQUIRE(fixture.posted() == runner);
  REQUIRE(fixture.posted() == nullptr);
  REQUIRE(fixture.lane.begin(*runner, work));
  REQUIRE_FALSE(fixture.lane.next(*runner, work, LaneOutcome::handled, false));
  REQUIRE(fixture.posted() == nullptr);  // nothing is left
}

TEST_CASE("Lane: a full lane that blocks or rejects gives no more reservations", "[lanes]") {
  Fixture fixture;
  fixture.open(2, LaneOverflow::reject);
  REQUIRE(fixture.lane.reserve(fixture.serial) == LaneReservation::granted);
  REQUIRE(fixture.publish(1, 10));
  REQUIRE(fixture.lane.reserve(fixture.serial) == LaneReservation::full);
  REQUIRE_FALSE(fixture.lane.blocks(fixture.serial));
  REQUIRE_FALSE(fixture.lane.places().look());
  fixture.lane.give_back(fixture.serial);
  REQUIRE(fixture.lane.places().look());
  REQUIRE(fixture.publish(1, 11));
  fixture.lane.count_rejected(fixture.serial);
  CHECK(fixture.lane.statistics().rejected == 1);
  CHECK(fixture.lane.statistics().waiting == 2);
  Lane::Work work;
  REQUIRE(fixture.lane.begin(*fixture.posted(), work));
  REQUIRE(fixture.publish(1, 12));  // what is being handled does not count
  CHECK(fixture.balanced());
}

TEST_CASE("Lane: a lane that drops needs no reservations", "[lanes]") {
  Fixture fixture;
  Lane::Work work;
  SECTION("the oldest") {
    fixture.open(2, LaneOverflow::drop_oldest);
    for (const int value : {1, 2, 3}) REQUIRE(fixture.publish(1, value));
    CHECK(fixture.lane.statistics().dropped_oldest == 1);
    CHECK(fixture.lane.statistics().accepted == 3);
    REQUIRE(fixture.lane.begin(*fixture.posted(), work));
    CHECK(Fixture::value_of(work) == 2);
  }
  SECTION("the newest") {
    fixture.open(2, LaneOverflow::drop_newest);
    for (const int value : {1, 2, 3}) REQUIRE(fixture.publish(1, value));
    CHECK(fixture.lane.statistics().dropped_newest == 1);
    CHECK(fixture.lane.statistics().accepted == 2);
    REQUIRE(fixture.lane.begin(*fixture.posted(), work));
    CHECK(Fixture::value_of(work) == 1);
  }
  SECTION("all but the latest of a key, and the oldest if that is not enough") {
    fixture.open(2, LaneOverflow::coalesce);
    for (const int value : {1, 2, 3}) REQUIRE(fixture.publish(7, value));
    CHECK(fixture.lane.statistics().coalesced == 2);
    REQUIRE(fixture.publish(8, 4));
    REQUIRE(fixture.publish(9, 5));
    CHECK(fixture.lane.statistics().dropped_oldest == 1);
    REQUIRE(fixture.lane.begin(*fixture.posted(), work));
    CHECK(Fixture::value_of(work) == 4);
  }
  CHECK(fixture.pending.load() == 2);
  CHECK(fixture.balanced());
}

TEST_CASE("Lane: coalescing without an order counts all events as one key", "[lanes]") {
  Fixture fixture;
  fixture.open(4, LaneOverflow::coalesce, workers, Ordering::unordered());
  for (const int value : {1, 2, 3}) REQUIRE(fixture.publish(0, value));
  Lane::Work work;
  REQUIRE(fixture.lane.begin(*fixture.posted(), work));
  CHECK(Fixture::value_of(work) == 3);
}

TEST_CASE("Lane: events without an order run at the same time", "[lanes]") {
  Fixture fixture;
  fixture.open(4, LaneOverflow::block, workers, Ordering::unordered());
  for (const int value : {1, 2}) REQUIRE(fixture.publish(0, value));
  Lane::Work one;
  Lane::Work two;
  REQUIRE(fixture.lane.begin(*fixture.posted(), one));
  REQUIRE(fixture.lane.begin(*fixture.posted(), two));
  CHECK(Fixture::value_of(one) + Fixture::value_of(two) == 3);
}

TEST_CASE("Lane: a key waits for the attempt that was put off", "[lanes]") {
  Fixture fixture;
  fixture.open(4, LaneOverflow::block);
  REQUIRE(fixture.publish(1, 10));
  REQUIRE(fixture.publish(1, 11));
  LaneRunner* runner = fixture.posted();
  Lane::Work work;
  REQUIRE(fixture.lane.begin(*runner, work));
  REQUIRE(fixture.lane.may_retry(fixture.serial));
  const auto key = work.taken.key;
  REQUIRE_FALSE(fixture.lane.next(*runner, work, LaneOutcome::deferred, true));
  CHECK(fixture.lane.statistics().in_flight == 1);
  CHECK(fixture.pending.load() == 2);
  REQUIRE(fixture.posted() == nullptr);
  Task retry;
  REQUIRE(fixture.lane.resume(fixture.serial, key, retry));
  REQUIRE(fixture.posted() == runner);
  REQUIRE(fixture.lane.begin(*runner, work));
  CHECK(work.taken.retry == &retry);
  REQUIRE(fixture.lane.next(*runner, work, LaneOutcome::handled, true));
  CHECK(Fixture::value_of(work) == 11);
  CHECK(fixture.balanced());
}

TEST_CASE("Lane: no more events wait for another attempt than have places", "[lanes]") {
  Fixture fixture;
  fixture.open(1, LaneOverflow::block);
  REQUIRE(fixture.publish(1, 10));
  LaneRunner* runner = fixture.posted();
  Lane::Work work;
  REQUIRE(fixture.lane.begin(*runner, work));
  REQUIRE(fixture.publish(2, 20));
  REQUIRE(fixture.lane.next(*runner, work, LaneOutcome::deferred, true));
  CHECK_FALSE(fixture.lane.may_retry(fixture.serial));
}

TEST_CASE("Lane: ending drops what waits, and what was to be tried again", "[lanes]") {
  Fixture fixture;
  fixture.open(4, LaneOverflow::block);
  for (const int key : {1, 1, 2, 3}) REQUIRE(fixture.publish(static_cast<std::uint64_t>(key), key));
  LaneRunner* runner = fixture.posted();
  LaneRunner* second = fixture.posted();
  LaneRunner* third = fixture.posted();
  Lane::Work work;
  REQUIRE(fixture.lane.begin(*runner, work));
  const auto key = work.taken.key;
  REQUIRE(fixture.lane.next(*runner, work, LaneOutcome::deferred, true));
  Task retry;
  REQUIRE(fixture.lane.resume(fixture.serial, key, retry));
  // Key 1 is to be tried again, key 2 is with a worker, key 3 waits.
  fixture.lane.end(fixture.serial);
  CHECK(fixture.lane.statistics().unsubscribed == 3);
  CHECK(fixture.pending.load() == 1);
  CHECK_FALSE(fixture.lane.serves(fixture.serial));
  CHECK(fixture.lane.reserve(fixture.serial) == LaneReservation::gone);
  CHECK_FALSE(fixture.lane.may_retry(fixture.serial));
  CHECK_FALSE(fixture.lane.resume(fixture.serial, key, retry));
  REQUIRE(static_cast<Task*>(fixture.posted()) == &retry);  // its owner is to find the lane ended
  fixture.lane.place(fixture.serial, 1, SharedEvent::of(Event<int>{number, 9}), fixture.type);
  CHECK(fixture.lane.statistics().accepted == 4);

  SECTION("a new tenant moves in when the processor is gone and the runners rest") {
    fixture.lane.vacate();
    CHECK(fixture.vacancies == 0);
    REQUIRE_FALSE(fixture.lane.next(*runner, work, LaneOutcome::handled, true));
    REQUIRE_FALSE(fixture.lane.begin(*second, work));
    CHECK(fixture.vacancies == 0);
    REQUIRE_FALSE(fixture.lane.begin(*third, work));
    CHECK(fixture.vacancies == 1);
  }
  SECTION("or the other way round") {
    REQUIRE_FALSE(fixture.lane.next(*runner, work, LaneOutcome::gone, true));
    CHECK(fixture.lane.statistics().unsubscribed == 4);
    REQUIRE_FALSE(fixture.lane.begin(*second, work));
    REQUIRE_FALSE(fixture.lane.begin(*third, work));
    CHECK(fixture.vacancies == 0);
    fixture.lane.vacate();
    CHECK(fixture.vacancies == 1);
  }
  CHECK(fixture.pending.load() == 0);
  CHECK(fixture.balanced());
  const auto former = fixture.lane.totals().accepted;
  fixture.open(2, LaneOverflow::reject, 1);
  CHECK(fixture.lane.statistics().accepted == 0);
  CHECK(fixture.lane.statistics().capacity == 2);
  CHECK(fixture.lane.totals().accepted == former);
  REQUIRE(fixture.publish(1, 1));
  REQUIRE(fixture.posted() != nullptr);
}

TEST_CASE("Lane: what is swept is abandoned, and so is whatever comes after", "[lanes]") {
  Fixture fixture;
  fixture.open(4, LaneOverflow::block);
  REQUIRE(fixture.publish(1, 10));
  REQUIRE(fixture.publish(1, 11));
  fixture.queue.close();
  fixture.queue.sweep();  // the runner is abandoned
  fixture.lane.sweep();
  REQUIRE(fixture.abandoned == 2);
  fixture.lane.sweep();
  REQUIRE(fixture.abandoned == 2);
  CHECK(fixture.pending.load() == 0);
  REQUIRE(fixture.lane.reserve(fixture.serial) == LaneReservation::not_needed);
  REQUIRE(fixture.publish(1, 12));
  CHECK(fixture.abandoned == 3);
  CHECK(fixture.lane.statistics().abandoned == 3);
  CHECK(fixture.balanced());
  fixture.lane.end(fixture.serial);
  fixture.lane.vacate();
  CHECK(fixture.vacancies == 1);
}

TEST_CASE("Lane: a runner that cannot be posted rests", "[lanes]") {
  Fixture fixture;
  fixture.open(4, LaneOverflow::block);
  fixture.queue.close();
  fixture.queue.sweep();
  REQUIRE(fixture.publish(1, 10));
  fixture.lane.end(fixture.serial);
  fixture.lane.vacate();
  CHECK(fixture.vacancies == 1);
}
