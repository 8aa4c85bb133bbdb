// SPDX-License-Identifier: MIT
#include <gossip/core/status.hpp>
#include <gossip/processing/batch.hpp>
#include <gossip/processing/middleware.hpp>
#include <gossip/processing/retry.hpp>
#include <gossip/testing/recording_processor.hpp>
#include <gossip/testing/test_bus.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using gossip::Batch;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::Priority;
using gossip::RetryableError;
using gossip::Status;
using gossip::testing::RecordingProcessor;
using gossip::testing::TestBus;
using gossip::testing::TestBusOptions;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"test.number"};
constexpr EventType<int> other_number{"test.other"};
constexpr EventType<std::string> text{"test.text"};
constexpr EventType<std::unique_ptr<int>> unique{"test.unique"};

std::vector<int> counted(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

/// The order in which a bus handles 0 to count - 1, published at once.
std::vector<int> order_of(const TestBusOptions& options, int count) {
  TestBus bus{options};
  RecordingProcessor<int> seen;
  const auto subscription = bus.subscribe(number, seen);
  for (const int i : counted(count)) REQUIRE(bus.publish(number, i).ok());
  bus.run_until_idle();
  return seen.data();
}

}  // namespace

TEST_CASE("TestBus: publishing queues, run_one handles one event on this thread", "[testing]") {
  TestBus bus;
  std::vector<int> seen;
  std::thread::id runner;
  const auto subscription = bus.subscribe(number, [&](int value) {
    seen.push_back(value);
    runner = std::this_thread::get_id();
  });
  CHECK(bus.idle());
  CHECK_FALSE(bus.run_one());
  REQUIRE(bus.publish(number, 1).ok());
  REQUIRE(bus.publish(number, 2).ok());
  CHECK(seen.empty());
  CHECK_FALSE(bus.idle());
  CHECK(bus.run_one());
  CHECK(seen == std::vector{1});
  CHECK(runner == std::this_thread::get_id());
  CHECK(bus.run_one());
  CHECK_FALSE(bus.run_one());
  CHECK(seen == std::vector{1, 2});
  CHECK(bus.idle());
}

TEST_CASE("TestBus: run_until_idle also runs what processors publish", "[testing]") {
  TestBus bus;
  RecordingProcessor<int> seen;
  const auto recording = bus.subscribe(other_number, seen);
  const auto passing_on = bus.subscribe(number, [&](int value) {
    if (value < 3) bus.publish(number, value + 1);
    bus.publish(other_number, value);
  });
  bus.publish(number, 1);
  CHECK(bus.run_until_idle() == 6);
  CHECK(seen.data() == std::vector{1, 2, 3});
  CHECK(bus.run_until_idle() == 0);
  const auto stats = bus.stats();
  CHECK(stats.published == 6);
  CHECK(stats.handled == 6);
}

TEST_CASE("TestBus: run_until stops when its condition holds", "[testing]") {
  TestBus bus;
  RecordingProcessor<int> seen;
  const auto subscription = bus.subscribe(number, seen);
  for (const int i : counted(5)) bus.publish(number, i);
  CHECK(bus.run_until([&] { return seen.count() == 2; }));
  CHECK(seen.count() == 2);
  CHECK_FALSE(bus.run_until([&] { return seen.count() == 6; }));
  CHECK(seen.count() == 5);
}

TEST_CASE("TestBus: without a seed events are handled in the order of publishing", "[testing]") {
  CHECK(order_of({}, 100) == counted(100));
  CHECK(order_of({.seed = 5, .bus = {.workers = 1}}, 100) == counted(100));
}

TEST_CASE("TestBus: a seed gives an order, the same each time, in which nothing is missing",
          "[testing]") {
  const auto seven = order_of({.seed = 7}, 100);
  CHECK(order_of({.seed = 7}, 100) == seven);
  CHECK(order_of({.seed = 8}, 100) != seven);
  CHECK(seven != counted(100));
  // The same one on every machine.
  CHECK(order_of({.seed = 7}, 8) == std::vector<int>{3, 0, 4, 6, 5, 1, 2, 7});
  auto sorted = seven;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == counted(100));
}

TEST_CASE("TestBus: an event is overtaken as far as the played workers allow", "[testing]") {
  bool overtaken = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto order = order_of({.seed = seed, .bus = {.workers = 2}}, 20);
    for (std::size_t place = 0; place < order.size(); ++place) {
      // With two workers only one event can be left behind at a time: no event comes early by more
      // than one place.
      CHECK(order[place] <= static_cast<int>(place) + 1);
      overtaken = overtaken || order[place] > static_cast<int>(place);
    }
  }
  CHECK(overtaken);
}

