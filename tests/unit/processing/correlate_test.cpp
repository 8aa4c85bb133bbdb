// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/processing/correlate.hpp>

#include "support/fake_call.hpp"
#include "support/recorder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::correlate;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::Status;
using gossip::detail::current_cause;
using gossip::test::FakeCall;
using gossip::test::Gate;
using gossip::test::Recorder;

constexpr EventType<int> first{"story.first"};
constexpr EventType<int> second{"story.second"};
constexpr EventType<int> third{"story.third"};

std::string text_of(const gossip::EventBase& event, const char* key) {
  const auto* value = event.metadata().find(key);
  if (value == nullptr) return "nothing";
  const auto* text = value->get_if<std::string>();
  return text == nullptr ? "no text" : *text;
}

/// An event's own id, causation id and correlation id.
struct Ids {
  std::string own;
  std::string causation;
  std::string correlation;
  explicit Ids(const gossip::EventBase& event)
      : own{to_string(event.id())},
        causation{text_of(event, "causation_id")},
        correlation{text_of(event, "correlation_id")} {}
};

const gossip::EventBase& cause_now() {
  return static_cast<const gossip::detail::CausingEvent*>(current_cause)->event;
}

TEST_CASE("correlate: the cause is set while the processor runs, whatever it does", "[correlate]") {
  FakeCall call;
  Context context = call.context();
  const Event event{first, 1};
  auto returns = correlate()([&](const Event<int>& e) -> Status {
    return &cause_now() == &e ? Errc::timeout : Errc::fatal;
  });
  CHECK(is_timeout(returns(event, context)));
  CHECK(current_cause == nullptr);
  auto throws = correlate()([](int) { throw std::runtime_error{"x"}; });
  CHECK_THROWS_AS(throws(event, context), std::runtime_error);
  CHECK(current_cause == nullptr);
  bool right = false;
  auto any = correlate()([&](const AnyEvent& e) { right = cause_now().type() == e.type(); });
  CHECK(any(AnyEvent{event}, context).ok());
  CHECK(right);
}

TEST_CASE("correlate: a story of three events, asynchronously", "[correlate]") {
  EventBus bus{{.workers = 2}};
  Recorder<Ids> seen;
  const auto a = bus.subscribe(first, correlate()([&](const Event<int>& event) {
                                 seen.add(Ids{event});
                                 static_cast<void>(bus.publish(second, 2));
                               }));
  const auto b =
      bus.subscribe(second, correlate()([&](const Event<int>& event) {
                      seen.add(Ids{event});
                      static_cast<void>(bus.publish(Event{third, 3}.with_metadata("tenant", "a")));
                    }));
  const auto c = bus.subscribe(third, [&](const Event<int>& event) {
    seen.add(Ids{event});
    CHECK(event.metadata().contains("tenant"));
  });
  REQUIRE(bus.publish(first, 1).ok());
  REQUIRE(bus.drain());
  const auto ids = seen.values();
  REQUIRE(ids.size() == 3);
  CHECK(ids[0].causation == "nothing");
  CHECK(ids[0].correlation == "nothing");
  CHECK(ids[1].causation == ids[0].own);
  CHECK(ids[1].correlation == ids[0].own);
  CHECK(ids[2].causation == ids[1].own);
  CHECK(ids[2].correlation == ids[0].own);
}

TEST_CASE("correlate: a story under a name of its own, and an explicit id that wins",
          "[correlate]") {
  EventBus bus{{.workers = 1}};
  Recorder<Ids> seen;
  const auto a = bus.subscribe(
      first, correlate()([&](int) {
        static_cast<void>(bus.publish(second, 2));
        static_cast<void>(bus.publish(Event{second, 3}.with_metadata("correlation_id", "mine")));
      }));
  const auto b = bus.subscribe(second, [&](const Event<int>& event) { seen.add(Ids{event}); });
  REQUIRE(bus.publish(Event{first, 1}.with_metadata("correlation_id", "req-123")).ok());
  REQUIRE(bus.drain());
  const auto ids = seen.values();
  REQUIRE(ids.size() == 2);
  CHECK(ids[0].correlation == "req-123");
  CHECK(ids[1].correlation == "mine");
  CHECK(ids[1].causation == ids[0].causation);
}

