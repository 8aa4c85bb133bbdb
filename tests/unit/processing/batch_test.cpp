// SPDX-License-Identifier: MIT
#include <gossip/processing/batch.hpp>

#include "support/batch_host.hpp"
#include "support/throwing_payload.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// The smallest types that model the concept, and one near-miss for each of its requirements.
namespace gossip::detail::batch_archetypes {
namespace {

struct Payload {};
struct OnBatch {
  void operator()(std::span<const Event<Payload>>) {}
};
struct OnContext {
  Status operator()(std::span<const Event<Payload>>, Context&) { return {}; }
};
struct WantsToChange {
  void operator()(std::span<Event<Payload>>) {}
};
struct WrongResult {
  int operator()(std::span<const Event<Payload>>) { return 0; }
};

static_assert(BatchProcessor<OnBatch, Payload> && BatchProcessor<OnContext, Payload>);
static_assert(!BatchProcessor<WantsToChange, Payload> && !BatchProcessor<WrongResult, Payload>);

}  // namespace
}  // namespace gossip::detail::batch_archetypes

using gossip::Batch;
using gossip::BatchOptions;
using gossip::BatchStatistics;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::Status;
using gossip::test::Door;
using gossip::test::let_pass;
using gossip::test::ManualBatchHost;
using gossip::test::patience;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"test.number"};
constexpr EventType<void> tick{"test.tick"};
constexpr EventType<gossip::test::ThrowingPayload> throwing{"test.throwing"};
using Numbers = std::vector<int>;

/// The batches that a processor was handed.
class Seen {
 public:
  void operator()(std::span<const Event<int>> events) {
    Numbers numbers;
    for (const Event<int>& event : events) numbers.push_back(event.data());
    const std::lock_guard lock{mutex_};
    batches_.push_back(std::move(numbers));
  }
  [[nodiscard]] std::vector<Numbers> batches() const {
    const std::lock_guard lock{mutex_};
    return batches_;
  }
  [[nodiscard]] std::size_t count() const { return batches().size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<Numbers> batches_;
};

/// Adds the numbers from `first` to `last`. @return false if one was refused
bool add(Batch<int>& batch, int first, int last) {
  bool all = true;
  for (int i = first; i <= last; ++i) all = batch.add(i).ok() && all;
  return all;
}

bool balanced(const BatchStatistics& s) {
  return s.accepted == s.processed + s.dead_lettered + s.discarded + s.dead_letter_failed +
                           s.dropped_oldest + s.pending;
}

}  // namespace

TEST_CASE("Batch: a full batch is processed by the thread that filled it", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  Batch<int> batch{host, {.size = 3}, std::ref(seen)};
  REQUIRE(add(batch, 1, 2));
  CHECK(seen.count() == 0);
  REQUIRE(add(batch, 3, 7));
  CHECK(seen.batches() == std::vector<Numbers>{{1, 2, 3}, {4, 5, 6}});
  CHECK(host.posted() == 0);
  const BatchStatistics stats = batch.stats();
  CHECK(stats.accepted == 7);
  CHECK(stats.processed == 6);
  CHECK(stats.pending == 1);
  CHECK(stats.by_size == 2);
}

TEST_CASE("Batch: a period of 0 flushes by size only", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  Batch<int> batch{host, {.size = 3}, std::ref(seen)};
  REQUIRE(add(batch, 1, 2));
  host.clock.advance(24h);
  CHECK(host.run() == 0);
  CHECK(seen.count() == 0);
}

TEST_CASE("Batch: the period counts from the first event of a batch", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  Batch<int> batch{host, {.size = 3, .period = 10s}, std::ref(seen)};
  host.clock.advance(7s);
  REQUIRE(add(batch, 1, 1));
  host.clock.advance(6s);
  REQUIRE(add(batch, 2, 2));
  host.clock.advance(3s);
  CHECK(host.run() == 0);
  host.clock.advance(1s);
  CHECK(seen.count() == 0);  // never on the timer's thread
  CHECK(host.run() == 1);
  CHECK(seen.batches() == std::vector<Numbers>{{1, 2}});
  CHECK(batch.stats().by_period == 1);
}

