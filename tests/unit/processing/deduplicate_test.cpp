// SPDX-License-Identifier: MIT
#include <gossip/processing/deduplicate.hpp>

#include "support/fake_call.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::deduplicate;
using gossip::DeduplicateOptions;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::test::FakeCall;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Unfinished = DeduplicateOptions::Unfinished;

struct Order {
  int number = 0;
  std::string customer;
};
constexpr EventType<Order> placed{"order.placed"};

static_assert(gossip::Middleware<decltype(deduplicate())>);

template <class P>
Status run(FakeCall& call, P& processor, const Event<Order>& event, unsigned attempt = 1) {
  call.deferred = false;
  Context context = call.context(attempt);
  return processor(event, context);
}
template <class P>
Status run(FakeCall& call, P& processor, int number, unsigned attempt = 1) {
  return run(call, processor, Event{placed, {.number = number, .customer = {}}}, attempt);
}

const auto by_number = &Order::number;

TEST_CASE("deduplicate: by default an event is known by its id", "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  auto processor = deduplicate()([&](const Order&) { ++calls; });
  const Event first{placed, {.number = 1, .customer = {}}};
  const Event twin{placed, {.number = 1, .customer = {}}};
  CHECK(run(call, processor, first).ok());
  CHECK(run(call, processor, first).ok());
  CHECK(run(call, processor, Event{first}).ok());
  CHECK(calls == 1);
  CHECK(run(call, processor, twin).ok());
  CHECK(calls == 2);
}

TEST_CASE("deduplicate: by a key of the payload or of the event", "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  const auto count = [&](const Order&) { ++calls; };
  const Event alice{placed, {.number = 1, .customer = "alice"}};
  const Event bob{placed, {.number = 1, .customer = "bob"}};
  const auto distinct = [&](auto processor) {
    calls = 0;
    for (const auto* event : {&alice, &bob, &alice, &bob}) {
      CHECK(run(call, processor, *event).ok());
    }
    return calls;
  };
  CHECK(distinct(deduplicate({}, by_number)(count)) == 1);
  CHECK(distinct(deduplicate({}, &Order::customer)(count)) == 2);
  CHECK(distinct(deduplicate(
            {}, [](const Order& order) { return std::string_view{order.customer}; })(count)) == 2);
  CHECK(distinct(deduplicate({}, [](const Event<Order>& event) { return event.id(); })(count)) ==
        2);
  CHECK(distinct(deduplicate({}, [](const Event<Order>& event) { return event.type(); })(count)) ==
        1);
  CHECK(distinct(deduplicate({}, [](const Order& order) {
          return order.customer == "bob" ? Errc::fatal : Errc::timeout;
        })(count)) == 2);
  CHECK(distinct(deduplicate({}, [](const Order&) { return "constant"; })(count)) == 1);
}

TEST_CASE("deduplicate: only kinds of keys that are compared without user code", "[deduplicate]") {
  struct Strange {
    bool operator==(const Strange&) const = default;
  };
  const auto takes = [](auto key) {
    using P = decltype(deduplicate({}, key)([](const Order&) {}));
    return gossip::Processor<P, Order>;
  };
  CHECK(takes([](const Order&) { return 1; }));
  CHECK(takes([](const Order&) { return std::string{}; }));
  CHECK_FALSE(takes([](const Order&) { return Strange{}; }));
  CHECK_FALSE(takes([](const Order&) { return 1.5; }));
  CHECK_FALSE(takes([](const Order&) {}));
  CHECK_FALSE(takes([](const std::string&) { return 1; }));
}

TEST_CASE("deduplicate: any event", "[deduplicate]") {
  FakeCall call;
  Context context = call.context();
  int calls = 0;
  auto processor = deduplicate()([&](const AnyEvent&) { ++calls; });
  const AnyEvent event{Event{placed, {.number = 1, .customer = {}}}};
  CHECK(processor(event, context).ok());
  CHECK(processor(event, context).ok());
  CHECK(calls == 1);
}

