// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/processing/recovery.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::recovery;
using gossip::Status;

constexpr EventType<int> counted{"thing.counted"};

const std::stop_token none;

static_assert(gossip::Middleware<decltype(recovery())>);
static_assert(
    std::is_nothrow_invocable_v<decltype(recovery()([](int) {}))&, const Event<int>&, Context&>);

TEST_CASE("recovery: an exception becomes an error, never success", "[recovery]") {
  Context context{none};
  auto processor = recovery()([](int) { throw std::out_of_range{"too far"}; });
  const Status status = processor(Event{counted, 1}, context);
  REQUIRE_FALSE(status.ok());
  CHECK(gossip::is_processing(status));
  CHECK(status.error()->message() == "too far");
  CHECK_THROWS_AS(std::rethrow_exception(status.error()->origin()), std::out_of_range);
  auto odd = recovery()([](int) { throw 42; });
  CHECK(gossip::is_processing(odd(Event{counted, 1}, context)));
}

TEST_CASE("recovery: an error of gossip's keeps its kind", "[recovery]") {
  Context context{none};
  auto processor = recovery()([](int) { throw gossip::ValidationError{"amount", "negative"}; });
  const Status status = processor(Event{counted, 1}, context);
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  REQUIRE(error != nullptr);
  CHECK(error->field() == "amount");
}

TEST_CASE("recovery: success and failure pass, for every kind of event", "[recovery]") {
  Context context{none};
  auto works = recovery()([](int) {});
  CHECK(works(Event{counted, 1}, context).ok());
  auto fails = recovery()([p = std::make_unique<int>(0)](int) -> Status { return Errc::timeout; });
  CHECK(fails(Event{counted, 1}, context) == Errc::timeout);
  auto any = recovery()([](const AnyEvent& event) { (void)event.get<long>(); });
  CHECK(gossip::is_type_assertion(any(AnyEvent{Event{counted, 1}}, context)));
}

TEST_CASE("recovery: what is around it sees a value", "[recovery]") {
  Status seen;
  const auto watch = [&seen](auto next) {
    return [&seen, next = std::move(next)](const auto& event, Context& context) {
      return seen = next(event, context);
    };
  };
  gossip::EventBus bus{{.workers = 1}};
  auto subscription =
      bus.subscribe(counted, (watch | recovery())([](int) { throw std::out_of_range{"x"}; }));
  const auto result = bus.publish_sync(counted, 1);
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].status.error() == seen.error());
}

}  // namespace