TEST_CASE("Batch: the period of a batch that was flushed by size does not cut the next one short",
          "[batch]") {
  ManualBatchHost host;
  Seen seen;
  Batch<int> batch{host, {.size = 2, .period = 10s}, std::ref(seen)};
  REQUIRE(add(batch, 1, 1));
  host.clock.advance(6s);
  REQUIRE(add(batch, 2, 3));
  CHECK(seen.batches() == std::vector<Numbers>{{1, 2}});
  host.clock.advance(9s);
  CHECK(host.run() == 0);
  CHECK(host.timers() == 1);
  host.clock.advance(1s);
  CHECK(host.run() == 1);
  CHECK(seen.batches() == std::vector<Numbers>{{1, 2}, {3}});
  host.clock.advance(1h);
  CHECK(host.run() == 0);
  CHECK(host.timers() == 0);
}

TEST_CASE("Batch: flush processes what is there, and nothing if there is nothing", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  Batch<int> batch{host, {.size = 3}, std::ref(seen)};
  CHECK(batch.flush());
  REQUIRE(add(batch, 1, 4));
  CHECK(batch.flush());
  CHECK(batch.flush());
  CHECK(seen.batches() == std::vector<Numbers>{{1, 2, 3}, {4}});
  CHECK(batch.stats().by_flush == 1);
}

TEST_CASE("Batch: close and the destructor process what is left; adding is refused then",
          "[batch]") {
  ManualBatchHost host;
  Seen seen;
  const Event<int> event{number, 5};
  std::function<Status(const Event<int>&)> adder;
  {
    Batch<int> batch{host, {.size = 3}, std::ref(seen)};
    adder = batch.processor();
    REQUIRE(add(batch, 1, 2));
    CHECK(batch.close());
    CHECK(seen.batches() == std::vector<Numbers>{{1, 2}});
    CHECK(batch.add(3) == Errc::closed);
    CHECK(batch.close(0ns));
    CHECK(batch.stats().by_close == 1);
    CHECK(batch.stats().refused_closed == 1);
    Batch<int> other{host, {.size = 3}, std::ref(seen)};
    REQUIRE(add(other, 3, 3));
  }
  CHECK(seen.batches() == std::vector<Numbers>{{1, 2}, {3}});
  CHECK(adder(event) == Errc::closed);
}

TEST_CASE("Batch: max_bytes closes a batch before it is exceeded", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  Batch<int> batch{host,
                   {.size = 100,
                    .max_bytes = 10,
                    .bytes_of = [](const Event<int>& e) { return std::size_t(e.data()); }},
                   std::ref(seen)};
  for (const int bytes : {4, 4, 3, 7, 1, 25, 2, 10}) REQUIRE(batch.add(bytes).ok());
  CHECK(seen.batches() == std::vector<Numbers>{{4, 4}, {3, 7}, {1}, {25}, {2}, {10}});
  CHECK(batch.stats().pending == 0);
}

TEST_CASE("Batch: what bytes_of throws is thrown by add, and nothing has happened", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  Batch<int> batch{
      host,
      {.max_bytes = 10,
       .bytes_of = [](const Event<int>&) -> std::size_t { throw std::runtime_error{"no size"}; }},
      std::ref(seen)};
  CHECK_THROWS_AS(batch.add(1), std::runtime_error);
  CHECK(batch.stats().accepted == 0);
}

