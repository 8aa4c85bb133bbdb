// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/observe/trace.hpp>
#include <gossip/processing/correlate.hpp>

#include "support/fake_call.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::publish_traced;
using gossip::SpanStart;
using gossip::Status;
using gossip::to_traceparent;
using gossip::trace;
using gossip::trace_context_of;
using gossip::TraceContext;
using gossip::TraceScope;
using gossip::test::FakeCall;

constexpr EventType<int> first{"trip.first"};
constexpr EventType<int> second{"trip.second"};

/// A span as the log keeps it.
struct Logged {
  SpanStart::Kind kind;
  std::string event_type;
  std::string subscription;
  unsigned attempt;
  std::optional<TraceContext> parent;
  TraceContext own;
  std::string outcome = "open";
};

/// Numbers spans, and keeps what it was told.
struct Log {
  std::mutex mutex;
  std::vector<Logged> spans;
  bool traces = true;  ///< false: every context is invalid

  [[nodiscard]] Logged at(std::size_t i) {
    const std::lock_guard lock{mutex};
    return spans.at(i);
  }
};

struct LogSpan {
  Log* log;
  std::size_t index;

  [[nodiscard]] TraceContext context() const { return log->at(index).own; }
  void end(const Status& status) const {
    const std::lock_guard lock{log->mutex};
    std::string& outcome = log->spans[index].outcome;
    outcome = outcome != "open" ? "twice" : status.ok() ? "ok" : "failed";
  }
};

struct LogTracer {
  Log* log;

  [[nodiscard]] LogSpan start(const SpanStart& what) const {
    const std::lock_guard lock{log->mutex};
    const std::size_t index = log->spans.size();
    TraceContext own;
    if (log->traces) {
      if (what.parent != nullptr) own = *what.parent;
      if (what.parent == nullptr) own.trace_id[0] = static_cast<std::uint8_t>(index + 1);
      own.span_id[7] = static_cast<std::uint8_t>(index + 1);
    }
    log->spans.push_back(
        {what.kind, std::string{what.event_type}, std::string{what.subscription}, what.attempt,
         what.parent == nullptr ? std::nullopt : std::optional{*what.parent}, own});
    return {log, index};
  }
};

TraceContext given(std::uint8_t number) {
  TraceContext context;
  context.trace_id[0] = 0xee;
  context.span_id[0] = number;
  context.flags = 1;
  context.state = "v=1";
  return context;
}

TEST_CASE("trace: a span around a call, with the event's context as its parent", "[trace]") {
  Log log;
  FakeCall call;
  Context context = call.context(3);
  Event event{first, 1};
  gossip::Metadata metadata;
  set_trace_context(metadata, given(5));
  for (const auto& [key, value] : metadata) event.with_metadata(key, value);
  auto processor = trace(LogTracer{&log})([&](const Event<int>&) -> Status {
    CHECK(log.at(0).outcome == "open");
    CHECK(TraceScope::current() == log.at(0).own);
    return Errc::timeout;
  });
  CHECK(is_timeout(processor(event, context)));
  CHECK_FALSE(TraceScope::current());
  const Logged span = log.at(0);
  CHECK(span.kind == SpanStart::Kind::consumer);
  CHECK(span.event_type == "trip.first");
  CHECK(span.subscription == "fake");
  CHECK(span.attempt == 3);
  CHECK(span.parent == given(5));
  CHECK(span.outcome == "failed");
}

TEST_CASE("trace: a processor that throws, and one of any event", "[trace]") {
  Log log;
  FakeCall call;
  Context context = call.context();
  const Event event{first, 1};
  auto throws = trace(LogTracer{&log})([](int) { throw std::runtime_error{"x"}; });
  CHECK_THROWS_AS(throws(event, context), std::runtime_error);
  CHECK(log.at(0).outcome == "failed");
  CHECK_FALSE(log.at(0).parent);
  CHECK_FALSE(TraceScope::current());
  auto any = trace(LogTracer{&log})([](const AnyEvent&) {});
  CHECK(any(AnyEvent{event}, context).ok());
  CHECK(log.at(1).outcome == "ok");
  CHECK(log.at(1).event_type == "trip.first");
}

TEST_CASE("trace: events published inside are children, across workers and buses", "[trace]") {
  Log log;
  EventBus bus{{.workers = 2}};
  EventBus other{{.workers = 1}};
  const auto a = bus.subscribe(first, trace(LogTracer{&log})([&](int) {
                                 CHECK(bus.publish(second, 1).ok());
                                 CHECK(other.publish(Event{second, 2}).ok());
                               }),
                               {.name = "a"});
  const auto b = bus.subscribe(second, trace(LogTracer{&log})([](int) {}), {.name = "b"});
  const auto c = other.subscribe(second, trace(LogTracer{&log})([](int) {}), {.name = "c"});
  REQUIRE(bus.publish(first, 1).ok());
  REQUIRE(bus.drain());
  REQUIRE(other.drain());
  REQUIRE(log.spans.size() == 3);
  CHECK_FALSE(log.spans[0].parent);
  CHECK(log.spans[1].parent == log.spans[0].own);
  CHECK(log.spans[2].parent == log.spans[0].own);
  CHECK(std::all_of(log.spans.begin(), log.spans.end(),
                    [](const Logged& span) { return span.outcome == "ok"; }));
}