TEST_CASE("deduplicate: a first delivery that fails is forgotten", "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  Status outcome = Errc::processing_failed;
  auto processor = deduplicate({}, by_number)([&](const Order&) {
    ++calls;
    return outcome;
  });
  CHECK(run(call, processor, 1) == Errc::processing_failed);
  CHECK(run(call, processor, 1) == Errc::processing_failed);
  outcome = {};
  CHECK(run(call, processor, 1).ok());
  CHECK(run(call, processor, 1).ok());
  CHECK(calls == 3);
  auto throws = deduplicate({}, by_number)([&](const Order&) {
    ++calls;
    throw std::out_of_range{"x"};
  });
  CHECK_THROWS_AS(run(call, throws, 1), std::out_of_range);
  CHECK_THROWS_AS(run(call, throws, 1), std::out_of_range);
}

TEST_CASE("deduplicate: another attempt passes, and is still the first delivery", "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  bool defer = true;
  Status outcome = Errc::retryable;
  auto processor = deduplicate({}, by_number)([&](const Event<Order>&, Context& context) {
    ++calls;
    if (defer) CHECK(context.defer(seconds{1}));
    return outcome;
  });
  CHECK(run(call, processor, 1) == Errc::retryable);
  CHECK(run(call, processor, 1).ok());  // a duplicate while the first waits for its next attempt
  CHECK(calls == 1);
  CHECK(run(call, processor, 1, 2) == Errc::retryable);
  CHECK(calls == 2);
  defer = false;
  SECTION("that succeeds") {
    outcome = {};
    CHECK(run(call, processor, 1, 3).ok());
    CHECK(run(call, processor, 1).ok());
    CHECK(calls == 3);
  }
  SECTION("that fails for good") {
    CHECK(run(call, processor, 1, 3) == Errc::retryable);
    outcome = {};
    CHECK(run(call, processor, 1).ok());
    CHECK(calls == 4);
  }
}

TEST_CASE("deduplicate: an attempt that is the first to come here is remembered", "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  auto processor = deduplicate({}, by_number)([&](const Order&) { ++calls; });
  CHECK(run(call, processor, 1, 2).ok());
  CHECK(run(call, processor, 1).ok());
  CHECK(calls == 1);
}

TEST_CASE("deduplicate: a duplicate of what is being handled succeeds, or is refused",
          "[deduplicate]") {
  FakeCall call;
  std::function<Status()> again;
  Status inner = Errc::fatal;
  int calls = 0;
  const auto handler = [&](const Order&) {
    ++calls;
    inner = again();
  };
  auto lenient = deduplicate({}, by_number)(handler);
  again = [&] { return run(call, lenient, 1); };
  CHECK(run(call, lenient, 1).ok());
  CHECK(inner.ok());
  CHECK(calls == 1);

  auto strict = deduplicate({.unfinished = Unfinished::refuse}, by_number)(handler);
  again = [&] { return run(call, strict, 1); };
  CHECK(run(call, strict, 1).ok());
  CHECK(gossip::is_retryable(inner));
  CHECK(run(call, strict, 1).ok());
  CHECK(calls == 2);
}

TEST_CASE("deduplicate: forgets after a time", "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  auto processor = deduplicate({.window = minutes{1}}, by_number)([&](const Order&) { ++calls; });
  CHECK(run(call, processor, 1).ok());
  call.time.advance(seconds{30});
  CHECK(run(call, processor, 2).ok());
  call.time.advance(seconds{30} - nanoseconds{1});
  CHECK(run(call, processor, 1).ok());
  CHECK(calls == 2);
  call.time.advance(nanoseconds{1});
  CHECK(run(call, processor, 2).ok());
  CHECK(calls == 2);
  CHECK(run(call, processor, 1).ok());
  CHECK(calls == 3);
}