TEST_CASE("Batch: events keep their type, id, time, metadata and priority", "[batch]") {
  ManualBatchHost host;
  std::vector<Event<int>> kept;
  Batch<int> batch{host, {.size = 10}, [&](std::span<const Event<int>> events) {
                     kept.assign(events.begin(), events.end());
                   }};
  const auto event =
      Event{number, 1}.with_metadata("key", "value").with_priority(gossip::Priority::high);
  REQUIRE(batch.add(event).ok());
  REQUIRE(batch.add(Event{number, 2}).ok());
  REQUIRE(batch.add(3).ok());
  REQUIRE(batch.add(number, 4).ok());
  REQUIRE(batch.flush());
  REQUIRE(kept.size() == 4);
  CHECK(kept[0].id() == event.id());
  CHECK(kept[0].timestamp() == event.timestamp());
  CHECK(kept[0].type() == "test.number");
  CHECK(kept[0].metadata() == event.metadata());
  CHECK(kept[0].priority() == gossip::Priority::high);
  CHECK(kept[2].type() == "batch.item");
  CHECK(kept[2].timestamp() == host.clock.to_time(host.clock.ticks()));
  CHECK(kept[3].type() == "test.number");
}

TEST_CASE("Batch: payloads that only move, and processors that only move", "[batch]") {
  using Pointer = std::unique_ptr<int>;
  constexpr EventType<Pointer> pointer{"test.pointer"};
  ManualBatchHost host;
  int sum = 0;
  Batch<Pointer> batch{host,
                       {.size = 2},
                       [&, guard = std::make_unique<int>(1)](std::span<const Event<Pointer>> events,
                                                             Context& context) -> Status {
                         for (const auto& event : events) sum += *event.data() * *guard;
                         CHECK(context.attempt() == 1);
                         return {};
                       }};
  REQUIRE(batch.add(std::make_unique<int>(1)).ok());
  REQUIRE(batch.add(Event{pointer, std::make_unique<int>(2)}).ok());
  CHECK(sum == 3);
}

TEST_CASE("Batch: a plain function is a processor", "[batch]") {
  static std::size_t seen = 0;
  struct Plain {
    static void count(std::span<const Event<int>> events) { seen += events.size(); }
  };
  Batch<int> batch{{.size = 2}, Plain::count};
  REQUIRE(batch.add(1).ok());
  REQUIRE(batch.add(2).ok());
  CHECK(seen == 2);
}

TEST_CASE("Batch: events without data", "[batch]") {
  ManualBatchHost host;
  std::size_t count = 0;
  Batch<void> batch{
      host, {.size = 2}, [&](std::span<const Event<void>> events) { count += events.size(); }};
  REQUIRE(batch.add(Event{tick}).ok());
  REQUIRE(batch.add(gossip::NoData{}).ok());
  CHECK(count == 2);
}

TEST_CASE("Batch: a payload that cannot be copied or moved is not added", "[batch]") {
  using gossip::test::Raised;
  using gossip::test::ThrowingPayload;
  ManualBatchHost host;
  std::size_t count = 0;
  {
    Batch<ThrowingPayload> batch{
        host, {.size = 3}, [&](std::span<const Event<ThrowingPayload>> events) {
          count += events.size();
        }};
    Event<ThrowingPayload> event{throwing, ThrowingPayload{7}};
    {
      const Raised copies{ThrowingPayload::fail_copies};
      CHECK_THROWS_AS(batch.add(event), ThrowingPayload::Failure);
    }
    {
      const Raised moves{ThrowingPayload::fail_moves};
      CHECK_THROWS_AS(batch.add(std::move(event)), ThrowingPayload::Failure);
    }
    CHECK(batch.stats().accepted == 0);
    CHECK(batch.flush());
    CHECK(event.data().value == 7);
    REQUIRE(batch.add(event).ok());
    REQUIRE(batch.flush());
    CHECK(count == 1);
  }
  CHECK(ThrowingPayload::alive == 0);
}

// ---- Failures -----------------------------------------------------------------------------------