TEST_CASE("TestBus: payloads that can only be moved, or travel in a box, change places too",
          "[testing]") {
  TestBus bus{{.seed = 3}};
  std::vector<int> seen;
  const auto subscription =
      bus.subscribe(unique, [&](const std::unique_ptr<int>& value) { seen.push_back(*value); });
  for (const int i : counted(20)) bus.publish(unique, std::make_unique<int>(i));
  bus.run_until_idle();
  CHECK(seen != counted(20));
  std::sort(seen.begin(), seen.end());
  CHECK(seen == counted(20));

  struct Large {
    int value;
    char filling[200];
  };
  constexpr EventType<Large> large{"test.large"};
  seen.clear();
  const auto of_large =
      bus.subscribe(large, [&](const Large& event) { seen.push_back(event.value); });
  for (const int i : counted(20)) bus.publish(large, Large{i, {}});
  bus.run_until_idle();
  CHECK(seen != counted(20));
  std::sort(seen.begin(), seen.end());
  CHECK(seen == counted(20));
}

TEST_CASE("TestBus: an event keeps its id, time, priority and metadata", "[testing]") {
  TestBus bus{{.seed = 3}};
  RecordingProcessor<std::string> seen;
  const auto subscription = bus.subscribe(text, seen);
  const auto event = Event{text, "a"}.with_metadata("request_id", "r-1");
  const auto id = event.id();
  bus.publish(event);
  bus.publish(text, "b", {.priority = Priority::high});
  bus.advance(1s);
  bus.publish(text, "c");
  bus.run_until_idle();
  auto events = seen.events();
  REQUIRE(events.size() == 3);
  std::sort(events.begin(), events.end(),
            [](const auto& a, const auto& b) { return a.data() < b.data(); });
  CHECK(events[0].id() == id);
  CHECK(events[0].metadata() == event.metadata());
  CHECK(events[1].priority() == Priority::high);
  CHECK(events[2].timestamp() - events[1].timestamp() == 1s);
  CHECK(events[2].id() != events[1].id());
}

TEST_CASE("TestBus: a retry waits for time to pass", "[testing]") {
  TestBus bus{{.seed = 1}};
  std::vector<std::chrono::nanoseconds> attempts;
  const auto begin = bus.clock().now();
  const auto failing = [&](const Event<int>&, Context&) -> Status {
    attempts.push_back(bus.clock().now() - begin);
    return attempts.size() < 3 ? Status{RetryableError{"not yet"}} : Status{};
  };
  const auto subscription = bus.subscribe(
      number, gossip::chain(gossip::retry(
                  {.max_attempts = 4, .initial_delay = 100ms, .jitter = 0}))(failing));
  bus.publish(number, 1);
  bus.run_until_idle();
  CHECK(attempts.size() == 1);
  bus.advance(99ms);
  CHECK(attempts.size() == 1);
  bus.advance(1ms);
  CHECK(attempts.size() == 2);
  bus.advance(10s);
  // Each at its own moment, however large the step.
  CHECK(attempts == std::vector<std::chrono::nanoseconds>{0ms, 100ms, 300ms});
}

TEST_CASE("TestBus: advance fires a schedule once per period", "[testing]") {
  TestBus bus;
  std::vector<std::chrono::nanoseconds> times;
  const auto begin = bus.clock().now();
  const auto subscription =
      bus.subscribe(number, [&](int) { times.push_back(bus.clock().now() - begin); });
  const auto every = bus.publish_every(number, 1, 1s);
  const auto once = bus.publish_after(number, 2, 2500ms);
  bus.advance(3s);
  CHECK(times == std::vector<std::chrono::nanoseconds>{1s, 2s, 2500ms, 3s});
  CHECK(bus.stats().scheduled_skipped == 0);
}

TEST_CASE("TestBus: a batch of the bus is flushed when its period is over", "[testing]") {
  TestBus bus;
  std::vector<std::size_t> sizes;
  Batch<int> batch{bus, {.size = 3, .period = 5s}, [&](std::span<const Event<int>> events) {
                     sizes.push_back(events.size());
                   }};
  const auto subscription = bus.subscribe(number, batch.processor());
  for (const int i : counted(4)) bus.publish(number, i);
  bus.run_until_idle();
  CHECK(sizes == std::vector<std::size_t>{3});
  bus.advance(4999ms);
  CHECK(sizes == std::vector<std::size_t>{3});
  bus.advance(1ms);
  CHECK(sizes == std::vector<std::size_t>{3, 1});
}

