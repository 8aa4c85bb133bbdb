// SPDX-License-Identifier: MIT
#include <gossip/processing/retry.hpp>

#include "support/fake_call.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <limits>
#include <memory>
#include <set>
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
using gossip::retry;
using gossip::RetryOptions;
using gossip::Status;
using gossip::detail::retry_delay;
using gossip::test::FakeCall;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Delays = std::vector<nanoseconds>;

constexpr EventType<int> number{"retry.number"};
const Event event{number, 7};

constexpr RetryOptions three{.max_attempts = 3, .initial_delay = seconds{1}, .jitter = 0.0};

std::string refused(const RetryOptions& options) {
  const Status status = validate(options);
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  return error == nullptr ? "" : error->field();
}

TEST_CASE("RetryOptions: what cannot be is refused by name", "[retry]") {
  CHECK(validate(RetryOptions{}).ok());
  CHECK(refused({.max_attempts = 0}) == "max_attempts");
  CHECK(refused({.initial_delay = nanoseconds{-1}}) == "initial_delay");
  CHECK(refused({.initial_delay = seconds{3}, .max_delay = seconds{2}}) == "initial_delay");
  CHECK(refused({.initial_delay = seconds{0}, .max_delay = nanoseconds{-1}}) == "max_delay");
  CHECK(refused({.max_delay = nanoseconds::max()}) == "max_delay");
  CHECK(refused({.factor = 0.99}) == "factor");
  CHECK(refused({.factor = 1001.0}) == "factor");
  CHECK(refused({.factor = std::numeric_limits<double>::quiet_NaN()}) == "factor");
  CHECK(refused({.jitter = -0.1}) == "jitter");
  CHECK(refused({.jitter = 1.1}) == "jitter");
  CHECK(refused({.jitter = std::numeric_limits<double>::quiet_NaN()}) == "jitter");
  CHECK(validate(RetryOptions{.max_attempts = 1,
                              .initial_delay = seconds{0},
                              .factor = 1.0,
                              .max_delay = seconds{0},
                              .jitter = 1.0})
            .ok());
  CHECK_THROWS_AS(retry({.max_attempts = 0}), std::invalid_argument);
}

TEST_CASE("retry: delays grow by the factor up to the cap", "[retry]") {
  const RetryOptions options{.initial_delay = seconds{1}, .max_delay = seconds{30}, .jitter = 0.0};
  Delays delays;
  for (unsigned attempt = 1; attempt <= 7; ++attempt) {
    delays.push_back(retry_delay(options, attempt, 0.0));
  }
  CHECK(delays == Delays{seconds{1}, seconds{2}, seconds{4}, seconds{8}, seconds{16}, seconds{30},
                         seconds{30}});
  const unsigned last = std::numeric_limits<unsigned>::max();
  CHECK(retry_delay(options, last, 0.0) == seconds{30});
  const RetryOptions extreme{.initial_delay = hours{24 * 365},
                             .factor = 1000.0,
                             .max_delay = hours{24 * 365},
                             .jitter = 0.0};
  CHECK(retry_delay(extreme, last, 0.0) == hours{24 * 365});
  const RetryOptions constant{.initial_delay = seconds{2}, .factor = 1.0, .jitter = 0.0};
  CHECK(retry_delay(constant, last, 0.0) == seconds{2});
  const RetryOptions at_once{.initial_delay = seconds{0}, .factor = 1000.0};
  CHECK(retry_delay(at_once, last, 0.5) == seconds{0});
}

TEST_CASE("retry: jitter takes at most its share off a delay", "[retry]") {
  const RetryOptions options{.initial_delay = seconds{8}, .jitter = 0.25};
  CHECK(retry_delay(options, 1, 0.0) == seconds{8});
  CHECK(retry_delay(options, 1, 0.5) == seconds{7});
  CHECK(retry_delay(options, 1, 1.0) == seconds{6});
  CHECK(retry_delay(options, 1, 7.0) == seconds{6});
  CHECK(retry_delay(options, 1, -7.0) == seconds{8});
  const RetryOptions full{.initial_delay = seconds{8}, .jitter = 1.0};
  CHECK(retry_delay(full, 1, 1.0) == seconds{0});
}

TEST_CASE("retry: its random numbers are in range, and not the same in two threads", "[retry]") {
  const gossip::detail::RandomShare random;
  std::set<double> seen;
  const auto draw = [&] {
    for (int i = 0; i < 1000; ++i) {
      const double share = random();
      CHECK((share >= 0.0 && share < 1.0));
      seen.insert(share);
    }
  };
  draw();
  std::thread{draw}.join();
  CHECK(seen.size() > 1990);
}