TEST_CASE("trace: an event's own context stays, and correlation goes with it", "[trace]") {
  Log log;
  EventBus bus{{.workers = 1}};
  const std::string own = to_traceparent(given(9));
  const auto publishes = [&](int) {
    CHECK(bus.publish(Event{second, 1}.with_metadata("traceparent", own)).ok());
    CHECK(bus.publish(second, 2).ok());
  };
  const auto a = bus.subscribe(first, (trace(LogTracer{&log}) | gossip::correlate())(publishes));
  std::vector<std::string> seen;
  std::size_t correlated = 0;
  const auto b = bus.subscribe(second, [&](const Event<int>& event) {
    seen.push_back(to_traceparent(*trace_context_of(event.metadata())));
    correlated += event.metadata().contains("causation_id") ? 1 : 0;
  });
  REQUIRE(bus.publish(first, 1).ok());
  REQUIRE(bus.drain());
  CHECK(seen == std::vector{own, to_traceparent(log.at(0).own)});
  CHECK(correlated == 2);
}

TEST_CASE("trace: where nothing is traced the parent's context is passed on", "[trace]") {
  Log log;
  log.traces = false;
  EventBus bus{{.workers = 1}};
  std::vector<std::optional<TraceContext>> seen;
  const auto a = bus.subscribe(
      first, trace(LogTracer{&log})([&](int) { CHECK(bus.publish(second, 1).ok()); }));
  const auto b = bus.subscribe(
      second, [&](const Event<int>& event) { seen.push_back(trace_context_of(event.metadata())); });
  REQUIRE(bus.publish(first, 1).ok());
  {
    const TraceScope scope{given(1)};
    REQUIRE(bus.publish(first, 2).ok());
  }
  REQUIRE(bus.drain());
  CHECK(seen == std::vector<std::optional<TraceContext>>{std::nullopt, given(1)});
}

TEST_CASE("TraceScope: the innermost counts, an invalid one does not, other threads do not",
          "[trace]") {
  CHECK_FALSE(TraceScope::current());
  const TraceScope outer{given(1)};
  {
    const TraceScope inner{given(2)};
    CHECK(TraceScope::current() == given(2));
    const TraceScope invalid{TraceContext{}};
    CHECK(TraceScope::current() == given(2));
    std::thread{[] { CHECK_FALSE(TraceScope::current()); }}.join();
  }
  CHECK(TraceScope::current() == given(1));
}

TEST_CASE("publish_traced: a producer's span, whose context the event carries", "[trace]") {
  Log log;
  EventBus bus{{.workers = 1}};
  std::vector<TraceContext> seen;
  const auto a = bus.subscribe(
      first, [&](const Event<int>& event) { seen.push_back(*trace_context_of(event.metadata())); });
  REQUIRE(publish_traced(bus, first, 1, LogTracer{&log}).ok());
  {
    const TraceScope scope{given(1)};
    REQUIRE(publish_traced(bus, first, 2, LogTracer{&log}).ok());
  }
  Event<int> carries{first, 3};
  carries.with_metadata("traceparent", to_traceparent(given(4))).with_metadata("tracestate", "v=1");
  REQUIRE(publish_traced(bus, std::move(carries), LogTracer{&log}).ok());
  REQUIRE(bus.drain());
  bus.shutdown();
  CHECK(publish_traced(bus, first, 4, LogTracer{&log}) == Errc::closed);
  REQUIRE(log.spans.size() == 4);
  CHECK(log.spans[0].kind == SpanStart::Kind::producer);
  CHECK(log.spans[0].outcome == "ok");
  CHECK_FALSE(log.spans[0].parent);
  CHECK(log.spans[1].parent == given(1));
  CHECK(log.spans[2].parent == given(4));
  CHECK(log.spans[3].outcome == "failed");
  CHECK(seen == std::vector{log.spans[0].own, log.spans[1].own, log.spans[2].own});
}

TEST_CASE("trace: one middleware wraps processors of every kind", "[trace]") {
  const auto middleware = trace(LogTracer{nullptr});
  using Wrapped = decltype(middleware([](const int&) {}));
  STATIC_REQUIRE(gossip::Middleware<decltype(middleware)>);
  STATIC_REQUIRE(gossip::Processor<Wrapped, int>);
  STATIC_REQUIRE_FALSE(gossip::Processor<Wrapped, std::string>);
}

}  // namespace