TEST_CASE("correlate: publish_sync, a publisher and a batch carry the ids too", "[correlate]") {
  EventBus bus{{.workers = 1}};
  Recorder<Ids> seen;
  auto publisher = bus.publisher(third);
  const auto a =
      bus.subscribe(first, correlate()([&](int) {
                      CHECK(bus.publish_sync(second, 2).ok());
                      CHECK(publisher.publish(3).ok());
                      CHECK(bus.publish_batch(third, std::vector<int>{4, 5}).status.ok());
                    }));
  const auto b = bus.subscribe(second, [&](const Event<int>& event) { seen.add(Ids{event}); });
  const auto c = bus.subscribe(third, [&](const Event<int>& event) { seen.add(Ids{event}); });
  const Event event{first, 1};
  const std::string id = to_string(event.id());
  REQUIRE(bus.publish(event).ok());
  REQUIRE(bus.drain());
  const auto ids = seen.values();
  REQUIRE(ids.size() == 4);
  for (const Ids& each : ids) {
    CHECK(each.causation == id);
    CHECK(each.correlation == id);
  }
}

TEST_CASE("correlate: an event that nobody took is as it was", "[correlate]") {
  EventBus bus{{.workers = 1}};
  EventBus closed{{.workers = 1}};
  closed.shutdown();
  Event<int> kept = Event{second, 2}.with_metadata("tenant", "a");
  Event<int> bare{second, 3};
  const auto a = bus.subscribe(first, correlate()([&](int) {
                                 CHECK(closed.publish(std::move(kept)) == Errc::closed);
                                 CHECK(closed.publish(std::move(bare)) == Errc::closed);
                               }));
  REQUIRE(bus.publish(first, 1).ok());
  REQUIRE(bus.drain());
  CHECK(kept.metadata().size() == 1);
  CHECK(kept.metadata().contains("tenant"));
  CHECK(bare.metadata().empty());
}

TEST_CASE("correlate: what a worker does while it waits for space has another cause",
          "[correlate]") {
  // One worker and two slots: publishing from inside `a` runs the queued event of `b` meanwhile.
  EventBus bus{{.workers = 1, .capacity = 2}};
  Gate begin;
  Recorder<Ids> seen;
  const auto a = bus.subscribe(first, correlate()([&](int) {
                                 static_cast<void>(begin.pass());
                                 CHECK(bus.publish(third, 1).ok());
                               }));
  const auto b = bus.subscribe(second, [&](int value) { CHECK(bus.publish(third, value).ok()); });
  const auto c = bus.subscribe(third, [&](const Event<int>& event) { seen.add(Ids{event}); });
  REQUIRE(bus.publish(first, 1).ok());
  REQUIRE(begin.wait_for_arrivals());
  REQUIRE(bus.publish(second, 7).ok());
  REQUIRE(bus.publish(second, 8).ok());
  begin.open();
  REQUIRE(bus.drain());
  std::size_t caused = 0;
  for (const Ids& each : seen.values()) caused += each.causation == "nothing" ? 0 : 1;
  CHECK(seen.size() == 3);
  CHECK(caused == 1);
}

TEST_CASE("correlate: one middleware wraps processors of every kind", "[correlate]") {
  const auto middleware = correlate();
  using Wrapped = decltype(middleware([](const int&) {}));
  STATIC_REQUIRE(gossip::Middleware<decltype(middleware)>);
  STATIC_REQUIRE(gossip::Processor<Wrapped, int>);
  STATIC_REQUIRE_FALSE(gossip::Processor<Wrapped, std::string>);
}

}  // namespace