TEST_CASE("retry: success is handed on at once", "[retry]") {
  FakeCall call;
  Context context = call.context();
  int calls = 0;
  auto processor = retry(three)([&](int value) { calls += value; });
  CHECK(processor(event, context).ok());
  CHECK(calls == 7);
  CHECK(call.delays.empty());
}

TEST_CASE("retry: asynchronously each failure arranges another attempt, and is handed on as it is",
          "[retry]") {
  FakeCall call;
  std::vector<unsigned> attempts;
  auto processor = retry(three)([&](const Event<int>&, Context& context) -> Status {
    attempts.push_back(context.attempt());
    return gossip::TimeoutError{seconds{5}};
  });
  for (const unsigned attempt : {1U, 2U}) {
    call.deferred = false;
    Context context = call.context(attempt);
    const Status status = processor(event, context);
    CHECK(context.deferred());
    CHECK(status.error()->message().empty());
  }
  call.deferred = false;
  Context context = call.context(3);
  const Status status = processor(event, context);
  CHECK_FALSE(context.deferred());
  CHECK(attempts == std::vector<unsigned>{1, 2, 3});
  CHECK(call.delays == Delays{seconds{1}, seconds{2}});
  CHECK(is_timeout(status));
  CHECK(status.error()->code() == Errc::timeout);
  CHECK(status.error()->message() == "gave up after 3 attempts");
  REQUIRE(gossip::find_error<gossip::TimeoutError>(status) != nullptr);
  CHECK(gossip::find_error<gossip::TimeoutError>(status)->limit() == seconds{5});
}

TEST_CASE("retry: never waits where another attempt was refused", "[retry]") {
  FakeCall call;
  call.defers = false;
  Context context = call.context();
  int calls = 0;
  auto processor = retry(three)([&](int) -> Status {
    ++calls;
    return Errc::retryable;
  });
  const Status status = processor(event, context);
  CHECK(is_retryable(status));
  CHECK(status.error()->message() == "gave up after 1 attempt: another could not be arranged");
  CHECK(calls == 1);
  CHECK_FALSE(context.deferred());
  CHECK(call.delays == Delays{seconds{1}});  // asked for, not waited for
}

TEST_CASE("retry: repeats in place where nobody could arrange another attempt", "[retry]") {
  FakeCall call{FakeCall::Kind::in_place};
  Context context = call.context();
  const gossip::SteadyTime start = context.now();
  std::vector<unsigned> attempts;
  auto processor = retry(three)([&](const Event<int>&, Context& inner) {
    attempts.push_back(inner.attempt());
    if (inner.attempt() < 3) throw std::runtime_error{"not yet"};
  });
  CHECK(processor(event, context).ok());
  CHECK(attempts == std::vector<unsigned>{1, 2, 3});
  CHECK(call.delays == Delays{seconds{1}, seconds{2}});
  CHECK(context.now() == start + seconds{3});
  CHECK_FALSE(context.deferred());
  CHECK(context.attempt() == 3);
}

TEST_CASE("retry: with a context made by hand it repeats in real time", "[retry]") {
  const std::stop_token none;
  Context context{none};
  const auto start = context.now();
  int calls = 0;
  auto processor = retry({.max_attempts = 2, .initial_delay = milliseconds{3}, .jitter = 0.0})(
      [&](int) -> Status { return ++calls, Errc::retryable; });
  const Status status = processor(event, context);
  CHECK(status.error()->message() == "gave up after 2 attempts");
  CHECK(calls == 2);
  CHECK(context.now() >= start + milliseconds{3});
}

TEST_CASE("retry: a stop ends the repeating in place", "[retry]") {
  FakeCall call{FakeCall::Kind::in_place};
  call.while_waiting = [](FakeCall& waiting) { waiting.stop.request_stop(); };
  Context context = call.context();
  int calls = 0;
  auto processor = retry(three)([&](int) -> Status { return ++calls, Errc::retryable; });
  const Status status = processor(event, context);
  CHECK(calls == 1);
  CHECK(is_retryable(status));
  CHECK(status.error()->message() ==
        "gave up after 1 attempt: a stop was requested, or the deadline is too near");
}

TEST_CASE("retry: does not repeat in place beyond the deadline", "[retry]") {
  FakeCall call{FakeCall::Kind::in_place};
  call.deadline = call.time.read() + seconds{2};
  Context context = call.context();
  int calls = 0;
  auto processor = retry(three)([&](int) -> Status { return ++calls, Errc::retryable; });
  CHECK_FALSE(processor(event, context).ok());
  CHECK(calls == 2);
  CHECK(call.delays == Delays{seconds{1}});
}

