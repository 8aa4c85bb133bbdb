// SPDX-License-Identifier: MIT
#include <gossip/processing/rate_limit.hpp>

#include "support/fake_call.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Event;
using gossip::EventType;
using gossip::rate_limit;
using gossip::RateLimitOptions;
using gossip::Status;
using gossip::test::FakeCall;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Excess = RateLimitOptions::Excess;

constexpr EventType<int> counted{"thing.counted"};

static_assert(gossip::Middleware<decltype(rate_limit())>);

/// Calls a processor, with a fresh context, for one event.
template <class P>
Status run(FakeCall& call, P& processor, unsigned attempt = 1) {
  call.deferred = false;
  Context context = call.context(attempt);
  return processor(Event{counted, 1}, context);
}

/// How many of `calls` are let through now.
template <class P>
int passed(FakeCall& call, P& processor, int calls = 100) {
  int count = 0;
  for (int i = 0; i < calls; ++i) count += run(call, processor).ok() ? 1 : 0;
  return count;
}

TEST_CASE("rate_limit: lets a burst through, then one for each interval", "[rate_limit]") {
  FakeCall call;
  int calls = 0;
  auto processor =
      rate_limit({.rate = 10, .period = seconds{1}, .burst = 3})([&](int) { ++calls; });
  CHECK(passed(call, processor) == 3);
  call.time.advance(milliseconds{99});
  CHECK(passed(call, processor) == 0);
  call.time.advance(milliseconds{1});
  CHECK(passed(call, processor) == 1);
  call.time.advance(milliseconds{250});
  CHECK(passed(call, processor) == 2);
  call.time.advance(milliseconds{50});
  CHECK(passed(call, processor) == 1);
  CHECK(calls == 7);
}

TEST_CASE("rate_limit: a quiet time fills the bucket and no more", "[rate_limit]") {
  FakeCall call;
  auto processor = rate_limit({.rate = 10, .period = seconds{1}, .burst = 3})([](int) {});
  CHECK(passed(call, processor) == 3);
  call.time.advance(hours{1000});
  CHECK(passed(call, processor) == 3);
  auto full = rate_limit({.rate = 10, .period = seconds{1}})([](int) {});
  CHECK(passed(call, full) == 10);
}

TEST_CASE("rate_limit: never exceeds its rate, whatever divides whatever", "[rate_limit]") {
  FakeCall call;
  auto processor = rate_limit({.rate = 7, .period = seconds{1}, .burst = 1})([](int) {});
  int count = 0;
  for (int ms = 0; ms < 10'000; ++ms) {
    count += run(call, processor).ok() ? 1 : 0;
    call.time.advance(milliseconds{1});
  }
  CHECK(count <= 70);
  CHECK(count >= 69);
}

TEST_CASE("rate_limit: what exceeds the rate is refused and may be tried again", "[rate_limit]") {
  FakeCall call;
  auto processor = rate_limit({.rate = 1, .period = seconds{1}})([](int) {});
  CHECK(run(call, processor).ok());
  const Status refused = run(call, processor);
  CHECK(gossip::is_retryable(refused));
  CHECK(refused.error()->message() == "rate limit");
  CHECK_FALSE(call.deferred);
  CHECK(call.delays.empty());
}

TEST_CASE("rate_limit: the processor's own outcome passes", "[rate_limit]") {
  FakeCall call;
  auto fails = rate_limit()([](int) -> Status { return gossip::Errc::fatal; });
  CHECK(run(call, fails) == gossip::Errc::fatal);
  auto throws = rate_limit()([](int) { throw std::out_of_range{"x"}; });
  CHECK_THROWS_AS(run(call, throws), std::out_of_range);
}

TEST_CASE("rate_limit: deferred events come back one by one, each for its own token",
          "[rate_limit]") {
  FakeCall call;
  auto processor = rate_limit({.rate = 10, .burst = 1, .excess = Excess::defer})([](int) {});
  CHECK(run(call, processor).ok());
  for (int i = 1; i <= 3; ++i) {
    CHECK(gossip::is_retryable(run(call, processor)));
    CHECK(call.deferred);
    CHECK(call.delays.back() == i * milliseconds{100});
  }
  call.time.advance(milliseconds{300});
  for (int i = 1; i <= 3; ++i) CHECK(run(call, processor, 2).ok());
  // The tokens of that time are used up.
  CHECK_FALSE(run(call, processor).ok());
  CHECK(call.delays.back() == milliseconds{100});
}

TEST_CASE("rate_limit: another attempt that it did not defer needs a token of its own",
          "[rate_limit]") {
  FakeCall call;
  auto processor = rate_limit({.rate = 10, .burst = 1})([](int) {});
  CHECK(run(call, processor, 2).ok());
  CHECK_FALSE(run(call, processor, 2).ok());
}

TEST_CASE("rate_limit: an event whose turn is too far away is refused", "[rate_limit]") {
  FakeCall call;
  auto processor =
      rate_limit({.rate = 10, .burst = 1, .excess = Excess::defer, .max_delay = milliseconds{200}})(
          [](int) {});
  CHECK(run(call, processor).ok());
  CHECK_FALSE(run(call, processor).ok());
  CHECK_FALSE(run(call, processor).ok());
  CHECK(call.delays.size() == 2);
  CHECK(gossip::is_retryable(run(call, processor)));
  CHECK_FALSE(call.deferred);
  CHECK(call.delays.size() == 2);
}

