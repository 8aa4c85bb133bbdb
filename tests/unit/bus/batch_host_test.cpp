// SPDX-License-Identifier: MIT
#include <gossip/bus/batch_host.hpp>
#include <gossip/bus/event_bus.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/processing/batch.hpp>
#include <gossip/testing/test_bus.hpp>

#include "support/recorder.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

using gossip::Batch;
using gossip::BatchOptions;
using gossip::BusOptions;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::InMemoryProvider;
using gossip::ManualClock;
using gossip::Status;
using gossip::detail::BatchTask;
using gossip::detail::LentTask;
using gossip::test::Door;
using gossip::test::patience;
using gossip::test::Recorder;
using gossip::testing::TestBus;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"test.number"};
using ManualBus = EventBus<InMemoryProvider, ManualClock>;

/// Records the numbers of each batch.
struct Seen {
  void operator()(std::span<const Event<int>> events) {
    std::vector<int> batch;
    for (const Event<int>& event : events) batch.push_back(event.data());
    batches.add(std::move(batch));
  }
  Recorder<std::vector<int>> batches;
};

}  // namespace

TEST_CASE("Batch on a bus: is fed by a subscription", "[batch]") {
  EventBus bus{BusOptions{.workers = 2}};
  std::atomic<std::size_t> events{0};
  Batch<int> batch{
      bus, {.size = 10}, [&](std::span<const Event<int>> some) { events += some.size(); }};
  auto subscription = bus.subscribe(number, batch.processor());
  for (int i = 0; i < 95; ++i) REQUIRE(bus.publish(number, int{i}).ok());
  REQUIRE(bus.drain_for(patience));
  CHECK(events == 90);
  CHECK(batch.flush());
  CHECK(events == 95);
}

TEST_CASE("Batch on a bus: the period goes by the bus's clock, on the bus's workers", "[batch]") {
  TestBus bus;
  std::vector<std::vector<int>> seen;
  Batch<int> batch{bus, {.size = 10, .period = 5s}, [&](std::span<const Event<int>> events) {
                     seen.emplace_back();
                     for (const auto& event : events) seen.back().push_back(event.data());
                   }};
  auto subscription = bus.subscribe(number, batch.processor());
  REQUIRE(bus.publish(number, 1).ok());
  REQUIRE(bus.publish(number, 2).ok());
  bus.advance(4999ms);
  CHECK(seen.empty());
  // On the bus's workers: the time alone does nothing.
  ManualClock{bus.clock()}.advance(1ms);
  CHECK(seen.empty());
  CHECK(bus.run_one());
  CHECK(seen == std::vector<std::vector<int>>{{1, 2}});
  REQUIRE(bus.publish(number, 3).ok());
  bus.advance(5s);
  CHECK(seen.size() == 2);
}

TEST_CASE("Batch on a bus: what is posted counts: drain waits for it", "[batch]") {
  ManualClock clock;
  ManualBus bus{{.workers = 1}, {}, clock};
  Seen seen;
  Batch<int> batch{bus, {.size = 10, .period = 5s}, std::ref(seen)};
  REQUIRE(batch.add(3).ok());
  clock.advance(5s);
  REQUIRE(bus.drain_for(patience));
  CHECK(seen.batches.size() == 1);
}

TEST_CASE("Batch on a bus: events keep the ids and times that the bus gave them", "[batch]") {
  std::optional<EventBus<>> bus{std::in_place, BusOptions{.workers = 1}};
  std::vector<Event<int>> kept;
  Batch<int> batch{*bus, {.size = 2}, [&](std::span<const Event<int>> events) {
                     kept.assign(events.begin(), events.end());
                   }};
  Recorder<gossip::EventId> ids;
  auto subscription = bus->subscribe(number, [&, add = batch.processor()](const Event<int>& event) {
    ids.add(event.id());
    return add(event);
  });
  REQUIRE(bus->publish(number, 1).ok());
  REQUIRE(bus->drain_for(patience));
  REQUIRE(batch.add(number, 2).ok());
  subscription.cancel();
  bus.reset();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].id() == ids.values()[0]);
  CHECK(kept[1].timestamp() > gossip::Timestamp{} + 24h);
}

TEST_CASE("Batch on a bus: outlives the bus, without periods and delays", "[batch]") {
  std::optional<EventBus<>> bus{std::in_place, BusOptions{.workers = 1}};
  Seen seen;
  Batch<int> batch{*bus, {.size = 2, .period = 1h}, std::ref(seen)};
  bus.reset();
  REQUIRE(batch.add(1).ok());
  REQUIRE(seen.batches.wait_for(1));
  CHECK(batch.close());
  CHECK(batch.stats().processed == 1);
}

TEST_CASE("Batch on a bus: a worker that waits for space runs events", "[batch]") {
  constexpr EventType<void> other_event{"test.other"};
  EventBus bus{BusOptions{.workers = 1}};
  Door inside;
  Door leave;
  Batch<int> batch{bus, {.size = 1, .max_pending = 1}, [&](std::span<const Event<int>> events) {
                     if (events[0].data() != 1) return;
                     inside.open();
                     leave.wait();
                   }};
  std::thread blocker{[&] { (void)batch.add(1).ok(); }};
  REQUIRE(inside.wait());
  REQUIRE(batch.add(2).ok());
  auto subscription = bus.subscribe(number, batch.processor());
  auto other = bus.subscribe(other_event, [&] { leave.open(); });
  REQUIRE(bus.publish(number, 3).ok());    // finds the batch full
  REQUIRE(bus.publish(other_event).ok());  // on the only worker
  CHECK(leave.wait());
  leave.open();
  blocker.join();
  REQUIRE(bus.drain_for(patience));
  CHECK(batch.flush());
  CHECK(batch.stats().processed == 3);
}

TEST_CASE("LentTask: is done even if no worker will do it", "[batch]") {
  struct Object {
    BatchTask task;
    Door done;
  };
  auto object = std::make_shared<Object>();
  object->task.work = [](void* self) noexcept { static_cast<Object*>(self)->done.open(); };
  object->task.batch = object;
  {
    LentTask first{object->task};
    LentTask second{std::move(first)};
  }
  CHECK(object->done.wait());
}