TEST_CASE("deduplicate: forgets the oldest beyond its capacity", "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  auto processor = deduplicate({.capacity = 3, .window = nanoseconds::max()},
                               by_number)([&](const Order&) { ++calls; });
  for (const int number : {1, 2, 3, 1, 2, 3}) CHECK(run(call, processor, number).ok());
  CHECK(calls == 3);
  CHECK(run(call, processor, 4).ok());
  for (const int number : {2, 3, 4}) CHECK(run(call, processor, number).ok());
  CHECK(calls == 4);
  CHECK(run(call, processor, 1).ok());
  CHECK(calls == 5);
}

TEST_CASE("deduplicate: a delivery that outlives its place does not touch who has it now",
          "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  std::function<void()> meanwhile;
  auto processor = deduplicate({.capacity = 1}, by_number)([&](const Order& order) -> Status {
    ++calls;
    if (order.number != 1) return {};
    meanwhile();
    return Errc::fatal;
  });
  meanwhile = [&] { CHECK(run(call, processor, 2).ok()); };
  CHECK(run(call, processor, 1) == Errc::fatal);
  CHECK(run(call, processor, 2).ok());
  CHECK(calls == 2);
}

TEST_CASE("deduplicate: each wrapped processor remembers for itself", "[deduplicate]") {
  FakeCall call;
  int calls = 0;
  const auto once = deduplicate({}, by_number);
  auto first = once([&](const Order&) { ++calls; });
  auto second = once([&](const Order&) { ++calls; });
  CHECK(run(call, first, 1).ok());
  CHECK(run(call, second, 1).ok());
  CHECK(calls == 2);
  auto copy = second;
  CHECK(run(call, copy, 1).ok());
  CHECK(calls == 2);
}

TEST_CASE("deduplicate: validates its options", "[deduplicate]") {
  const auto refused = [](const DeduplicateOptions& options) {
    const Status status = validate(options);
    const auto* error = gossip::find_error<gossip::ValidationError>(status);
    return error == nullptr ? std::string{} : error->field();
  };
  CHECK(refused({}).empty());
  CHECK(refused({.capacity = 0}) == "capacity");
  CHECK(refused({.capacity = (1U << 24U) + 1}) == "capacity");
  CHECK(refused({.window = nanoseconds{0}}) == "window");
  CHECK(refused({.unfinished = static_cast<Unfinished>(2)}) == "unfinished");
  CHECK_THROWS_AS(deduplicate({.capacity = 0}), std::invalid_argument);
}

TEST_CASE("deduplicate: threads that deliver the same events have each handled once",
          "[deduplicate]") {
  constexpr std::size_t threads = 4;
  const std::size_t events = gossip::test::scaled(100'000);
  std::latch start{threads};
  std::vector<std::atomic<int>> handled(events);
  auto processor = deduplicate({.capacity = events}, by_number)(
      [&](const Order& order) { ++handled[static_cast<std::size_t>(order.number)]; });
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        FakeCall call;
        start.arrive_and_wait();
        for (std::size_t n = 0; n < events; ++n) {  // half of them from the other end
          (void)run(call, processor, static_cast<int>(i % 2 == 0 ? n : events - 1 - n)).ok();
        }
      });
    }
  }
  CHECK(std::all_of(handled.begin(), handled.end(), [](const auto& n) { return n == 1; }));
}

TEST_CASE("deduplicate: threads that deliver again until it succeeds have each handled once",
          "[deduplicate]") {
  constexpr std::size_t threads = 4;
  constexpr int events = 300;
  std::array<std::atomic<int>, events> tried{};
  std::array<std::atomic<int>, events> handled{};
  auto processor = deduplicate({.capacity = events, .unfinished = Unfinished::refuse},
                               by_number)([&](const Order& order) -> Status {
    const auto i = static_cast<std::size_t>(order.number);
    if (++tried[i] < 3) return Errc::retryable;
    ++handled[i];
    return {};
  });
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        FakeCall call;
        for (int n = 0; n < events; ++n) {
          while (!run(call, processor, n).ok()) std::this_thread::yield();
        }
      });
    }
  }
  for (const auto& count : handled) CHECK(count == 1);
  for (const auto& count : tried) CHECK(count == 3);
}

}  // namespace