TEST_CASE("rate_limit: what cannot be deferred is refused and gives its token back",
          "[rate_limit]") {
  FakeCall call;
  auto processor = rate_limit({.rate = 10, .burst = 1, .excess = Excess::defer})([](int) {});
  CHECK(run(call, processor).ok());
  call.defers = false;
  for (int i = 0; i < 5; ++i) {
    CHECK(gossip::is_retryable(run(call, processor)));
    CHECK(call.delays.back() == milliseconds{100});
  }
  CHECK_FALSE(run(call, processor, 2).ok());
  call.time.advance(milliseconds{100});
  CHECK(run(call, processor).ok());
}

TEST_CASE("rate_limit: in place it waits for its turn", "[rate_limit]") {
  FakeCall call{FakeCall::Kind::in_place};
  auto processor = rate_limit({.rate = 10, .burst = 1, .excess = Excess::defer})([](int) {});
  CHECK(run(call, processor).ok());
  CHECK(run(call, processor).ok());
  CHECK(run(call, processor).ok());
  CHECK(call.delays == std::vector<nanoseconds>{milliseconds{100}, milliseconds{100}});
  call.stop.request_stop();
  CHECK(gossip::is_retryable(run(call, processor)));
}

TEST_CASE("rate_limit: each wrapped processor has a bucket of its own, which its copies share",
          "[rate_limit]") {
  FakeCall call;
  const auto limit = rate_limit({.rate = 1, .burst = 1});
  auto first = limit([](int) {});
  auto second = limit([](int) {});
  CHECK(run(call, first).ok());
  CHECK(run(call, second).ok());
  auto copy = second;
  CHECK_FALSE(run(call, copy).ok());
}

TEST_CASE("rate_limit: any event", "[rate_limit]") {
  FakeCall call;
  Context context = call.context();
  auto processor = rate_limit({.rate = 1, .burst = 1})([](const AnyEvent&) {});
  const AnyEvent event{Event{counted, 1}};
  CHECK(processor(event, context).ok());
  CHECK_FALSE(processor(event, context).ok());
}

TEST_CASE("rate_limit: validates its options", "[rate_limit]") {
  const auto refused = [](const RateLimitOptions& options) {
    const Status status = validate(options);
    const auto* error = gossip::find_error<gossip::ValidationError>(status);
    return error == nullptr ? std::string{} : error->field();
  };
  CHECK(refused({}).empty());
  CHECK(refused({.rate = 0}) == "rate");
  CHECK(refused({.rate = 10'000'000}).empty());
  CHECK(refused({.rate = 10'000'001}) == "rate");
  CHECK(refused({.rate = 1, .period = nanoseconds{99}}) == "rate");
  CHECK(refused({.period = nanoseconds{0}}) == "period");
  CHECK(refused({.period = hours{24 * 365 + 1}}) == "period");
  CHECK(refused({.burst = 1'000'000'001}) == "burst");
  CHECK(refused({.excess = static_cast<Excess>(2)}) == "excess");
  CHECK(refused({.max_delay = nanoseconds{-1}}) == "max_delay");
  CHECK(refused({.max_delay = hours{24 * 365 + 1}}) == "max_delay");
  CHECK_THROWS_AS(rate_limit({.rate = 0}), std::invalid_argument);
}

TEST_CASE("rate_limit: the widest options do not overflow", "[rate_limit]") {
  FakeCall call;
  auto processor = rate_limit({.rate = 1,
                               .period = hours{24 * 365},
                               .burst = 1'000'000'000,
                               .excess = Excess::defer,
                               .max_delay = hours{24 * 365}})([](int) {});
  CHECK(passed(call, processor, 70) == 70);
  auto fast = rate_limit({.rate = 10'000'000, .burst = 1'000'000'000})([](int) {});
  CHECK(passed(call, fast, 1000) == 1000);
}

TEST_CASE("rate_limit: threads together get what the rate allows", "[rate_limit]") {
  constexpr std::size_t threads = 4;
  const auto burst = gossip::test::scaled(1'000'000);
  std::latch start{threads};
  std::atomic<std::size_t> calls{0};
  auto processor =
      rate_limit({.rate = 1, .period = seconds{1}, .burst = burst})([&](int) { ++calls; });
  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      FakeCall call;
      start.arrive_and_wait();
      for (std::size_t n = 0; n < burst; ++n) (void)run(call, processor).ok();
    });
  }
  workers.clear();
  CHECK(calls == burst);
}

TEST_CASE("rate_limit: threads that defer get each token once", "[rate_limit]") {
  constexpr std::size_t threads = 4;
  const std::size_t each = gossip::test::scaled(40'000);
  std::latch start{threads};
  auto processor = rate_limit(
      {.rate = 10'000, .burst = 1, .excess = Excess::defer, .max_delay = hours{1}})([](int) {});
  std::vector<std::vector<nanoseconds>> delays(threads);
  std::atomic<int> at_once{0};
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        FakeCall call;
        start.arrive_and_wait();
        for (std::size_t n = 0; n < each; ++n) at_once += run(call, processor).ok() ? 1 : 0;
        delays[i] = call.delays;
      });
    }
  }
  std::vector<nanoseconds> all;
  for (const auto& list : delays) all.insert(all.end(), list.begin(), list.end());
  std::sort(all.begin(), all.end());
  CHECK(at_once == 1);
  REQUIRE(all.size() == threads * each - 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] != std::chrono::microseconds{100} * (i + 1)) FAIL("token " << i << " came twice");
  }
  // Every one that comes back passes, and nobody else does.
  FakeCall call;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!run(call, processor, 2).ok()) FAIL("a promise was lost");
  }
  CHECK_FALSE(run(call, processor, 2).ok());
}

}  // namespace