TEST_CASE("Batch: a failed batch is tried again after a growing delay, in order", "[batch]") {
  ManualBatchHost host;
  std::vector<std::string> calls;
  Batch<int> batch{
      host,
      {.size = 2, .retry = {.max_attempts = 3, .initial_delay = 1s, .factor = 3, .jitter = 0}},
      [&](std::span<const Event<int>> events, Context& context) -> Status {
        calls.push_back(std::to_string(events[0].data()) + "/" + std::to_string(context.attempt()));
        if (events[0].data() != 1 || context.attempt() == 3) return {};
        return Errc::retryable;
      }};
  REQUIRE(add(batch, 1, 4));  // 3 and 4 must wait for 1 and 2
  CHECK(calls == std::vector<std::string>{"1/1"});
  CHECK_FALSE(batch.flush_for(0ns));
  host.clock.advance(999ms);
  CHECK(host.run() == 0);
  host.clock.advance(1ms);
  CHECK(host.run() == 1);
  CHECK(calls.back() == "1/2");
  host.clock.advance(2'999ms);
  CHECK(host.run() == 0);
  host.clock.advance(1ms);
  host.run();
  CHECK(calls == std::vector<std::string>{"1/1", "1/2", "1/3", "3/1"});
  CHECK(batch.stats().failed == 2);
  CHECK(batch.stats().retried == 2);
  CHECK(batch.stats().processed == 4);
}

TEST_CASE("Batch: with several flushes others go on while one waits for its next attempt",
          "[batch]") {
  ManualBatchHost host;
  Seen seen;
  Batch<int> batch{host,
                   {.size = 1, .max_concurrent_flushes = 2, .retry = {.initial_delay = 1s}},
                   [&](std::span<const Event<int>> events, Context& context) -> Status {
                     if (events[0].data() == 1 && context.attempt() == 1) return Errc::retryable;
                     seen(events);
                     return {};
                   }};
  REQUIRE(add(batch, 1, 3));
  CHECK(seen.batches() == std::vector<Numbers>{{2}, {3}});
  host.clock.advance(1s);
  host.run();
  CHECK(seen.batches() == std::vector<Numbers>{{2}, {3}, {1}});
}

TEST_CASE("Batch: what fails for good goes to the dead letters with the last error", "[batch]") {
  ManualBatchHost host;
  const bool fatal = GENERATE(false, true);
  Numbers dead;
  Status why;
  int calls = 0;
  Batch<int> batch{host,
                   {.size = 2,
                    .retry = {.max_attempts = 2, .initial_delay = 0ns},
                    .dead_letter =
                        [&](std::span<const Event<int>> events, const Status& status) {
                          for (const auto& event : events) dead.push_back(event.data());
                          why = status;
                        }},
                   [&](std::span<const Event<int>>) -> Status {
                     ++calls;
                     if (fatal) return Errc::fatal;
                     throw std::runtime_error{"broken"};
                   }};
  REQUIRE(add(batch, 1, 2));
  host.clock.advance(1ns);
  host.run();
  CHECK(calls == (fatal ? 1 : 2));
  CHECK(dead == Numbers{1, 2});
  CHECK(is_fatal(why) == fatal);
  CHECK(is_processing(why) != fatal);
  CHECK(batch.stats().dead_lettered == 2);
  CHECK(balanced(batch.stats()));
}

TEST_CASE("Batch: without dead letters, or if they throw, failed events are counted", "[batch]") {
  ManualBatchHost host;
  const bool throws = GENERATE(false, true);
  BatchOptions<int> options{.size = 2, .retry = {.max_attempts = 1}};
  if (throws) {
    options.dead_letter = [](std::span<const Event<int>>, const Status&) {
      throw std::runtime_error{"no"};
    };
  }
  Batch<int> batch{host, options, [](std::span<const Event<int>>) { throw 1; }};
  REQUIRE(add(batch, 1, 2));
  CHECK(batch.stats().discarded == (throws ? 0U : 2U));
  CHECK(batch.stats().dead_letter_failed == (throws ? 2U : 0U));
  CHECK(batch.stats().pending == 0);
}

TEST_CASE("Batch: close does not wait for retry delays", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  int calls = 0;
  Batch<int> batch{host,
                   {.size = 2, .retry = {.max_attempts = 3, .initial_delay = 1h, .max_delay = 1h}},
                   [&](std::span<const Event<int>> events) -> Status {
                     if (++calls < 3) return Errc::retryable;
                     seen(events);
                     return {};
                   }};
  REQUIRE(add(batch, 1, 3));
  CHECK(calls == 1);
  CHECK(batch.close());
  CHECK(seen.batches() == std::vector<Numbers>{{1, 2}, {3}});
  host.clock.advance(2h);  // the timer of the retry finds nothing to do
  CHECK(host.run() == 0);
}

TEST_CASE("Batch: when close runs out of time, the rest is dead-lettered and a stop requested",
          "[batch]") {
  ManualBatchHost host;
  Door inside;
  Numbers dead;
  std::vector<Status> reasons;
  bool stopped = false;
  Batch<int>* self = nullptr;
  Batch<int> batch{host,
                   {.size = 2,
                    .dead_letter =
                        [&](std::span<const Event<int>> events, const Status& status) {
                          for (const auto& event : events) dead.push_back(event.data());
                          reasons.push_back(status);
                        }},
                   [&](std::span<const Event<int>> events, Context& context) -> Status {
                     // What their buffers are told must not be told of later batches.
                     if (events[0].data() == 100) add(*self, 102, 103);
                     if (events[0].data() >= 100) return Errc::fatal;
                     inside.open();
                     stopped = gossip::test::eventually([&] { return context.stop_requested(); });
                     return Errc::cancelled;
                   }};
  self = &batch;
  add(batch, 100, 101);
  host.run();
  REQUIRE(reasons.size() == 2);
  dead.clear();
  reasons.clear();
  std::thread adder{[&] { add(batch, 1, 2); }};
  const bool began = inside.wait();
  const bool accepted = add(batch, 3, 5);
  const bool complete = batch.close(1ms);
  adder.join();
  REQUIRE(began);
  REQUIRE(accepted);
  CHECK_FALSE(complete);
  CHECK(stopped);
  CHECK(dead == Numbers{1, 2, 3, 4, 5});
  REQUIRE(reasons.size() == 3);
  CHECK(reasons[0] == Errc::cancelled);
  CHECK(reasons[1] == Errc::timeout);
  CHECK(batch.stats().dead_lettered == 9);
}

// ---- Overflow -----------------------------------------------------------------------------------

namespace {

/// A batch whose only flush is in use, so that what is added waits.
struct Stuck {
  explicit Stuck(OverflowPolicy policy)
      : batch{host,
              {.size = 2, .max_pending = 4, .overflow = policy},
              [this](std::span<const Event<int>> events) {
                seen(events);
                if (events[0].data() == 1) {
                  inside.open();
                  leave.wait();
                }
              }},
        first{[this] { add(batch, 1, 2); }} {
    ready = inside.wait();
  }
  Stuck(const Stuck&) = delete;
  Stuck& operator=(const Stuck&) = delete;
  ~Stuck() { release(); }

  void release() {
    leave.open();
    if (first.joinable()) first.join();
  }

  ManualBatchHost host;
  Seen seen;
  Door inside;
  Door leave;
  Batch<int> batch;
  bool ready = false;
  std::thread first;
};

}  // namespace

TEST_CASE("Batch: reject refuses, and leaves the event as it was", "[batch]") {
  Stuck stuck{OverflowPolicy::reject};
  REQUIRE(stuck.ready);
  REQUIRE(add(stuck.batch, 3, 6));
  Event<int> event{number, 7};
  CHECK(stuck.batch.add(std::move(event)) == Errc::queue_full);
  CHECK(event.data() == 7);
  CHECK(stuck.batch.stats().rejected == 1);
  CHECK(stuck.batch.stats().pending == 6);
  stuck.release();
  stuck.host.run();
  CHECK(stuck.seen.batches() == std::vector<Numbers>{{1, 2}, {3, 4}, {5, 6}});
}

TEST_CASE("Batch: drop_newest answers success and drops", "[batch]") {
  Stuck stuck{OverflowPolicy::drop_newest};
  REQUIRE(stuck.ready);
  REQUIRE(add(stuck.batch, 3, 9));
  CHECK(stuck.batch.stats().dropped_newest == 3);
  stuck.release();
  stuck.host.run();
  CHECK(stuck.seen.batches() == std::vector<Numbers>{{1, 2}, {3, 4}, {5, 6}});
  CHECK(balanced(stuck.batch.stats()));
}

TEST_CASE("Batch: drop_oldest drops what waits longest", "[batch]") {
  Stuck stuck{OverflowPolicy::drop_oldest};
  REQUIRE(stuck.ready);
  REQUIRE(add(stuck.batch, 3, 9));
  CHECK(stuck.batch.stats().dropped_oldest == 3);
  CHECK(stuck.batch.stats().pending == 6);
  stuck.release();
  stuck.host.run();
  CHECK(stuck.batch.flush());
  CHECK(stuck.seen.batches() == std::vector<Numbers>{{1, 2}, {6}, {7, 8}, {9}});
  CHECK(balanced(stuck.batch.stats()));
}

TEST_CASE("Batch: block waits for space", "[batch]") {
  Stuck stuck{OverflowPolicy::block};
  REQUIRE(stuck.ready);
  REQUIRE(add(stuck.batch, 3, 6));
  std::atomic<bool> added{false};
  std::thread adder{[&] { added = add(stuck.batch, 7, 7); }};
  let_pass(20ms);  // in which it would go on if it did not wait
  const bool waited = !added;
  stuck.release();
  adder.join();  // it processes a batch itself, or the first thread does
  stuck.host.run();
  CHECK(waited);
  CHECK(added);
  CHECK(stuck.batch.flush());
  CHECK(stuck.seen.batches() == std::vector<Numbers>{{1, 2}, {3, 4}, {5, 6}, {7}});
}

TEST_CASE("Batch: whoever waits for space is refused when the batch is closed", "[batch]") {
  std::optional<Stuck> stuck{std::in_place, OverflowPolicy::block};
  REQUIRE(stuck->ready);
  REQUIRE(add(stuck->batch, 3, 6));
  Status answer;
  std::thread adder{[&] { answer = stuck->batch.add(7); }};
  let_pass(20ms);  // in which it begins to wait, so that it has to be told
  std::thread closer{[&] { stuck->batch.close(); }};
  adder.join();
  stuck->release();
  closer.join();
  CHECK(answer == Errc::closed);
  CHECK(stuck->batch.stats().processed == 6);
}

// ---- Re-entrancy --------------------------------------------------------------------------------

TEST_CASE("Batch: a processor adds to its own full batch without waiting for itself", "[batch]") {
  ManualBatchHost host;
  Batch<int>* self = nullptr;
  std::vector<Status> answers;
  Batch<int> batch{host, {.size = 1, .max_pending = 1}, [&](std::span<const Event<int>> events) {
                     if (events[0].data() != 1) return;
                     answers.push_back(self->add(2));
                     answers.push_back(self->add(3));
                   }};
  self = &batch;
  REQUIRE(batch.add(1).ok());
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].ok());
  CHECK(answers[1] == Errc::queue_full);
  CHECK(host.run() == 1);
  CHECK(batch.stats().processed == 2);
  CHECK(batch.stats().rejected == 1);
}

