// SPDX-License-Identifier: MIT
#include <gossip/processing/timeout.hpp>

#include "support/fake_call.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::find_error;
using gossip::StalledCall;
using gossip::Status;
using gossip::timeout;
using gossip::TimeoutError;
using gossip::TimeoutOptions;
using gossip::test::FakeCall;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr EventType<int> number{"timeout.number"};
const Event event{number, 7};
constexpr TimeoutOptions ten{.limit = seconds{10}};

TEST_CASE("TimeoutOptions: a limit is positive and not for ever", "[timeout]") {
  CHECK(validate(TimeoutOptions{}).ok());
  for (const nanoseconds limit : {nanoseconds{0}, nanoseconds{-1}, nanoseconds::max()}) {
    const Status status = validate(TimeoutOptions{.limit = limit});
    REQUIRE(is_validation(status));
    CHECK(find_error<gossip::ValidationError>(status)->field() == "limit");
  }
  CHECK_THROWS_AS(timeout({.limit = seconds{0}}), std::invalid_argument);
}

TEST_CASE("timeout: what returns in time is handed on", "[timeout]") {
  FakeCall call;
  Context context = call.context(4);
  const auto limit = timeout(ten);
  auto processor = limit([&](const Event<int>& e, Context& inner) -> Status {
    CHECK(e.data() == 7);
    CHECK(inner.deadline() == context.now() + seconds{10});
    CHECK(inner.attempt() == 4);
    CHECK(inner.subscription() == call.subscription);
    call.time.advance(seconds{9});
    CHECK_FALSE(inner.stop_requested());
    return Errc::fatal;
  });
  const Status status = processor(event, context);
  CHECK(status.error()->code() == Errc::fatal);
  CHECK(status.error()->cause() == nullptr);
  CHECK(limit.timed_out() == 0);
  CHECK(call.time.timer.pending() == 0);
}

TEST_CASE("timeout: the token is tripped at the deadline, and a late success is a failure",
          "[timeout]") {
  FakeCall call;
  Context context = call.context();
  const auto limit = timeout(ten);
  auto processor = limit([&](const Event<int>&, Context& inner) {
    call.time.advance(seconds{10});
    CHECK(inner.stop_requested());
    CHECK_FALSE(context.stop_requested());
    call.time.advance(seconds{2});
  });
  const Status status = processor(event, context);
  REQUIRE(is_timeout(status));
  REQUIRE(find_error<TimeoutError>(status) != nullptr);
  CHECK(find_error<TimeoutError>(status)->limit() == seconds{10});
  CHECK(status.error()->message() == "returned after 12000000000 ns");
  CHECK(limit.timed_out() == 1);
  CHECK(limit.stalled() == 0);
}

TEST_CASE("timeout: what a late processor reported or threw is the cause", "[timeout]") {
  FakeCall call;
  Context context = call.context();
  auto processor = timeout(ten)([&](int) {
    call.time.advance(seconds{11});
    throw gossip::RetryableError{"gave up"};
  });
  const Status status = processor(event, context);
  CHECK(status.error()->code() == Errc::timeout);
  CHECK(is_retryable(status));
}

TEST_CASE("timeout: the earlier deadline holds, and the own limit alone is a failure",
          "[timeout]") {
  FakeCall call;
  call.deadline = call.time.read() + seconds{3};
  Context context = call.context();
  auto processor = timeout(ten)([&](const Event<int>&, Context& inner) -> Status {
    CHECK(inner.deadline() == call.deadline);
    call.time.advance(seconds{3});
    CHECK(inner.stop_requested());
    return Errc::cancelled;
  });
  const Status status = processor(event, context);
  CHECK(status.error()->code() == Errc::cancelled);
}

TEST_CASE("timeout: one inside another", "[timeout]") {
  FakeCall call;
  Context context = call.context();
  auto outer = timeout({.limit = seconds{5}});
  auto inner = timeout({.limit = seconds{60}});
  auto processor = outer(inner([&](const Event<int>&, Context& innermost) {
    CHECK(innermost.deadline() == call.time.read() + seconds{5});
    call.time.advance(seconds{5});
    CHECK(innermost.stop_requested());
  }));
  CHECK(is_timeout(processor(event, context)));
  CHECK(outer.timed_out() == 1);
  CHECK(inner.timed_out() == 0);
  CHECK(call.time.timer.pending() == 0);
}

TEST_CASE("timeout: a stop around the call reaches the processor", "[timeout]") {
  FakeCall call;
  Context context = call.context();
  auto processor = timeout(ten)([&](const Event<int>&, Context& inner) -> Status {
    call.stop.request_stop();
    return inner.stop_requested() ? Errc::cancelled : Errc::fatal;
  });
  CHECK(processor(event, context) == Errc::cancelled);
}

