// SPDX-License-Identifier: MIT
#include <gossip/processing/metrics.hpp>

#include "support/fake_call.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <stdexcept>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::CallMetrics;
using gossip::CallOutcome;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::metrics;
using gossip::Status;
using gossip::test::FakeCall;
using std::chrono::microseconds;

constexpr EventType<int> counted{"thing.counted"};

auto keep(std::vector<CallMetrics>& list) {
  return [&list](const CallMetrics& call) { list.push_back(call); };
}

static_assert(gossip::Middleware<decltype(metrics([](const CallMetrics&) {}))>);
static_assert(!gossip::MetricsHook<decltype([](int) {})>);

TEST_CASE("metrics: hands over the figures of each call", "[metrics]") {
  FakeCall call;
  Context context = call.context(2);
  std::vector<CallMetrics> seen;
  auto processor = metrics(keep(seen))([&](int) { call.time.advance(microseconds{40}); });
  CHECK(processor(Event{counted, 1}, context).ok());
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].event_type == "thing.counted");
  CHECK(seen[0].subscription == call.subscription);
  CHECK(seen[0].attempt == 2);
  CHECK(seen[0].outcome == CallOutcome::ok);
  CHECK(seen[0].duration == microseconds{40});
}

TEST_CASE("metrics: tells success, failure, exception and deferral apart", "[metrics]") {
  FakeCall call;
  Context context = call.context();
  std::vector<CallMetrics> seen;
  auto processor = metrics(keep(seen))([](const Event<int>& event, Context& c) -> Status {
    if (event.data() == 1) throw std::out_of_range{"x"};
    if (event.data() == 2) CHECK(c.defer(microseconds{1}));
    return event.data() == 0 ? Status{} : Errc::retryable;
  });
  CHECK(processor(Event{counted, 0}, context).ok());
  CHECK_THROWS_AS(processor(Event{counted, 1}, context), std::out_of_range);
  CHECK_FALSE(processor(Event{counted, 3}, context).ok());
  CHECK_FALSE(processor(Event{counted, 2}, context).ok());
  REQUIRE(seen.size() == 4);
  CHECK(seen[0].outcome == CallOutcome::ok);
  CHECK(seen[1].outcome == CallOutcome::failed);
  CHECK(seen[2].outcome == CallOutcome::failed);
  CHECK(seen[3].outcome == CallOutcome::deferred);
}

TEST_CASE("metrics: any event", "[metrics]") {
  FakeCall call;
  Context context = call.context();
  std::vector<CallMetrics> seen;
  auto processor = metrics(keep(seen))([](const AnyEvent&) {});
  CHECK(processor(AnyEvent{Event{counted, 1}}, context).ok());
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].event_type == "thing.counted");
}

}  // namespace