TEST_CASE("retry: what trying again cannot help is handed on as it is", "[retry]") {
  for (const Errc kind : {Errc::fatal, Errc::validation_failed, Errc::type_assertion_failed,
                          Errc::nil_data, Errc::invalid_event, Errc::unsupported_event_type}) {
    FakeCall call;
    Context context = call.context();
    auto processor = retry(three)([&](int) -> Status { return kind; });
    const Status status = processor(event, context);
    CHECK(status.error()->code() == kind);
    CHECK(status.error()->cause() == nullptr);
    CHECK(call.delays.empty());
  }
  FakeCall call;
  Context context = call.context();
  auto caused = retry(three)([](int) -> Status {
    return gossip::RetryableError{"twice", gossip::FatalError{"no disk"}.share()};
  });
  CHECK_FALSE(caused(event, context).ok());
  CHECK(call.delays.empty());
}

TEST_CASE("retry: asks the predicate it is given", "[retry]") {
  FakeCall call;
  Context context = call.context();
  auto only_fatal = retry(three, [](const Status& status) { return is_fatal(status); });
  auto fatal = only_fatal([](int) -> Status { return Errc::fatal; });
  CHECK(is_fatal(fatal(event, context)));
  CHECK(context.deferred());
  call.deferred = false;
  auto timeout = only_fatal([](int) -> Status { return Errc::timeout; });
  CHECK(is_timeout(timeout(event, context)));
  CHECK_FALSE(context.deferred());
}

TEST_CASE("retry: takes its random numbers from where it is told to", "[retry]") {
  FakeCall call;
  Context context = call.context();
  auto processor = retry({.initial_delay = seconds{8}, .jitter = 0.5}, gossip::WorthRetrying{},
                         [] { return 0.5; })([](int) -> Status { return Errc::retryable; });
  CHECK_FALSE(processor(event, context).ok());
  CHECK(call.delays == Delays{seconds{6}});
}

TEST_CASE("retry: inside another, each failure arranges one attempt", "[retry]") {
  FakeCall call;
  auto inner = retry({.max_attempts = 2, .initial_delay = seconds{1}, .jitter = 0.0});
  auto outer = retry(
      {.max_attempts = 3, .initial_delay = seconds{60}, .max_delay = hours{1}, .jitter = 0.0});
  auto processor = outer(inner([](int) -> Status { return Errc::retryable; }));
  for (const unsigned attempt : {1U, 2U, 3U}) {
    call.deferred = false;
    Context context = call.context(attempt);
    CHECK(is_retryable(processor(event, context)));
    CHECK(context.deferred() == (attempt < 3));
  }
  CHECK(call.delays == Delays{seconds{1}, seconds{120}});
}

TEST_CASE("retry: a failure for which something inside arranged another attempt is not final",
          "[retry]") {
  FakeCall call;
  Context context = call.context();
  auto processor = retry({.max_attempts = 1})([](const Event<int>&, Context& inner) -> Status {
    return inner.defer(seconds{9}) ? Errc::retryable : Errc::fatal;
  });
  const Status status = processor(event, context);
  CHECK(is_retryable(status));
  CHECK(status.error()->cause() == nullptr);
}

TEST_CASE("retry: one middleware wraps processors of every kind", "[retry]") {
  const auto again = retry(three);
  using OnData = decltype([](const int&) {});
  using OnAny = decltype([](const AnyEvent&) {});
  using Wrapped = decltype(again(OnData{}));
  STATIC_REQUIRE(gossip::Middleware<decltype(again)>);
  STATIC_REQUIRE(gossip::Processor<Wrapped, int>);
  STATIC_REQUIRE_FALSE(gossip::Processor<Wrapped, std::string>);
  STATIC_REQUIRE(gossip::detail::Handler<decltype(again(OnAny{})), AnyEvent>);
  STATIC_REQUIRE_FALSE(gossip::detail::Handler<Wrapped, AnyEvent>);
  FakeCall call;
  Context context = call.context();
  auto any = again([](const AnyEvent& e) -> Status {
    return e.get<int>() == 7 ? Errc::retryable : Errc::fatal;
  });
  CHECK(is_retryable(any(AnyEvent{event}, context)));
  CHECK(context.deferred());
  auto owned = again([box = std::make_unique<int>(3)](int value) -> Status {
    return value + *box == 10 ? Status{} : Errc::fatal;
  });
  CHECK(owned(event, context).ok());
}

}  // namespace