TEST_CASE("TestBus: flushing a batch whose attempt is put off does not hang", "[testing]") {
  TestBus bus;
  int calls = 0;
  Batch<int> batch{bus,
                   {.size = 2, .retry = {.max_attempts = 2, .initial_delay = 1s}},
                   [&](std::span<const Event<int>>) -> Status {
                     return ++calls == 1 ? Status{RetryableError{"not yet"}} : Status{};
                   }};
  batch.add(1);
  batch.add(2);
  CHECK(calls == 1);
  bus.advance(10s);
  CHECK(calls == 2);
  CHECK(batch.flush());
}

TEST_CASE("TestBus: with block a full queue makes space by running events", "[testing]") {
  TestBus bus{{.seed = 2, .bus = {.capacity = 4}}};
  RecordingProcessor<int> seen;
  const auto subscription = bus.subscribe(number, seen);
  for (const int i : counted(100)) REQUIRE(bus.publish(number, i).ok());
  CHECK(seen.count() == 93);  // 4 are queued, and 3 that are taken are not begun
  bus.run_until_idle();
  auto all = seen.data();
  std::sort(all.begin(), all.end());
  CHECK(all == counted(100));
}

TEST_CASE("TestBus: the other overflow policies do what they do elsewhere", "[testing]") {
  const auto published = [](OverflowPolicy overflow, const Status& expected) {
    TestBus bus{{.seed = 2, .bus = {.workers = 2, .capacity = 4, .overflow = overflow}}};
    RecordingProcessor<int> seen;
    const auto subscription = bus.subscribe(number, seen);
    for (const int i : counted(4)) REQUIRE(bus.publish(number, i).ok());
    CHECK(bus.publish(number, 4).ok() == expected.ok());
    bus.run_one();  // two were taken: so there is space for two, and no more
    for (const int i : {5, 6, 7}) bus.publish(number, i);
    bus.run_until_idle();
    auto all = seen.data();
    std::sort(all.begin(), all.end());
    return all;
  };
  CHECK(published(OverflowPolicy::reject, Errc::queue_full) == std::vector{0, 1, 2, 3, 5, 6});
  CHECK(published(OverflowPolicy::drop_newest, {}) == std::vector{0, 1, 2, 3, 5, 6});
  CHECK(published(OverflowPolicy::drop_oldest, {}) == std::vector{1, 2, 4, 5, 6, 7});
}

TEST_CASE("TestBus: two buses that fill one another do not hang", "[testing]") {
  TestBus left{{.bus = {.capacity = 2}}};
  TestBus right{{.bus = {.capacity = 2}}};
  RecordingProcessor<int> seen;
  const auto there = left.subscribe(number, [&](int value) {
    for (int i = 0; i < 5; ++i) right.publish(number, value + i);
  });
  const auto back = right.subscribe(number, seen);
  for (int i = 0; i < 5; ++i) REQUIRE(left.publish(number, i * 10).ok());
  left.run_until_idle();
  right.run_until_idle();
  CHECK(seen.count() == 25);
}

TEST_CASE("TestBus: publish_sync calls processors at once, and its retries let time pass",
          "[testing]") {
  TestBus bus;
  std::vector<std::chrono::nanoseconds> attempts;
  const auto begin = bus.clock().now();
  const auto subscription = bus.subscribe(
      number, gossip::chain(gossip::retry({.max_attempts = 3, .initial_delay = 1s, .jitter = 0}))(
                  [&](const Event<int>&, Context&) -> Status {
                    attempts.push_back(bus.clock().now() - begin);
                    return RetryableError{"never"};
                  }));
  const auto result = bus.publish_sync(number, 1);
  CHECK(result.errors.size() == 1);
  CHECK(attempts == std::vector<std::chrono::nanoseconds>{0s, 1s, 3s});
}

TEST_CASE("TestBus: a circle of events is an error, not a hang", "[testing]") {
  TestBus bus;
  const auto subscription = bus.subscribe(number, [&](int value) { bus.publish(number, value); });
  bus.publish(number, 1);
  CHECK_THROWS_AS(bus.run_until_idle(10), std::runtime_error);
  CHECK(bus.stats().handled == 10);
  CHECK_THROWS_AS(bus.run_until_idle(), std::runtime_error);
  CHECK_THROWS_AS(bus.advance(1s), std::runtime_error);
  CHECK_THROWS_AS(bus.drain(), std::runtime_error);
}

TEST_CASE("TestBus: drain lets time pass for attempts, not for schedules", "[testing]") {
  TestBus bus;
  int calls = 0;
  const auto begin = bus.clock().now();
  const auto subscription = bus.subscribe(
      number, gossip::chain(gossip::retry({.max_attempts = 2, .initial_delay = 1s}))(
                  [&](const Event<int>&, Context&) -> Status {
                    return ++calls == 1 ? Status{RetryableError{"not yet"}} : Status{};
                  }));
  const auto later = bus.publish_after(number, 2, 1h);
  bus.publish(number, 1);
  CHECK_FALSE(bus.drain_for(1ms));
  CHECK(calls == 1);
  CHECK(bus.drain());
  CHECK(calls == 2);
  CHECK(bus.clock().now() - begin < 1min);
}

