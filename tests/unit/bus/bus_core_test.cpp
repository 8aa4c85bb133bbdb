// SPDX-License-Identifier: MIT
// How a bus begins and ends, what it counts, and how it deals with its provider and its clock.
#include <gossip/bus/bus_core.hpp>
#include <gossip/bus/event_bus.hpp>

#include "support/recorder.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace {

using gossip::BusOptions;
using gossip::Context;
using gossip::Errc;
using gossip::ErrorReport;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::InMemoryProvider;
using gossip::ManualClock;
using gossip::OverflowPolicy;
using gossip::ShutdownReport;
using gossip::Statistics;
using gossip::Status;
using gossip::Subscription;
using gossip::test::Gate;
using gossip::test::Recorder;
using gossip::testing::patience;
using namespace std::chrono_literals;

constexpr EventType<int> number{"test.number"};
constexpr EventType<int> other_number{"test.other_number"};
constexpr EventType<void> ticked{"test.ticked"};

// ---- Options ----------------------------------------------------------------------------------

void check_refused(const BusOptions& options, const std::string& field, const std::string& value,
                   const std::string& allowed) {
  bool thrown = false;
  try {
    const EventBus bus{options};
  } catch (const std::invalid_argument& error) {
    thrown = true;
    CHECK(std::string{error.what()} ==
          "BusOptions: " + field + " is " + value + "; allowed: " + allowed);
  }
  CHECK(thrown);
  const Status status = gossip::validate(options);
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  REQUIRE(error != nullptr);
  CHECK(error->field() == field);
}

TEST_CASE("BusOptions: every field out of range is named with its value and what is allowed",
          "[bus_core]") {
  check_refused({.workers = 1025}, "workers", "1025", "0 to 1024");
  check_refused({.workers = 1, .capacity = 0}, "capacity", "0", "1 to 2147483648");
  check_refused({.workers = 1, .capacity = (std::size_t{1} << 31U) + 1}, "capacity", "2147483649",
                "1 to 2147483648");
  check_refused({.workers = 1, .overflow = static_cast<OverflowPolicy>(4)}, "overflow", "4",
                "block, reject, drop_oldest, drop_newest");
  check_refused({.workers = 1, .timestamps = static_cast<gossip::Timestamps>(2)}, "timestamps", "2",
                "on, off");
  check_refused({.workers = 1, .shutdown_timeout = -1ns}, "shutdown_timeout", "-1 ns", "0 or more");
  check_refused({.workers = 1, .max_nesting = 0}, "max_nesting", "0", "1 to 256");
  check_refused({.workers = 1, .max_nesting = 257}, "max_nesting", "257", "1 to 256");
#if defined(__linux__)
  check_refused({.workers = 1, .worker_cores = {0, 1024}}, "worker_cores", "1024", "0 to 1023");
#endif
}

TEST_CASE("BusOptions: the ends of every range are accepted", "[bus_core]") {
  CHECK(gossip::validate(BusOptions{}).ok());
  CHECK(gossip::validate(BusOptions{.workers = 1024, .capacity = std::size_t{1} << 31U}).ok());
  CHECK(gossip::validate(BusOptions{.capacity = 1, .overflow = OverflowPolicy::drop_newest}).ok());
  CHECK(gossip::validate(BusOptions{.timestamps = gossip::Timestamps::off, .shutdown_timeout = 0ns})
            .ok());
  CHECK(gossip::validate(BusOptions{.shutdown_timeout = std::chrono::nanoseconds::max()}).ok());
  CHECK(gossip::validate(BusOptions{.max_nesting = 256}).ok());
  CHECK(gossip::validate(BusOptions{.max_scheduled = 0}).ok());
}

TEST_CASE("EventBus: by default one worker per core, 1024 events", "[bus_core]") {
  const EventBus bus;
  CHECK(bus.stats().workers == std::max(1U, std::thread::hardware_concurrency()));
  CHECK(bus.stats().capacity == 1024);
  CHECK(EventBus{{.workers = 3, .capacity = 5}}.stats().workers == 3);
  CHECK(EventBus{{.workers = 1, .capacity = 5}}.stats().capacity == 8);
}

// ---- Workers ----------------------------------------------------------------------------------

TEST_CASE("EventBus: worker hooks run once per worker, on its thread", "[bus_core]") {
  Recorder<std::pair<std::size_t, std::thread::id>> started;
  Recorder<std::pair<std::size_t, std::thread::id>> stopped;
  {
    const EventBus bus{{.workers = 3,
                        .on_worker_start =
                            [&](std::size_t index) {
                              started.add({index, std::this_thread::get_id()});
                            },
                        .on_worker_stop =
                            [&](std::size_t index) {
                              stopped.add({index, std::this_thread::get_id()});
                            }}};
    CHECK(started.size() == 3);  // before the constructor returned
    CHECK(stopped.size() == 0);
  }
  CHECK(started.sorted() == stopped.sorted());
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(started.sorted()[i].first == i);
    CHECK(started.sorted()[i].second != std::this_thread::get_id());
  }
}

TEST_CASE("EventBus: an exception out of a start hook comes out of the constructor", "[bus_core]") {
  Recorder<std::size_t> stopped;
  const BusOptions options{.workers = 3,
                           .on_worker_start =
                               [](std::size_t index) {
                                 if (index == 1) throw std::out_of_range{"no"};
                               },
                           .on_worker_stop = [&](std::size_t index) { stopped.add(index); }};
  CHECK_THROWS_AS(EventBus{options}, std::out_of_range);
  CHECK(stopped.sorted() == std::vector<std::size_t>{0, 2});
}

