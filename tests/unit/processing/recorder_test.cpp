// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/processing/recorder.hpp>

#include "support/recorder.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::ManualClock;
using gossip::Recorder;
using gossip::RecorderAdder;
using gossip::RecorderOptions;
using gossip::ReplayResult;
using gossip::Status;
using gossip::test::patience;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"test.number"};
constexpr EventType<std::string> text{"test.text"};
constexpr EventType<void> tick{"test.tick"};
using Pointer = std::unique_ptr<int>;

static_assert(gossip::Processor<RecorderAdder, int>);
static_assert(gossip::Processor<RecorderAdder, void>);
static_assert(!gossip::Processor<RecorderAdder, Pointer>);  // cannot be copied
static_assert(gossip::AnyProcessor<RecorderAdder>);

/// The payloads that a processor is handed, as text.
struct Seen {
  void operator()(const AnyEvent& event) {
    if (const int* i = event.get_if<int>()) texts.push_back(std::to_string(*i));
    if (const std::string* s = event.get_if<std::string>()) texts.push_back(*s);
    if (event.get_if<void>() != nullptr) texts.push_back("tick");
  }
  std::vector<std::string> texts;
};

std::vector<std::string> kept(const Recorder& recorder) {
  Seen seen;
  CHECK(recorder.replay(seen).ok());
  return seen.texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("Recorder: keeps the last events of any types, in order", "[recorder]") {
  Recorder recorder{{.capacity = 3}};
  CHECK(recorder.empty());
  recorder.record(Event{number, 1});
  recorder.record(Event{text, "a"});
  CHECK(kept(recorder) == Texts{"1", "a"});
  recorder.record(Event{tick});
  recorder.record(AnyEvent{Event{number, 2}});
  CHECK(recorder.size() == 3);
  CHECK(kept(recorder) == Texts{"a", "tick", "2"});
  for (int i = 3; i < 10; ++i) recorder.record(Event{number, int{i}});
  CHECK(kept(recorder) == Texts{"7", "8", "9"});
  recorder.clear();
  CHECK(recorder.empty());
  recorder.record(Event{number, 1});
  CHECK(kept(recorder) == Texts{"1"});
}

TEST_CASE("Recorder: events that are too old are forgotten", "[recorder]") {
  ManualClock clock;
  Recorder recorder{{.capacity = 3, .max_age = 10s}, clock};
  recorder.record(Event{number, 1});
  clock.advance(6s);
  recorder.record(Event{number, 2});
  clock.advance(4s);
  CHECK(kept(recorder) == Texts{"2"});
  clock.advance(5s);
  recorder.record(Event{number, 3});
  CHECK(recorder.size() == 2);
  clock.advance(1s);
  CHECK(recorder.size() == 1);
  CHECK(kept(recorder) == Texts{"3"});
}

TEST_CASE("Recorder: destroys what it forgets at once, and shares what it hands out",
          "[recorder]") {
  const EventType<std::shared_ptr<int>> shared{"test.shared"};
  const auto owner = std::make_shared<int>(1);
  Recorder recorder{{.capacity = 1}};
  recorder.record(Event{shared, owner});
  CHECK(owner.use_count() == 2);
  {
    const std::vector<AnyEvent> events = recorder.events();
    CHECK(owner.use_count() == 2);
    recorder.record(Event{number, 1});
    CHECK(owner.use_count() == 2);
  }
  CHECK(owner.use_count() == 1);
  recorder.record(Event{shared, owner});
  recorder.clear();
  CHECK(owner.use_count() == 1);
}

TEST_CASE("Recorder: an rvalue is recorded without a copy, even if there could be none",
          "[recorder]") {
  Recorder recorder;
  recorder.record(Event{EventType<Pointer>{"test.pointer"}, std::make_unique<int>(7)});
  int value = 0;
  CHECK(recorder.replay([&](const AnyEvent& event) { value = *event.get<Pointer>(); }).ok());
  CHECK(value == 7);
}

TEST_CASE("Recorder: a replay ends at the first failure", "[recorder]") {
  Recorder recorder;
  for (int i = 1; i < 6; ++i) recorder.record(Event{number, int{i}});
  ReplayResult result = recorder.replay([](const AnyEvent& event, Context& context) -> Status {
    CHECK(context.attempt() == 1);
    if (event.get<int>() == 3) return Errc::fatal;
    return {};
  });
  CHECK(result.replayed == 2);
  CHECK(is_fatal(result.status));
  result = recorder.replay(number, [](const int& i) {
    if (i == 5) throw std::runtime_error{"five"};
  });
  CHECK(result.replayed == 4);
  CHECK(is_processing(result.status));
  CHECK_FALSE(result.ok());
}

TEST_CASE("Recorder: a typed replay skips other types", "[recorder]") {
  Recorder recorder;
  recorder.record(Event{number, 1});
  recorder.record(Event{EventType<int>{"test.other"}, 2});
  recorder.record(Event{text, "a"});
  recorder.record(Event{number, 3});
  std::vector<int> seen;
  const ReplayResult result = recorder.replay(number, [&](const int& i) { seen.push_back(i); });
  CHECK(seen == std::vector<int>{1, 3});
  CHECK(result.replayed == 2);
  CHECK(result.skipped == 2);
}

TEST_CASE("Recorder: what is recorded during a replay is not part of it", "[recorder]") {
  Recorder recorder;
  recorder.record(Event{number, 1});
  recorder.record(Event{number, 2});
  const ReplayResult result = recorder.replay(recorder.processor());
  CHECK(result.replayed == 2);
  CHECK(kept(recorder) == Texts{"1", "2", "1", "2"});
}

TEST_CASE("Recorder: records from one bus and replays to another", "[recorder]") {
  Recorder recorder;
  std::vector<gossip::EventId> ids;
  std::vector<gossip::Timestamp> times;
  {
    EventBus bus{{.workers = 1}};
    auto numbers = bus.subscribe(number, recorder.processor());
    auto texts = bus.subscribe(text, recorder.processor());
    auto ticks = bus.subscribe(tick, recorder.processor());
    REQUIRE(bus.publish(number, 1).ok());
    REQUIRE(bus.publish(Event{text, "a"}.with_metadata("key", "value")).ok());
    REQUIRE(bus.publish(tick).ok());
    REQUIRE(bus.publish(number, 2).ok());
    REQUIRE(bus.drain_for(patience));
  }
  for (const AnyEvent& event : recorder.events()) {
    ids.push_back(event.id());
    times.push_back(event.timestamp());
  }
  REQUIRE(ids.size() == 4);

  EventBus other{{.workers = 1}};
  Recorder again;
  auto numbers = other.subscribe(number, again.processor());
  auto texts = other.subscribe(text, again.processor());
  auto ticks = other.subscribe(tick, again.processor());
  ReplayResult result = recorder.replay(other, number, text);
  CHECK(result.ok());
  CHECK(result.replayed == 3);
  CHECK(result.skipped == 1);
  REQUIRE(other.drain_for(patience));
  CHECK(kept(again) == Texts{"1", "a", "2"});
  const std::vector<AnyEvent> events = again.events();
  REQUIRE(events.size() == 3);
  CHECK(events[0].id() == ids[0]);
  CHECK(events[0].timestamp() == times[0]);
  CHECK(events[1].metadata().contains("key"));
  CHECK(events[2].id() == ids[3]);

  other.shutdown();
  result = recorder.replay(other, tick, number);
  CHECK(result.status == Errc::closed);
  CHECK(result.replayed == 0);
}

TEST_CASE("Recorder: options that are wrong are refused", "[recorder]") {
  CHECK(validate(RecorderOptions{}).ok());
  CHECK(validate(RecorderOptions{.capacity = 1'000'000}).ok());
  CHECK(is_validation(validate(RecorderOptions{.capacity = 0})));
  CHECK(is_validation(validate(RecorderOptions{.capacity = 1'000'001})));
  CHECK(is_validation(validate(RecorderOptions{.max_age = -1ns})));
  CHECK_THROWS_AS(Recorder{RecorderOptions{.capacity = 0}}, std::invalid_argument);
}

TEST_CASE("Recorder: its processor may outlive it", "[recorder]") {
  std::optional<Recorder> recorder{std::in_place};
  const RecorderAdder processor = recorder->processor();
  recorder.reset();
  processor(Event{number, 1});
}