TEST_CASE("Batch: a processor cannot wait for its own batch", "[batch]") {
  ManualBatchHost host;
  Batch<int>* self = nullptr;
  int flushed = -1;
  int closed = -1;
  Batch<int> batch{host, {.size = 2}, [&](std::span<const Event<int>> events) {
                     if (events[0].data() != 1) return;
                     add(*self, 3, 3);
                     flushed = self->flush() ? 1 : 0;
                     closed = self->close() ? 1 : 0;
                   }};
  self = &batch;
  REQUIRE(add(batch, 1, 2));
  CHECK(flushed == 0);
  CHECK(closed == 0);
  host.run();
  CHECK(batch.stats().processed == 3);
  CHECK(batch.close());
}

TEST_CASE("Batch: a processor destroys its own batch", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  std::optional<Batch<int>> batch;
  batch.emplace(host, BatchOptions<int>{.size = 2}, [&](std::span<const Event<int>> events) {
    seen(events);
    if (events[0].data() != 1) return;
    add(*batch, 3, 5);
    batch.reset();
  });
  Batch<int>& alive = *batch;
  REQUIRE(alive.add(1).ok());
  REQUIRE(alive.add(2).ok());
  host.run();
  CHECK(seen.batches() == std::vector<Numbers>{{1, 2}, {3, 4}, {5}});
}