#if defined(__linux__)
std::string thread_name() {
  char name[16]{};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

TEST_CASE("EventBus: workers are named, cut to 15 bytes with the number kept", "[bus_core]") {
  Recorder<std::string> names;
  const auto note = [&](std::size_t) { names.add(thread_name()); };
  { const EventBus bus{{.workers = 2, .worker_name = "mail", .on_worker_start = note}}; }
  CHECK(names.sorted() == std::vector<std::string>{"mail-0", "mail-1"});
  Recorder<std::string> cut;
  {
    const EventBus bus{{.workers = 11,
                        .worker_name = "a-name-that-is-too-long",
                        .on_worker_start = [&](std::size_t) { cut.add(thread_name()); }}};
  }
  const auto cut_names = cut.sorted();
  CHECK(std::count(cut_names.begin(), cut_names.end(), "a-name-that-i-9") == 1);
  CHECK(std::count(cut_names.begin(), cut_names.end(), "a-name-that--10") == 1);
}

TEST_CASE("EventBus: workers run on the cores they are bound to", "[bus_core]") {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  std::vector<unsigned> cores;
  for (unsigned core = 0; core < 1024; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  REQUIRE_FALSE(cores.empty());
  const unsigned core = cores.back();
  Recorder<bool> bound;
  const EventBus bus{{.workers = 2, .worker_cores = {core}, .on_worker_start = [&](std::size_t) {
                        cpu_set_t mine;
                        CPU_ZERO(&mine);
                        pthread_getaffinity_np(pthread_self(), sizeof mine, &mine);
                        bound.add(CPU_COUNT(&mine) == 1 && CPU_ISSET(core, &mine));
                      }}};
  CHECK(bound.values() == std::vector<bool>{true, true});
}

TEST_CASE("EventBus: a core that does not exist is refused by name", "[bus_core]") {
  bool thrown = false;
  try {
    const EventBus bus{{.workers = 1, .worker_cores = {1023}}};
  } catch (const std::system_error& error) {
    thrown = true;
    CHECK(std::string{error.what()}.find("worker_cores") != std::string::npos);
    CHECK(std::string{error.what()}.find("1023") != std::string::npos);
  }
  CHECK(thrown);
}
#endif

// ---- Errors -----------------------------------------------------------------------------------

struct Reported {
  gossip::SubscriptionId subscription;
  std::string name;
  std::string type;
  gossip::EventId event;
  unsigned attempt;
  Status status;
};

TEST_CASE("EventBus: the error handler is told subscription, name, type, id, attempt and status",
          "[bus_core]") {
  Recorder<Reported> reports;
  gossip::EventId id;
  EventBus bus{{.workers = 1, .on_error = [&](const ErrorReport& report) {
                  reports.add({report.subscription, std::string{report.subscription_name},
                               std::string{report.event_type}, report.event_id, report.attempt,
                               report.status});
                }}};
  const auto notes = bus.subscribe(number, [&](const Event<int>& event) { id = event.id(); });
  const auto returns = bus.subscribe(number,
                                     [](int) -> Status {
                                       return gossip::ValidationError{"age", "negative"};
                                     },
                                     {.name = "returns"});
  const auto throws =
      bus.subscribe(number, [](int) { throw std::out_of_range{"index"}; }, {.name = "throws"});
  const auto throws_int = bus.subscribe(number, [](int) { throw 42; });
  CHECK(bus.publish(number, 1).ok());
  REQUIRE(bus.drain());
  const auto seen = reports.values();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].subscription == returns.id());
  CHECK(seen[0].name == "returns");
  CHECK(seen[0].status == Errc::validation_failed);
  CHECK(seen[1].subscription == throws.id());
  CHECK(seen[1].name == "throws");
  CHECK(seen[1].status.error()->message() == "index");
  CHECK_THROWS_AS(std::rethrow_exception(seen[1].status.error()->origin()), std::out_of_range);
  CHECK(seen[2].subscription == throws_int.id());
  CHECK(seen[2].status == Errc::processing_failed);
  for (const Reported& report : seen) {
    CHECK(report.type == "test.number");
    CHECK(report.event == id);
    CHECK(report.attempt == 1);
  }
  CHECK(bus.stats().failed == 3);
  CHECK(bus.stats().delivered == 1);
}

TEST_CASE("EventBus: without a handler failures are counted and the worker goes on", "[bus_core]") {
  EventBus bus{{.workers = 1}};
  const auto fails = bus.subscribe(number, [](int) { throw 42; });
  for (int i = 0; i < 5; ++i) CHECK(bus.publish(number, i).ok());
  REQUIRE(bus.drain());
  const Statistics statistics = bus.stats();
  CHECK(statistics.failed == 5);
  CHECK(statistics.handled == 5);
  CHECK(statistics.subscriptions.at(0).failed == 5);
}

TEST_CASE("EventBus: a throwing error handler is counted and contained", "[bus_core]") {
  std::atomic<int> good{0};
  EventBus bus{{.workers = 1, .on_error = [](const ErrorReport&) { throw 42; }}};
  const auto fails = bus.subscribe(number, [](int) { throw std::runtime_error{"x"}; });
  const auto works = bus.subscribe(number, [&](int) { ++good; });
  for (int i = 0; i < 3; ++i) CHECK(bus.publish(number, i).ok());
  REQUIRE(bus.drain());
  CHECK(good == 3);
  CHECK(bus.stats().handler_failures == 3);
  CHECK(bus.stats().failed == 3);
}

TEST_CASE("EventBus: the error handler may unsubscribe what failed and publish", "[bus_core]") {
  Recorder<int> dead_letters;
  std::optional<EventBus<>> bus;
  bus.emplace(BusOptions{.workers = 1, .on_error = [&](const ErrorReport& report) {
                           bus->unsubscribe(report.subscription);
                           static_cast<void>(bus->publish(other_number, 7));
                         }});
  const auto fails = bus->subscribe(number, [](int) { throw 1; });
  const auto dead = bus->subscribe(other_number, [&](int value) { dead_letters.add(value); });
  CHECK(bus->publish(number, 1).ok());
  CHECK(bus->publish(number, 2).ok());
  REQUIRE(bus->drain());
  CHECK(dead_letters.values() == std::vector<int>{7});
  bus.reset();
}

// ---- Draining ---------------------------------------------------------------------------------

TEST_CASE("EventBus: drain waits for what processors publish meanwhile", "[bus_core]") {
  std::atomic<int> handled{0};
  EventBus bus{{.workers = 2, .capacity = 4}};
  const auto subscription = bus.subscribe(number, [&](int left) -> Status {
    ++handled;
    return left == 0 ? Status{} : bus.publish(number, left - 1);
  });
  CHECK(bus.publish(number, 99).ok());
  CHECK(bus.drain());
  CHECK(handled == 100);
  CHECK(bus.drain());
}