TEST_CASE("timeout: without a timer a late return is noticed", "[timeout]") {
  const std::stop_token none;
  Context context{none};
  auto processor = timeout({.limit = milliseconds{2}})([](const Event<int>&, Context& inner) {
    CHECK(inner.deadline() <= inner.now() + milliseconds{2});
    const auto end = inner.deadline() + milliseconds{1};
    while (inner.now() < end) std::this_thread::yield();
    CHECK_FALSE(inner.stop_requested());
  });
  CHECK(is_timeout(processor(event, context)));
  auto quick = timeout()([](int) {});
  CHECK(quick(event, context).ok());
}

TEST_CASE("timeout: a call that runs twice its limit is reported while it runs", "[timeout]") {
  FakeCall call;
  Context context = call.context(2);
  std::vector<StalledCall> reports;
  const auto limit = timeout(ten, [&](const StalledCall& stalled) { reports.push_back(stalled); });
  auto processor = limit([&](int) {
    call.time.advance(seconds{19});
    CHECK(reports.empty());
    call.time.advance(seconds{1});
    REQUIRE(reports.size() == 1);
    CHECK(limit.stalled() == 1);
    call.time.advance(seconds{1000});
  });
  CHECK(is_timeout(processor(event, context)));
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].event_type == "timeout.number");
  CHECK(reports[0].event_id == event.id());
  CHECK(reports[0].subscription == call.subscription);
  CHECK(reports[0].subscription_name == "fake");
  CHECK(reports[0].attempt == 2);
  CHECK(reports[0].limit == seconds{10});
  CHECK(limit.stalled() == 1);
  CHECK(limit.timed_out() == 1);
}

TEST_CASE("timeout: what the report throws is counted", "[timeout]") {
  FakeCall call;
  Context context = call.context();
  const auto limit = timeout(ten, [](const StalledCall&) { throw std::runtime_error{"no disk"}; });
  auto processor = limit([&](int) { call.time.advance(seconds{20}); });
  CHECK(is_timeout(processor(event, context)));
  CHECK(limit.failed_reports() == 1);
}

TEST_CASE("timeout: an event that was put off stays put off", "[timeout]") {
  FakeCall call;
  Context context = call.context();
  auto processor = timeout(ten)([](const Event<int>&, Context& inner) -> Status {
    return inner.defer(seconds{1}) ? Errc::retryable : Errc::fatal;
  });
  CHECK(is_retryable(processor(event, context)));
  CHECK(context.deferred());
}

TEST_CASE("timeout: one middleware wraps processors of every kind", "[timeout]") {
  const auto limit = timeout(ten);
  using OnData = decltype([](const int&) {});
  using OnAny = decltype([](const AnyEvent&) {});
  using Wrapped = decltype(limit(OnData{}));
  STATIC_REQUIRE(gossip::Middleware<decltype(limit)>);
  STATIC_REQUIRE(gossip::Processor<Wrapped, int>);
  STATIC_REQUIRE_FALSE(gossip::Processor<Wrapped, std::string>);
  STATIC_REQUIRE(gossip::detail::Handler<decltype(limit(OnAny{})), AnyEvent>);
  FakeCall call;
  Context context = call.context();
  int stalled = 0;
  auto any = timeout(ten, [&](const StalledCall& report) {
    stalled += report.event_type == "timeout.number" && report.event_id == event.id() ? 1 : 100;
  })([&](const AnyEvent&) { call.time.advance(seconds{20}); });
  CHECK(is_timeout(any(AnyEvent{event}, context)));
  CHECK(stalled == 1);
}

TEST_CASE("timeout: calls, deadlines and stalls race", "[timeout]") {
  // Real time: the timer's thread trips tokens while calls of two threads come and go.
  struct Real : gossip::detail::ContextSupport {
    gossip::SystemClock clock;
    gossip::detail::Timer timer{gossip::detail::ClockView::of(clock)};
    static gossip::detail::Timer* find(const gossip::detail::ContextSupport& call) noexcept {
      return const_cast<gossip::detail::Timer*>(&static_cast<const Real&>(call).timer);
    }
  };
  static constexpr gossip::detail::ContextOperations operations{.timer = &Real::find};
  Real real;
  real.operations = &operations;
  const std::stop_token none;
  std::atomic<std::uint64_t> reported{0};
  const auto limit = timeout({.limit = nanoseconds{20'000}}, [&](const StalledCall& call) {
    reported += call.event_type == "timeout.number" ? 1 : 1'000'000;
  });
  {
    auto processor = limit([](int turn) {
      const auto end = std::chrono::steady_clock::now() + nanoseconds{turn * 1'000};
      while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
    });
    const auto work = [&] {
      for (int i = 0; i < 500; ++i) {
        Context context{none, gossip::SteadyTime::max(), 1, {}, &real};
        static_cast<void>(processor(Event{number, i % 60}, context));
      }
    };
    std::thread first{work};
    std::thread second{work};
    first.join();
    second.join();
  }
  real.timer.stop();
  CHECK(limit.timed_out() > 0);
  CHECK(reported.load() <= limit.stalled());
  CHECK(limit.failed_reports() == 0);
}

}  // namespace
