// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/testing/recording_processor.hpp>
#include <gossip/testing/test_bus.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using gossip::AnyEvent;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::testing::RecordingProcessor;
using gossip::testing::TestBus;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"recording.number"};
constexpr EventType<std::string> text{"recording.text"};
/// Asks what it was told to ask whenever it is copied, moved or destroyed.
struct Curious {
  Curious(int number_of, const std::function<void()>& question)
      : number{number_of}, ask{&question} {}
  Curious(const Curious& other) : number{other.number}, ask{other.ask} { (*ask)(); }
  Curious(Curious&& other) noexcept : number{other.number}, ask{other.ask} { (*ask)(); }
  Curious& operator=(const Curious&) = delete;
  ~Curious() { (*ask)(); }

  int number;
  const std::function<void()>* ask;
};
constexpr EventType<Curious> curious{"recording.curious"};

constexpr EventType<void> ping{"recording.ping"};

static_assert(gossip::Processor<RecordingProcessor<int>, int>);
static_assert(gossip::Processor<RecordingProcessor<void>, void>);
static_assert(gossip::AnyProcessor<RecordingProcessor<AnyEvent>>);
static_assert(!gossip::Processor<RecordingProcessor<int>, std::string>);

}  // namespace

TEST_CASE("RecordingProcessor: copies share what was recorded, in the order of the calls",
          "[testing]") {
  EventBus bus{{.workers = 1}};
  RecordingProcessor<int> seen;
  const auto subscription = bus.subscribe(number, seen);
  bus.publish(number, 1);
  bus.publish(Event{number, 2}.with_metadata("request_id", "r-2"));
  REQUIRE(seen.wait_for(2));
  CHECK(seen.count() == 2);
  CHECK(seen.data() == std::vector{1, 2});
  CHECK(seen.events()[0].type() == "recording.number");
  CHECK(seen.events()[1].metadata().contains("request_id"));
  seen.clear();
  CHECK(seen.count() == 0);
  CHECK(seen.events().empty());
}

TEST_CASE("RecordingProcessor: payloads may ask it while they are copied", "[testing]") {
  std::function<void()> ask = [] {};
  RecordingProcessor<Curious> seen;
  std::atomic<int> asked{0};
  ask = [&asked, seen] { asked += seen.count() < 3 ? 1 : 0; };
  TestBus bus;
  const auto subscription = bus.subscribe(curious, seen);
  REQUIRE(bus.publish(curious, Curious{1, ask}).ok());
  REQUIRE(bus.publish(curious, Curious{2, ask}).ok());
  bus.run_until_idle();
  REQUIRE(seen.data().size() == 2);
  CHECK(seen.data()[1].number == 2);
  seen.clear();
  CHECK(asked > 10);
  ask = [] {};
}

TEST_CASE("RecordingProcessor: what is recorded outlives the bus", "[testing]") {
  RecordingProcessor<std::string> seen;
  std::string type;
  {
    EventBus bus;
    const auto subscription = bus.subscribe(text, seen);
    bus.publish(text, "a text that is longer than what fits into the string itself");
    REQUIRE(seen.wait_for(1));
  }
  REQUIRE(seen.count() == 1);
  CHECK(seen.events()[0].data() == "a text that is longer than what fits into the string itself");
  CHECK(seen.events()[0].timestamp() > gossip::Timestamp{});
}

TEST_CASE("RecordingProcessor: waits for events of other threads, and no longer than told",
          "[testing]") {
  EventBus bus{{.workers = 4}};
  RecordingProcessor<void> seen;
  const auto subscription = bus.subscribe(ping, seen);
  CHECK(seen.wait_for(0));
  CHECK_FALSE(seen.wait_for(1, 0ns));
  CHECK_FALSE(seen.wait_for(1, 1ms));
  std::thread publisher{[&] {
    for (int i = 0; i < 1000; ++i) bus.publish(ping);
  }};
  CHECK(seen.wait_for(1000));
  publisher.join();
  CHECK(bus.drain());
  CHECK(seen.count() == 1000);
}

TEST_CASE("RecordingProcessor: waiting runs the events of the thread's TestBus", "[testing]") {
  TestBus bus;
  RecordingProcessor<int> seen;
  const auto subscription = bus.subscribe(number, seen);
  for (const int i : {1, 2, 3}) bus.publish(number, i);
  REQUIRE(seen.wait_for(2));
  CHECK(seen.data() == std::vector{1, 2});
  CHECK_FALSE(seen.wait_for(4, 1ms));
  CHECK(seen.count() == 3);
}

TEST_CASE("RecordingProcessor: of AnyEvent records what a pattern matches", "[testing]") {
  RecordingProcessor<AnyEvent> seen;
  {
    TestBus bus;
    const auto subscription = bus.subscribe("recording.*", seen);
    bus.publish(number, 1);
    bus.publish(text, "a");
    CHECK_FALSE(seen.wait_for(3, 1ms));
  }
  REQUIRE(seen.count() == 2);
  CHECK(seen.events()[0].get<int>() == 1);
  CHECK(seen.events()[1].get<std::string>() == "a");
  seen.clear();
  CHECK(seen.count() == 0);
}
