// SPDX-License-Identifier: MIT
// What filters and middleware allocate per event: nothing.
#include <gossip/gossip.hpp>

#include "support/counting_allocator.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <utility>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Event;
using gossip::EventType;
using gossip::test::allocations;

struct Order {
  int amount = 0;
};
constexpr EventType<Order> placed{"order.placed"};

/// How many allocations 1,000 calls cost after a first one.
template <class P, class E>
std::size_t cost(P& processor, const E& event) {
  const std::stop_token none;
  Context context{none};
  bool all = processor(event, context).ok();
  const std::size_t before = allocations();
  for (int i = 0; i < 1'000; ++i) all = processor(event, context).ok() && all;
  const std::size_t cost = allocations() - before;
  REQUIRE(all);
  return cost;
}

TEST_CASE("allocations: filters cost none", "[allocations]") {
  const auto event = Event{placed, {.amount = 102}}
                         .with_metadata("request_id", "a text that is longer than a string holds")
                         .with_metadata("tenant", 7)
                         .with_metadata("a key that is longer than a string holds", true);
  const auto by_metadata =
      gossip::by_metadata("request_id", "a text that is longer than a string holds") &&
      gossip::by_metadata("tenant", 7) &&
      gossip::has_metadata("a key that is longer than a string holds") &&
      !gossip::has_metadata("absent") && gossip::by_type("order.*");
  int calls = 0;
  auto processor = gossip::filtered(
      by_metadata && gossip::where([](const Order& order) { return order.amount > 100; }),
      [&](const Order&) { ++calls; });
  CHECK(cost(processor, event) == 0);
  CHECK(calls == 1'001);
  auto any = gossip::filtered(by_metadata, [&](const AnyEvent&) { ++calls; });
  CHECK(cost(any, AnyEvent{event}) == 0);
  CHECK(calls == 2'002);
}

TEST_CASE("allocations: middleware costs none", "[allocations]") {
  std::size_t told = 0;
  std::size_t calls = 0;
  auto processor = gossip::chain(
      gossip::recovery(), gossip::logging([&](const gossip::LogRecord&) { ++told; }, "a message"),
      gossip::metrics([&](const gossip::CallMetrics&) { ++told; }),
      gossip::rate_limit({.rate = 10'000'000}), gossip::circuit_breaker(),
      gossip::filtered([](const Order& order) { return order.amount > 100; }), [](auto next) {
        return [next = std::move(next)](const auto& event, Context& context) {
          return next(event, context);
        };
      })([&](const Order&) { ++calls; });
  CHECK(cost(processor, Event{placed, {.amount = 102}}) == 0);
  CHECK(calls == 1'001);
  CHECK(told == 2'002);
}

TEST_CASE("allocations: what is refused or a duplicate costs none", "[allocations]") {
  const std::stop_token none;
  Context context{none};
  const Event event{placed, {.amount = 1}};
  std::size_t calls = 0;
  auto once = gossip::deduplicate()([&](const Order&) { ++calls; });
  CHECK(cost(once, event) == 0);
  CHECK(calls == 1);
  auto numbered = gossip::deduplicate({.capacity = 64}, &Order::amount)([](const Order&) {});
  const std::size_t begin = allocations();
  for (int i = 0; i < 1'000; ++i) (void)numbered(Event{placed, {.amount = i}}, context).ok();
  CHECK(allocations() - begin == 0);

  auto limited =
      gossip::rate_limit({.rate = 1, .period = std::chrono::hours{1}})([](const Order&) {});
  auto broken = gossip::circuit_breaker({.failure_threshold = 1})(
      [](const Order&) -> gossip::Status { return gossip::Errc::fatal; });
  (void)limited(event, context).ok();
  (void)broken(event, context).ok();
  const std::size_t before = allocations();
  bool none_passed = true;
  for (int i = 0; i < 1'000; ++i) {
    none_passed = none_passed && is_retryable(limited(event, context)) &&
                  is_retryable(broken(event, context));
  }
  const std::size_t cost_of_refusal = allocations() - before;
  CHECK(none_passed);
  CHECK(cost_of_refusal == 0);
}

}  // namespace