TEST_CASE("TestBus: a shutdown runs what is queued and accounts for the rest", "[testing]") {
  TestBus bus{{.seed = 9}};
  RecordingProcessor<int> seen;
  const auto recording = bus.subscribe(number, seen);
  const auto failing = bus.subscribe(
      text, gossip::chain(gossip::retry({.max_attempts = 2, .initial_delay = 1h, .max_delay = 1h}))(
                [](const Event<std::string>&, Context&) -> Status {
                  return RetryableError{"not today"};
                }));
  const auto later = bus.publish_after(number, 2, 2h);
  for (const int i : counted(10)) bus.publish(number, i);
  bus.publish(text, "a");
  const auto report = bus.shutdown(1min);
  CHECK(report.complete);
  CHECK(report.abandoned == 0);
  CHECK(report.abandoned_attempts == 1);
  CHECK(report.dropped_scheduled == 1);
  CHECK(seen.count() == 10);
  CHECK(bus.publish(number, 1) == Errc::closed);
  CHECK(bus.shutdown().complete);
  CHECK_FALSE(bus.run_one());
}

TEST_CASE("TestBus: events that cannot be handled before the end are counted as abandoned",
          "[testing]") {
  gossip::Publisher<int, gossip::testing::TestProvider, gossip::ManualClock> publisher = [] {
    TestBus bus{{.seed = 4}};
    const auto circle = bus.subscribe(number, [&](int value) { bus.publish(number, value); });
    for (const int i : counted(3)) bus.publish(number, i);
    CHECK(bus.run_one());
    return bus.publisher(number);
  }();
  CHECK(publisher.publish(1) == Errc::closed);
}

TEST_CASE("TestBus: other threads may publish; patterns and errors work as elsewhere",
          "[testing]") {
  std::vector<std::string> failures;
  TestBus bus{
      {.seed = 6, .bus = {.capacity = 8, .on_error = [&](const gossip::ErrorReport& report) {
                            failures.emplace_back(report.status.error()->message());
                          }}}};
  RecordingProcessor<gossip::AnyEvent> all;
  const auto audit = bus.subscribe("test.*", all);
  const auto failing =
      bus.subscribe(number, [](int) -> Status { return gossip::FatalError{"broken"}; });
  std::thread publisher{[&] {
    for (const int i : counted(50)) bus.publish(number, i);  // waits for space
  }};
  CHECK(all.wait_for(50));
  publisher.join();
  bus.run_until_idle();
  CHECK(failures.size() == 50);
  CHECK(all.events().front().type() == "test.number");
}

TEST_CASE("TestBus: the order that a subscription asked for holds whatever the seed", "[testing]") {
  bool others_mixed = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TestBus bus{{.seed = seed}};
    RecordingProcessor<int> in_order;
    RecordingProcessor<int> by_parity;
    RecordingProcessor<int> any_order;
    const auto first =
        bus.subscribe(number, in_order, {.ordering = gossip::Ordering::per_publisher()});
    const auto second = bus.subscribe(
        number, by_parity,
        {.ordering = gossip::Ordering::by_key([](const int& value) { return value % 2; })});
    const auto third = bus.subscribe(number, any_order);
    for (const int i : counted(40)) REQUIRE(bus.publish(number, i).ok());
    bus.run_until_idle();
    CHECK(in_order.data() == counted(40));
    const auto mixed = by_parity.data();
    std::vector<int> last{-2, -1};
    for (const int value : mixed) {
      int& before = last[static_cast<std::size_t>(value % 2)];
      CHECK(value == before + 2);
      before = value;
    }
    CHECK(mixed.size() == 40);
    CHECK(any_order.count() == 40);
    others_mixed = others_mixed || any_order.data() != counted(40);
    CHECK(bus.stats().handled == 40);
  }
  CHECK(others_mixed);
}

TEST_CASE("TestBus: a full lane makes space by running events", "[testing]") {
  TestBus bus{{.seed = 5}};
  RecordingProcessor<int> seen;
  const auto subscription = bus.subscribe(
      number, seen, {.ordering = gossip::Ordering::per_publisher(), .lane = {.capacity = 4}});
  for (const int i : counted(50)) REQUIRE(bus.publish(number, i).ok());
  CHECK(seen.count() > 0);
  bus.run_until_idle();
  CHECK(seen.data() == counted(50));
}