TEST_CASE("EventBus: drain_for gives up when the time is up", "[bus_core]") {
  Gate gate;
  EventBus bus{{.workers = 1}};
  const auto busy = bus.subscribe(ticked, [&] { static_cast<void>(gate.pass()); });
  CHECK(bus.drain_for(0ns));
  CHECK(bus.publish(ticked).ok());
  REQUIRE(gate.wait_for_arrivals());
  CHECK_FALSE(bus.drain_for(0ns));
  CHECK_FALSE(bus.drain_for(5ms));
  CHECK_FALSE(bus.drain_for(-1s));
  gate.open();
  CHECK(bus.drain_for(std::chrono::nanoseconds::max()));
}

TEST_CASE("EventBus: drain from a processor on a worker refuses instead of waiting for itself",
          "[bus_core]") {
  Recorder<bool> answers;
  EventBus bus{{.workers = 1}};
  const auto subscription = bus.subscribe(ticked, [&] {
    answers.add(bus.drain());
    answers.add(bus.drain_for(10s));
  });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  CHECK(answers.values() == std::vector<bool>{false, false});
}

TEST_CASE("EventBus: drain ends though a shutdown abandons events", "[bus_core]") {
  // The bus is shared with the waiting thread, which is let go: should drain never return, the
  // test fails and the program still ends.
  struct Shared {
    Gate gate;
    Recorder<bool> drained;
    EventBus<> bus{{.workers = 1}};
  };
  const auto shared = std::make_shared<Shared>();
  const auto busy =
      shared->bus.subscribe(ticked, [raw = shared.get()](const Event<void>&, Context& context) {
        const std::stop_callback open{context.stop_token(), [raw] { raw->gate.open(); }};
        static_cast<void>(raw->gate.pass());
      });
  CHECK(shared->bus.publish(ticked).ok());
  REQUIRE(shared->gate.wait_for_arrivals());
  CHECK(shared->bus.publish(ticked).ok());
  CHECK(shared->bus.shutdown(0ns).abandoned == 1);
  CHECK_FALSE(shared->bus.drain_for(0ns));
  std::thread{[shared] { shared->drained.add(shared->bus.drain()); }}.detach();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (shared->drained.size() == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK(shared->drained.size() == 1);
}

TEST_CASE("EventBus: drain answers false for events that a shutdown abandons", "[bus_core]") {
  Gate gate;
  Recorder<bool> answers;
  EventBus bus{{.workers = 1}};
  const auto busy = bus.subscribe(ticked, [&](const Event<void>&, Context& context) {
    const std::stop_callback open{context.stop_token(), [&] { gate.open(); }};
    static_cast<void>(gate.pass());
  });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(gate.wait_for_arrivals());
  CHECK(bus.publish(ticked).ok());
  const auto before = std::chrono::steady_clock::now();
  std::jthread waiting{[&] { answers.add(bus.drain_for(2 * patience)); }};
  gossip::test::let_pass(5ms);  // most likely it waits by now
  CHECK(bus.shutdown(0ns).abandoned == 1);
  REQUIRE(answers.wait_for(1));
  CHECK(answers.values() == std::vector<bool>{false});
  CHECK_FALSE(bus.drain_for(2 * patience));
  CHECK(std::chrono::steady_clock::now() - before < patience);
}

// ---- Shutting down ----------------------------------------------------------------------------

/// Blocks in its destructor while it is told to.
struct SlowToDie {
  explicit SlowToDie(int value, Gate* gate = nullptr) : number{value}, held{gate} {}
  SlowToDie(SlowToDie&& other) noexcept
      : number{other.number}, held{std::exchange(other.held, nullptr)} {}
  SlowToDie& operator=(SlowToDie&&) = delete;
  ~SlowToDie() {
    if (held != nullptr) static_cast<void>(held->pass());
  }
  int number;
  Gate* held;
};
constexpr EventType<SlowToDie> slow_to_die{"test.slow_to_die"};

TEST_CASE("EventBus: shutdown does not sit out its time when a dropped event was the last",
          "[bus_core]") {
  Gate worker;
  Gate death;
  Recorder<int> handled;
  EventBus bus{{.workers = 1, .capacity = 2, .overflow = OverflowPolicy::drop_oldest}};
  const auto subscription = bus.subscribe(slow_to_die, [&](const SlowToDie& payload) {
    if (payload.number == 0) static_cast<void>(worker.pass());
    handled.add(payload.number);
  });
  CHECK(bus.publish(slow_to_die, SlowToDie{0}).ok());
  REQUIRE(worker.wait_for_arrivals());
  CHECK(bus.publish(slow_to_die, SlowToDie{1, &death}).ok());
  CHECK(bus.publish(slow_to_die, SlowToDie{2}).ok());
  Status late;
  std::jthread publisher{[&] { late = bus.publish(slow_to_die, SlowToDie{3}); }};
  REQUIRE(death.wait_for_arrivals());  // event 1 is being dropped
  worker.open();
  REQUIRE(handled.wait_for(2));
  const auto before = std::chrono::steady_clock::now();
  ShutdownReport report;
  std::jthread ending{[&] { report = bus.shutdown(patience); }};
  // Asks without putting anything into the queue.
  const auto closed = [&] { return bus.publish_sync(number, 1).refused == Errc::closed; };
  REQUIRE(gossip::test::eventually(closed));
  gossip::test::let_pass(20ms);  // the worker has parked and the shutdown waits, most likely
  death.open();
  publisher.join();
  ending.join();
  CHECK(late == Errc::closed);
  CHECK(report.complete);
  CHECK(report.abandoned == 0);
  CHECK(bus.stats().dropped_oldest == 1);
  CHECK(std::chrono::steady_clock::now() - before < patience / 2);
}

TEST_CASE("EventBus: shutdown handles what is queued, then publishing answers closed",
          "[bus_core]") {
  std::atomic<int> handled{0};
  EventBus bus{{.workers = 2}};
  auto subscription = bus.subscribe(number, [&](int) { ++handled; });
  for (int i = 0; i < 100; ++i) CHECK(bus.publish(number, i).ok());
  const ShutdownReport report = bus.shutdown();
  CHECK(report.complete);
  CHECK(report.abandoned == 0);
  CHECK(report.clean());
  CHECK(handled == 100);
  CHECK(bus.publish(number, 1) == Errc::closed);
  CHECK(bus.publish(Event{number, 1}) == Errc::closed);
  CHECK(bus.emplace(number, 1) == Errc::closed);
  const auto batch = bus.publish_batch(number, std::vector<int>{1, 2});
  CHECK(batch.published == 0);
  CHECK(batch.status == Errc::closed);
  bool thrown = false;
  try {
    (void)bus.subscribe(number, [](int) {});
  } catch (const gossip::Error& error) {
    thrown = error.code() == Errc::closed;
  }
  CHECK(thrown);
  CHECK(handled == 100);
  CHECK(bus.stats().refused_closed == 4);
  CHECK(bus.drain());
  subscription.cancel();
}

TEST_CASE("EventBus: shutdown is idempotent, also from several threads at once", "[bus_core]") {
  std::atomic<int> handled{0};
  EventBus bus{{.workers = 2}};
  const auto subscription = bus.subscribe(number, [&](int) { ++handled; });
  for (int i = 0; i < 100; ++i) CHECK(bus.publish(number, i).ok());
  constexpr std::size_t threads = 4;
  std::vector<ShutdownReport> reports(threads);
  std::latch start{threads};
  {
    std::vector<std::jthread> pool;
    for (ShutdownReport& mine : reports) {
      pool.emplace_back([&] {
        start.arrive_and_wait();
        mine = bus.shutdown();
      });
    }
  }
  for (const ShutdownReport& report : reports) CHECK(report.clean());
  CHECK(bus.shutdown().clean());
  CHECK(handled == 100);
}

TEST_CASE("EventBus: shutdown inside a processor closes the bus and waits for nothing",
          "[bus_core]") {
  Recorder<bool> complete;
  Recorder<int> handled;
  Gate gate;
  EventBus bus{{.workers = 1}};
  const auto first = bus.subscribe(ticked, [&] {
    static_cast<void>(gate.pass());
    complete.add(bus.shutdown().complete);
  });
  const auto second = bus.subscribe(number, [&](int value) { handled.add(value); });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(gate.wait_for_arrivals());
  CHECK(bus.publish(number, 1).ok());  // queued before the bus is closed
  gate.open();
  REQUIRE(complete.wait_for(1));
  CHECK(complete.values() == std::vector<bool>{false});
  CHECK(bus.publish(number, 2) == Errc::closed);
  CHECK(bus.shutdown().clean());
  CHECK(handled.values() == std::vector<int>{1});
}

TEST_CASE("EventBus: shutdown inside a publish_sync of another thread is complete", "[bus_core]") {
  EventBus bus{{.workers = 1}};
  bool complete = false;
  const auto subscription = bus.subscribe(ticked, [&] { complete = bus.shutdown().clean(); });
  CHECK(bus.publish_sync(ticked).ok());
  CHECK(complete);
}

TEST_CASE("EventBus: past the deadline processors see the stop and what is queued is abandoned",
          "[bus_core]") {
  constexpr int queued = 5;
  Gate stopped;
  Recorder<bool> saw_stop;
  std::atomic<int> handled{0};
  EventBus bus{{.workers = 1}};
  const auto slow = bus.subscribe(ticked, [&](const Event<void>&, Context& context) {
    const std::stop_callback on_stop{context.stop_token(), [&] { stopped.open(); }};
    CHECK_FALSE(context.stop_requested());
    static_cast<void>(stopped.pass());
    saw_stop.add(context.stop_requested());
  });
  const auto other = bus.subscribe(number, [&](int) { ++handled; });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(stopped.wait_for_arrivals());
  for (int i = 0; i < queued; ++i) CHECK(bus.publish(number, i).ok());
  const ShutdownReport report = bus.shutdown(1ms);
  CHECK(report.complete);
  CHECK(report.abandoned == queued);
  CHECK_FALSE(report.clean());
  CHECK(saw_stop.values() == std::vector<bool>{true});
  CHECK(handled == 0);
  CHECK(bus.shutdown().abandoned == queued);
  const Statistics statistics = bus.stats();
  CHECK(statistics.abandoned == queued);
  CHECK(statistics.published == statistics.handled + statistics.abandoned);
  CHECK(statistics.depth == 0);
  CHECK(statistics.in_flight == 0);
}

TEST_CASE("EventBus: without a deadline in sight no stop is requested", "[bus_core]") {
  Recorder<bool> stops;
  {
    EventBus bus{{.workers = 1}};
    const auto subscription = bus.subscribe(number, [&](const Event<int>&, const Context& context) {
      stops.add(context.stop_requested());
    });
    for (int i = 0; i < 100; ++i) CHECK(bus.publish(number, i).ok());
    bus.shutdown();
  }
  const auto seen = stops.values();
  CHECK(seen.size() == 100);
  CHECK(std::count(seen.begin(), seen.end(), true) == 0);
}

TEST_CASE("EventBus: a processor may publish while a shutdown drains", "[bus_core]") {
  Gate gate;
  Recorder<int> seen;
  Recorder<bool> accepted;
  EventBus bus{{.workers = 1}};
  const auto first = bus.subscribe(ticked, [&] {
    static_cast<void>(gate.pass());
    accepted.add(bus.publish(number, 1).ok());
    accepted.add(bus.publish_sync(number, 2).ok());
  });
  const auto second = bus.subscribe(number, [&](int value) -> Status {
    seen.add(value);
    return value == 1 ? bus.publish(number, 3) : Status{};
  });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(gate.wait_for_arrivals());
  std::jthread opener{[&] {
    // The shutdown has begun once others are refused.
    while (bus.publish(number, 4).ok()) {
      if (seen.size() != 0) return;
    }
    gate.open();
  }};
  const ShutdownReport report = bus.shutdown();
  opener.join();
  CHECK(report.clean());
  CHECK(accepted.values() == std::vector<bool>{true, true});
  const auto values = seen.values();
  CHECK(std::count(values.begin(), values.end(), 1) == 1);
  CHECK(std::count(values.begin(), values.end(), 2) == 1);
  CHECK(std::count(values.begin(), values.end(), 3) == 1);
}

TEST_CASE("EventBus: shutdown wakes a publisher that waits for space", "[bus_core]") {
  Gate gate;
  Recorder<Status> answers;
  EventBus bus{{.workers = 1, .capacity = 2}};
  const auto busy = bus.subscribe(ticked, [&](const Event<void>&, Context& context) {
    const std::stop_callback on_stop{context.stop_token(), [&] { gate.open(); }};
    static_cast<void>(gate.pass());
  });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(gate.wait_for_arrivals());
  CHECK(bus.publish(number, 1).ok());
  CHECK(bus.publish(number, 2).ok());
  std::jthread publisher{[&] { answers.add(bus.publish(number, 3)); }};
  CHECK(bus.shutdown(1ms).complete);
  REQUIRE(answers.wait_for(1));
  CHECK(answers.values().front() == Errc::closed);
}

TEST_CASE("EventBus: the destructor handles what is queued and destroys the processors",
          "[bus_core]") {
  std::atomic<int> handled{0};
  auto captured = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = captured;
  Subscription handle;
  {
    EventBus bus{{.workers = 2}};
    handle = bus.subscribe(number, [&, captured = std::move(captured)](int) { ++handled; });
    for (int i = 0; i < 100; ++i) CHECK(bus.publish(number, i).ok());
  }
  CHECK(handled == 100);
  CHECK(watch.expired());
  handle.cancel();  // outlives its bus
}

TEST_CASE("EventBus: the destructor waits no longer than shutdown_timeout for queued events",
          "[bus_core]") {
  Gate gate;
  std::atomic<int> handled{0};
  const auto before = std::chrono::steady_clock::now();
  {
    EventBus bus{{.workers = 1, .shutdown_timeout = 1ms}};
    const auto busy = bus.subscribe(ticked, [&](const Event<void>&, Context& context) {
      const std::stop_callback on_stop{context.stop_token(), [&] { gate.open(); }};
      static_cast<void>(gate.pass());
    });
    const auto other = bus.subscribe(number, [&](int) { ++handled; }).detach();
    static_cast<void>(other);
    CHECK(bus.publish(ticked).ok());
    REQUIRE(gate.wait_for_arrivals());
    CHECK(bus.publish(number, 1).ok());
    static_cast<void>(bus.shutdown());
  }
  CHECK(std::chrono::steady_clock::now() - before < patience);
  CHECK(handled == 0);
}

TEST_CASE("EventBus: destroyed inside its own processor it handles what is queued", "[bus_core]") {
  Recorder<int> handled;
  Recorder<std::size_t> ended;
  auto captured = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = captured;
  {
    Gate gate;
    auto bus = std::make_unique<EventBus<>>(
        BusOptions{.workers = 2, .on_worker_stop = [&](std::size_t index) { ended.add(index); }});
    EventBus<>* const raw = bus.get();
    static_cast<void>(raw->subscribe(ticked,
                                     [&, captured = std::move(captured)] {
                                       static_cast<void>(gate.pass());
                                       bus.reset();
                                     })
                          .detach());
    static_cast<void>(raw->subscribe(number, [&](int value) { handled.add(value); }).detach());
    CHECK(raw->publish(ticked).ok());
    REQUIRE(gate.wait_for_arrivals());
    for (int i = 0; i < 10; ++i) CHECK(raw->publish(number, i).ok());
    gate.open();
    REQUIRE(ended.wait_for(2));
  }
  CHECK(handled.sorted() == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  // The last worker frees the processors; the hook runs a moment before.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!watch.expired() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK(watch.expired());
}

TEST_CASE("EventBus: destroyed inside a publish_sync of another thread it lives until that ends",
          "[bus_core]") {
  auto in_options = std::make_shared<int>(0);  // goes with the last of the bus
  const std::weak_ptr<int> bus_watch = in_options;
  auto bus = std::make_unique<EventBus<>>(
      BusOptions{.workers = 1, .on_error = [in_options](const gossip::ErrorReport&) {}});
  in_options.reset();
  EventBus<>* const raw = bus.get();
  int calls = 0;
  bool whole = false;
  auto captured = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = captured;
  raw->subscribe(number,
                 [&, captured = std::move(captured)](int) {
                   ++calls;
                   bus.reset();
                   calls += *captured + 1;  // the processor is still whole
                   whole = !bus_watch.expired();
                 })
      .detach();
  static_cast<void>(raw->publish_sync(number, 5));
  CHECK(calls == 2);
  CHECK(watch.expired());
  CHECK(whole);
  CHECK(bus_watch.expired());
}

TEST_CASE("EventBus: destroyed by its own worker it frees processors that hold on to it",
          "[bus_core]") {
  Recorder<std::size_t> ended;
  auto bus = std::make_unique<EventBus<>>(
      BusOptions{.workers = 2, .on_worker_stop = [&](std::size_t index) { ended.add(index); }});
  EventBus<>* const raw = bus.get();
  auto first = std::make_shared<int>(0);
  const std::weak_ptr<int> first_watch = first;
  raw->subscribe(number, [publisher = raw->publisher(number), captured = std::move(first)](
                             int) mutable { static_cast<void>(publisher.publish(*captured)); })
      .detach();
  auto second = std::make_shared<int>(0);
  const std::weak_ptr<int> second_watch = second;
  raw->subscribe(other_number, [subscription = raw->subscribe(number, [](int) {}),
                                captured = std::move(second)](int) {})
      .detach();
  Gate gate;  // publish has returned by then
  raw->subscribe(ticked,
                 [&] {
                   static_cast<void>(gate.pass());
                   bus.reset();
                 })
      .detach();
  CHECK(raw->publish(ticked).ok());
  gate.open();
  REQUIRE(ended.wait_for(2));
  CHECK(gossip::test::eventually([&] { return first_watch.expired() && second_watch.expired(); }));
}

/// Uses two buses while its thread ends; made before gossip's own thread_local objects, so
/// destroyed after them.
struct UsesBusesAtTheEnd {
  UsesBusesAtTheEnd() = default;
  UsesBusesAtTheEnd(const UsesBusesAtTheEnd&) = delete;
  UsesBusesAtTheEnd& operator=(const UsesBusesAtTheEnd&) = delete;
  ~UsesBusesAtTheEnd() {
    if (use) use();
  }
  std::function<void()> use;
};

TEST_CASE("EventBus: an ending thread may still publish on two buses and cancel", "[bus_core]") {
  EventBus outer{{.workers = 1}};
  EventBus inner{{.workers = 1}};
  std::atomic<int> outer_calls{0};
  std::atomic<int> inner_calls{0};
  Subscription in_outer;
  const auto in_inner = inner.subscribe(number, [&](int) { ++inner_calls; });
  auto captured = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = captured;
  std::jthread thread{[&] {
    static thread_local UsesBusesAtTheEnd at_the_end;
    at_the_end.use = [&] {
      in_outer = outer.subscribe(number, [&, captured = std::move(captured)](int value) {
        ++outer_calls;
        static_cast<void>(inner.publish_sync(number, value));
        in_outer.cancel();  // waits for nobody but others
      });
      static_cast<void>(outer.publish_sync(number, 1));
      static_cast<void>(outer.publish_sync(number, 2));
    };
    static_cast<void>(outer.publish_sync(number, 0));  // makes gossip's thread_local objects
  }};
  thread.join();
  CHECK(outer_calls == 1);
  CHECK(inner_calls == 1);
  CHECK(gossip::test::eventually([&] { return watch.expired(); }));
}

// ---- Statistics -------------------------------------------------------------------------------

void check_equation(const Statistics& s) {
  CHECK(s.published == s.handled + s.dropped_oldest + s.abandoned);
  CHECK(s.depth == 0);
  CHECK(s.in_flight == 0);
}

TEST_CASE("Statistics: add up per type and per subscription", "[bus_core]") {
  EventBus bus{{.workers = 2, .capacity = 64}};
  const auto fine = bus.subscribe(number, [](int) {}, {.name = "fine"});
  const auto odd_fails = bus.subscribe(
      number, [](int value) -> Status { return value % 2 ? Status{Errc::fatal} : Status{}; },
      {.name = "odd"});
  const auto other = bus.subscribe(other_number, [](int) {});
  constexpr std::size_t threads = 3;
  constexpr int each = 200;
  {
    std::vector<std::jthread> pool;
    for (std::size_t i = 0; i < threads; ++i) {
      pool.emplace_back([&] {
        for (int event = 0; event < each; ++event) {
          static_cast<void>(bus.publish(number, event));
          if (event % 2 == 0) static_cast<void>(bus.publish(other_number, event));
          if (event % 4 == 0) static_cast<void>(bus.publish(ticked));
        }
      });
    }
  }
  REQUIRE(bus.drain());
  const Statistics s = bus.stats();
  check_equation(s);
  CHECK(s.published == threads * (200 + 100 + 50));
  CHECK(s.unmatched == threads * 50);
  CHECK(s.delivered == threads * (200 + 100 + 100));
  CHECK(s.failed == threads * 100);
  CHECK(s.rejected + s.refused_closed + s.dropped_newest + s.dropped_oldest == 0);

  REQUIRE(s.types.size() == 3);
  std::uint64_t dispatched = 0;
  for (const auto& type : s.types) {
    dispatched += type.dispatched;
    CHECK(type.not_handled == 0);
    if (type.event_type == "test.number") CHECK(type.dispatched == threads * 200);
    if (type.event_type == "test.other_number") CHECK(type.dispatched == threads * 100);
    if (type.event_type == "test.ticked") CHECK(type.dispatched == threads * 50);
  }
  CHECK(dispatched == s.handled);

  REQUIRE(s.subscriptions.size() == 3);
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  for (const auto& subscription : s.subscriptions) {
    delivered += subscription.delivered;
    failed += subscription.failed;
    if (subscription.id == odd_fails.id()) {
      CHECK(subscription.name == "odd");
      CHECK(subscription.event_type == "test.number");
      CHECK(subscription.delivered == threads * 100);
      CHECK(subscription.failed == threads * 100);
    }
  }
  CHECK(delivered == s.delivered);
  CHECK(failed == s.failed);
}

TEST_CASE("Statistics: a subscription begins at zero, also in the place of an ended one",
          "[bus_core]") {
  EventBus bus{{.workers = 1}};
  auto first = bus.subscribe(number, [](int value) {
    if (value < 0) throw 1;
  });
  for (const int value : {1, 2, -1}) CHECK(bus.publish(number, value).ok());
  REQUIRE(bus.drain());
  const auto index = first.id().index;
  first.cancel();
  const auto second = bus.subscribe(number, [](int) {});
  REQUIRE(second.id().index == index);
  CHECK(bus.publish(number, 1).ok());
  REQUIRE(bus.drain());
  const Statistics s = bus.stats();
  REQUIRE(s.subscriptions.size() == 1);
  CHECK(s.subscriptions[0].delivered == 1);
  CHECK(s.subscriptions[0].failed == 0);
  CHECK(s.delivered == 3);  // the bus does not forget
}

TEST_CASE("Statistics: each overflow policy counts what it does, per type too", "[bus_core]") {
  const struct {
    OverflowPolicy policy;
    std::uint64_t published;
    std::uint64_t Statistics::*counter;
    std::vector<int> handled;
  } cases[] = {{OverflowPolicy::reject, 3, &Statistics::rejected, {0, 1}},
               {OverflowPolicy::drop_newest, 3, &Statistics::dropped_newest, {0, 1}},
               {OverflowPolicy::drop_oldest, 6, &Statistics::dropped_oldest, {3, 4}}};
  for (const auto& [policy, published, counter, expected] : cases) {
    INFO(to_string(policy));
    Gate gate;
    Recorder<int> handled;
    EventBus bus{{.workers = 1, .capacity = 2, .overflow = policy}};
    const auto busy = bus.subscribe(ticked, [&] { static_cast<void>(gate.pass()); });
    const auto subscription = bus.subscribe(number, [&](int value) { handled.add(value); });
    CHECK(bus.publish(ticked).ok());
    REQUIRE(gate.wait_for_arrivals());
    for (int i = 0; i < 5; ++i) {
      const bool refused = policy == OverflowPolicy::reject && i >= 2;
      CHECK(bus.publish(number, i).ok() == !refused);
    }
    CHECK(bus.stats().depth == 2);
    CHECK(bus.stats().in_flight == 1);
    gate.open();
    REQUIRE(bus.drain());
    const Statistics s = bus.stats();
    check_equation(s);
    CHECK(s.published == published);
    CHECK(s.*counter == 3);
    CHECK(handled.values() == expected);
    for (const auto& type : s.types) {
      CHECK(type.not_handled == (type.event_type == "test.number" ? 3 : 0));
    }
  }
}

// ---- Clocks -----------------------------------------------------------------------------------

TEST_CASE("EventBus: on a manual clock events carry its time", "[bus_core]") {
  const gossip::Timestamp start{std::chrono::seconds{1'000'000}};
  ManualClock clock{start};
  Recorder<gossip::Timestamp> times;
  std::optional<Event<int>> copy;
  {
    EventBus<InMemoryProvider, ManualClock> bus{{.workers = 1}, {}, clock};
    const auto subscription = bus.subscribe(number, [&](const Event<int>& event) {
      times.add(event.timestamp());
      copy.emplace(event);
    });
    CHECK(bus.publish(number, 1).ok());
    clock.advance(90s);
    REQUIRE(bus.drain());
    CHECK(bus.publish_sync(number, 2).ok());
  }
  CHECK(times.values() == std::vector<gossip::Timestamp>{start, start + 90s});
  clock.advance(1h);
  CHECK(copy->timestamp() == start + 90s);
}

TEST_CASE("EventBus: the deadline of a publish_sync is one of the bus's clock", "[bus_core]") {
  ManualClock clock;
  EventBus<InMemoryProvider, ManualClock> bus{{.workers = 1}, {}, clock};
  int calls = 0;
  const auto slow = bus.subscribe(ticked, [&] {
    ++calls;
    clock.advance(1min);
  });
  const auto late = bus.subscribe(ticked, [&] { ++calls; });
  const auto result = bus.publish_sync(ticked, {.deadline = clock.now() + 1s});
  CHECK(calls == 1);
  CHECK_FALSE(result.ok());
}

TEST_CASE("EventBus: with time stamps off every event is of the epoch", "[bus_core]") {
  Recorder<gossip::Timestamp> times;
  EventBus bus{{.workers = 1, .timestamps = gossip::Timestamps::off}};
  const auto subscription = bus.subscribe(number, [&](const Event<int>& event) {
    times.add(event.timestamp());
    const Event<int> copy{event};
    times.add(copy.timestamp());
  });
  CHECK(bus.publish(number, 1).ok());
  REQUIRE(bus.drain());
  CHECK(bus.publish_sync(number, 1).ok());
  CHECK(times.values() == std::vector<gossip::Timestamp>(4));
}

TEST_CASE("EventBus: an event that was built by hand keeps its time, whatever clock the bus has",
          "[bus_core]") {
  Recorder<gossip::Timestamp> times;
  ManualClock clock;
  EventBus<InMemoryProvider, ManualClock> bus{
      {.workers = 1, .timestamps = gossip::Timestamps::off}, {}, clock};
  const auto subscription =
      bus.subscribe(number, [&](const Event<int>& event) { times.add(event.timestamp()); });
  const Event<int> built{number, 1};
  CHECK(bus.publish(built).ok());
  REQUIRE(bus.drain());
  CHECK(bus.publish_sync(built).ok());
  CHECK(times.values() == std::vector{built.timestamp(), built.timestamp()});
  CHECK(built.timestamp() != gossip::Timestamp{});
}

TEST_CASE("EventBus: on the system clock events carry the time now", "[bus_core]") {
  Recorder<gossip::Timestamp> times;
  EventBus<InMemoryProvider, gossip::SystemClock> bus{{.workers = 1}};
  const auto subscription =
      bus.subscribe(number, [&](const Event<int>& event) { times.add(event.timestamp()); });
  const auto before = std::chrono::system_clock::now();
  CHECK(bus.publish(number, 1).ok());
  const auto after = std::chrono::system_clock::now();
  REQUIRE(bus.drain());
  CHECK(times.values().at(0) >= before);
  CHECK(times.values().at(0) <= after);
}

// ---- Providers --------------------------------------------------------------------------------

/// What a NotingProvider was asked, and what it answers.
struct Notes {
  Recorder<std::string> calls;
  Status open;
  Status subscribe;
  Status publish;
};

class NotingProvider {
 public:
  struct Options {
    Notes* notes = nullptr;
  };
  explicit NotingProvider(Options options) : notes_{options.notes} {}

  template <class Inbox>
  Status open(Inbox&) {
    if (notes_ == nullptr) return {};  // the archetype of the concept
    notes_->calls.add("open");
    return notes_->open;
  }
  template <class Inbox, gossip::Payload T>
  Status publish(Inbox& inbox, gossip::Outgoing<T>& event) {
    if (!notes_->publish.ok()) return notes_->publish;
    return inbox.accept(event);
  }
  template <class Inbox, gossip::Payload T>
  Status subscribe(Inbox&, const EventType<T>& type) {
    notes_->calls.add("subscribe " + std::string{type.name()});
    return notes_->subscribe;
  }
  template <class Inbox>
  void unsubscribe(Inbox& inbox, const gossip::EventTypeName& name) noexcept {
    notes_->calls.add("unsubscribe " + std::string{name.text()} +
                      (inbox.has_subscriptions(name) ? " still" : ""));
  }
  Status flush(gossip::SteadyTime) { return {}; }
  void close(gossip::SteadyTime) noexcept { notes_->calls.add("close"); }

 private:
  Notes* notes_;
};
static_assert(gossip::Provider<NotingProvider>);

using NotingBus = EventBus<NotingProvider>;

TEST_CASE("EventBus: tells its provider of the first and the last subscription", "[bus_core]") {
  Notes notes;
  {
    NotingBus bus{{.workers = 1}, {&notes}};
    auto a = bus.subscribe(number, [](int) {});
    auto b = bus.subscribe(number, [](int) {});
    a.cancel();
    b.cancel();
    bus.shutdown();
  }
  auto calls = notes.calls.values();
  calls.erase(std::unique(calls.begin(), calls.end()), calls.end());
  CHECK(calls == std::vector<std::string>{"open", "subscribe test.number",
                                          "unsubscribe test.number", "close"});
}

TEST_CASE("EventBus: tells its provider of the types that a pattern matches", "[bus_core]") {
  constexpr EventType<std::string> word{"test.word"};
  constexpr EventType<int> unrelated{"other.number"};
  Notes notes;
  NotingBus bus{{.workers = 1}, {&notes}};
  static_cast<void>(bus.publisher(number));
  static_cast<void>(bus.publisher(unrelated));
  CHECK(notes.calls.values() == std::vector<std::string>{"open"});
  auto first = bus.subscribe("test.*", [](const gossip::AnyEvent&) {});
  CHECK(notes.calls.values() == std::vector<std::string>{"open", "subscribe test.number"});
  CHECK(bus.publish(word, "new").ok());
  CHECK(notes.calls.values().at(2) == "subscribe test.word");  // before its first event
  auto second = bus.subscribe(word, [](const std::string&) {});
  first.cancel();
  auto calls = notes.calls.values();
  CHECK(calls.back() == "unsubscribe test.number");
  CHECK(std::count(calls.begin(), calls.end(), "unsubscribe test.word") == 0);
  second.cancel();
  calls = notes.calls.values();
  CHECK(calls.back() == "unsubscribe test.word");
  CHECK(std::count(calls.begin(), calls.end(), "subscribe other.number") == 0);
}

TEST_CASE("EventBus: a pattern whose types the provider refuses is refused, and so are new types",
          "[bus_core]") {
  constexpr EventType<std::string> word{"test.word"};
  Notes notes;
  NotingBus bus{{.workers = 1}, {&notes}};
  static_cast<void>(bus.publisher(number));
  const auto other = bus.subscribe("*.word", [](const gossip::AnyEvent&) {});
  notes.subscribe = gossip::RetryableError{"no connection"};
  CHECK_THROWS_AS((void)bus.subscribe("test.*", [](const gossip::AnyEvent&) {}),
                  gossip::RetryableError);
  CHECK(bus.stats().subscriptions.size() == 1);
  CHECK(bus.publish(word, "lost") == Errc::retryable);
  CHECK(bus.stats().types.size() == 1);  // it will be asked again
  notes.subscribe = {};
  CHECK(bus.publish(word, "heard").ok());
  REQUIRE(bus.drain());
  CHECK(bus.stats().delivered == 1);
}

TEST_CASE("EventBus: closes its provider once, however often it is shut down", "[bus_core]") {
  Notes notes;
  {
    NotingBus bus{{.workers = 1}, {&notes}};
    std::latch start{2};
    std::jthread other{[&] {
      start.arrive_and_wait();
      bus.shutdown();
    }};
    start.arrive_and_wait();
    bus.shutdown();
  }
  const auto calls = notes.calls.values();
  CHECK(std::count(calls.begin(), calls.end(), "close") == 1);
}

TEST_CASE("EventBus: what the provider refuses comes out of the constructor, subscribe, publish",
          "[bus_core]") {
  Notes notes;
  notes.open = gossip::RetryableError{"no connection"};
  CHECK_THROWS_AS((NotingBus{{.workers = 1}, {&notes}}), gossip::RetryableError);
  notes.open = {};
  NotingBus bus{{.workers = 1}, {&notes}};
  notes.subscribe = gossip::FatalError{"no such stream"};
  CHECK_THROWS_AS((void)bus.subscribe(number, [](int) {}), gossip::FatalError);
  CHECK(bus.stats().subscriptions.empty());
  notes.publish = gossip::TimeoutError{1s};
  CHECK(bus.publish(number, 1) == Errc::timeout);
  CHECK(bus.stats().published == 0);
}

TEST_CASE("EventBus: the destructor tells the provider that types are no longer wanted",
          "[bus_core]") {
  Notes notes;
  {
    NotingBus bus{{.workers = 1}, {&notes}};
    static_cast<void>(bus.subscribe(number, [](int) {}).detach());
  }
  const auto calls = notes.calls.values();
  CHECK(std::count(calls.begin(), calls.end(), "unsubscribe test.number") == 1);
}

// ---- Several buses ----------------------------------------------------------------------------

TEST_CASE("EventBus: several buses do not see each other's events", "[bus_core]") {
  constexpr std::size_t buses = 3;
  std::vector<std::atomic<int>> sums(buses);
  std::vector<std::unique_ptr<EventBus<>>> all;
  std::vector<Subscription> handles;
  for (std::size_t i = 0; i < buses; ++i) {
    all.push_back(std::make_unique<EventBus<>>(BusOptions{.workers = 1}));
    handles.push_back(all[i]->subscribe(number, [&sums, i](int value) { sums[i] += value; }));
  }
  for (std::size_t i = 0; i < buses; ++i) {
    CHECK(all[i]->publish(number, static_cast<int>(i) + 1).ok());
  }
  for (const auto& bus : all) REQUIRE(bus->drain());
  for (std::size_t i = 0; i < buses; ++i) CHECK(sums[i] == static_cast<int>(i) + 1);
}

TEST_CASE("EventBus: two buses that publish into each other's full queues go on", "[bus_core]") {
  constexpr int chain = 200;
  std::atomic<int> handled{0};
  EventBus a{{.workers = 1, .capacity = 2}};
  EventBus b{{.workers = 1, .capacity = 2}};
  const auto in_a = a.subscribe(number, [&](int left) -> Status {
    ++handled;
    return left == 0 ? Status{} : b.publish(number, left - 1);
  });
  const auto in_b = b.subscribe(number, [&](int left) -> Status {
    ++handled;
    return left == 0 ? Status{} : a.publish(number, left - 1);
  });
  {
    std::jthread into_a{[&] {
      for (int i = 0; i < 20; ++i) static_cast<void>(a.publish(number, chain));
    }};
    std::jthread into_b{[&] {
      for (int i = 0; i < 20; ++i) static_cast<void>(b.publish(number, chain));
    }};
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (handled < 40 * (chain + 1) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK(handled == 40 * (chain + 1));
  REQUIRE(a.drain_for(patience));
  REQUIRE(b.drain_for(patience));
}

TEST_CASE("EventBus: a bus may be used and ended inside a processor of another", "[bus_core]") {
  std::atomic<int> inner{0};
  EventBus outer{{.workers = 1}};
  const auto subscription = outer.subscribe(number, [&](int value) {
    EventBus bus{{.workers = 1}};
    const auto handle = bus.subscribe(number, [&](int v) { inner += v; });
    static_cast<void>(bus.publish(number, value));
    static_cast<void>(bus.publish_sync(number, value));
    static_cast<void>(bus.drain());
  });
  CHECK(outer.publish(number, 4).ok());
  REQUIRE(outer.drain());
  CHECK(inner == 8);
}

}  // namespace