// ---- Receipts -----------------------------------------------------------------------------------

namespace {

/// What whoever delivered an event has learned about it.
struct Told {
  bool settled = false;
  bool failed = false;
};

struct State : gossip::ReceiptState {
  explicit State(Told& who) : told{&who} {
    settle = [](gossip::ReceiptState* self) noexcept {
      auto* state = static_cast<State*>(self);
      *state->told = {true, state->failed.load()};
      delete state;
    };
  }
  Told* told;
};

/// Gives the batch an event as a provider delivers it.
Status deliver(Batch<int>& batch, int value, Told& told) {
  Event<int> event{number, value};
  gossip::detail::EventAccess::header(event).receipt = gossip::Receipt{new State{told}};
  return batch.processor()(event);
}

}  // namespace

TEST_CASE("Batch: an event's receipt is held until its batch is done, and told how", "[batch]") {
  ManualBatchHost host;
  const bool fails = GENERATE(false, true);
  std::vector<Event<int>> kept;  // copies that a processor keeps delay nothing
  Batch<int> batch{host, {.size = 2}, [&](std::span<const Event<int>> events) -> Status {
                     kept.assign(events.begin(), events.end());
                     return fails ? Status{Errc::fatal} : Status{};
                   }};
  Told told[2];
  REQUIRE(deliver(batch, 1, told[0]).ok());
  CHECK_FALSE(told[0].settled);
  REQUIRE(deliver(batch, 2, told[1]).ok());
  for (const Told& one : told) {
    CHECK(one.settled);
    CHECK(one.failed == fails);
  }
  CHECK(kept.size() == 2);
}

TEST_CASE("Batch: the receipt of a dropped event is told so", "[batch]") {
  const auto policy = GENERATE(OverflowPolicy::drop_oldest, OverflowPolicy::drop_newest);
  Stuck stuck{policy};
  REQUIRE(stuck.ready);
  Told told[6];
  for (int i = 0; i < 6; ++i) REQUIRE(deliver(stuck.batch, 3 + i, told[i]).ok());
  stuck.release();
  stuck.host.run();
  REQUIRE(stuck.batch.flush());
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(told[i].settled);
    CHECK(told[i].failed == (policy == OverflowPolicy::drop_oldest ? i < 2 : i >= 4));
  }
}

// ---- Without a bus ------------------------------------------------------------------------------

TEST_CASE("Batch: alone, its period is watched by shared threads", "[batch]") {
  Door done;
  Batch<int> batch{{.size = 10, .period = 1ms}, [&](std::span<const Event<int>> events) {
                     if (events[0].data() == 2) done.open();
                   }};
  REQUIRE(add(batch, 1, 1));
  REQUIRE(gossip::test::eventually([&] { return batch.stats().by_period == 1; }));
  REQUIRE(add(batch, 2, 2));
  CHECK(done.wait());
}

TEST_CASE("Batch: when its host has ended, nothing waits for ever", "[batch]") {
  ManualBatchHost host;
  Seen seen;
  int failures = 0;
  Batch<int> batch{
      host, {.size = 3, .period = 10s}, [&](std::span<const Event<int>> events) -> Status {
        if (events[0].data() == 2 && ++failures < 3) return Errc::retryable;
        seen(events);
        return {};
      }};
  host.end();
  REQUIRE(add(batch, 1, 2));
  CHECK(seen.batches() == std::vector<Numbers>{{1}, {2}});
  CHECK(failures == 3);
}

TEST_CASE("Batch: options that are wrong are refused", "[batch]") {
  const auto make = [](BatchOptions<int> options) {
    Batch<int>{std::move(options), [](std::span<const Event<int>>) {}};
  };
  CHECK_THROWS_AS(make({.size = 0}), std::invalid_argument);
  CHECK_THROWS_AS(make({.max_bytes = 1}), std::invalid_argument);
  CHECK_NOTHROW(make({}));
}
