// SPDX-License-Identifier: MIT
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/subscription_record.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>

using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::detail::Call;
using gossip::detail::CallResult;
using gossip::detail::erase_processor;
using gossip::detail::ErasedProcessor;

namespace {

constexpr EventType<int> number{"call.number"};

struct Fixture {
  Event<int> event{number, 7};
  std::stop_token stop;
  gossip::detail::SubscriptionRecord record;
  gossip::detail::HazardFrame frame;
  Call call{event, stop, {nullptr, nullptr}};

  Fixture() {
    record.tenant.store(55);
    record.index = 3;
    frame.current.store(&record);
    call.frame = &frame;
  }
};

}  // namespace

TEST_CASE("erase_processor: the processor is called with the event and owned", "[dispatch]") {
  Fixture fixture;
  auto seen = std::make_shared<int>(0);
  const ErasedProcessor erased = erase_processor<int>([seen](const int& value) { *seen = value; });
  REQUIRE(erased.run(erased.object, fixture.call) == CallResult::ok);
  REQUIRE(*seen == 7);
  REQUIRE(seen.use_count() == 2);
  erased.destroy(erased.object);
  REQUIRE(seen.use_count() == 1);
}

TEST_CASE("erase_processor: an error status is kept in the call, an exception passes through",
          "[dispatch]") {
  Fixture fixture;
  const auto fails = erase_processor<int>([](const int&) -> Status { return Errc::retryable; });
  REQUIRE(fails.run(fails.object, fixture.call) == CallResult::failed);
  REQUIRE(fixture.call.error == Errc::retryable);
  fails.destroy(fails.object);
  const auto throws = erase_processor<int>([](const int&) { throw std::runtime_error{"x"}; });
  REQUIRE_THROWS_AS(throws.run(throws.object, fixture.call), std::runtime_error);
  throws.destroy(throws.object);
}

TEST_CASE("erase_processor: a processor's context tells what the call knows", "[dispatch]") {
  Fixture fixture;
  fixture.call.attempt = 4;
  fixture.call.deadline = gossip::SteadyTime{std::chrono::seconds{9}};
  bool right = false;
  const auto erased = erase_processor<int>([&](const Event<int>& event, Context& context) {
    right = event.data() == 7 && context.attempt() == 4 &&
            context.deadline() == fixture.call.deadline &&
            context.subscription() == gossip::SubscriptionId{55, 3} && !context.stop_requested();
  });
  REQUIRE(erased.run(erased.object, fixture.call) == CallResult::ok);
  REQUIRE(right);
  erased.destroy(erased.object);
}

namespace {

bool always_defers(gossip::detail::ContextSupport&, std::chrono::nanoseconds) noexcept {
  return true;
}
constexpr gossip::detail::ContextOperations deferring{.defer = &always_defers};

}  // namespace

TEST_CASE("erase_processor: a failure after another attempt was arranged is not final",
          "[dispatch]") {
  Fixture fixture;
  fixture.call.operations = &deferring;
  const auto erased = erase_processor<int>([](const Event<int>&, Context& context) -> Status {
    const bool before = context.deferred();
    const bool arranged = context.defer(std::chrono::seconds{1});
    return !before && arranged && context.deferred() ? Errc::retryable : Errc::fatal;
  });
  REQUIRE(erased.run(erased.object, fixture.call) == CallResult::deferred);
  REQUIRE(fixture.call.error == Errc::retryable);
  REQUIRE(erased.run(erased.object, fixture.call) == CallResult::deferred);
  REQUIRE(fixture.call.error == Errc::retryable);
  erased.destroy(erased.object);
  const auto simple = erase_processor<int>([](const int&) -> Status { return Errc::retryable; });
  REQUIRE(simple.run(simple.object, fixture.call) == CallResult::failed);
  simple.destroy(simple.object);
}

TEST_CASE("Call: its context goes by the bus's clock and knows the subscription's name",
          "[dispatch]") {
  Fixture fixture;
  fixture.record.name = "mail";
  gossip::ManualClock clock;
  const auto view = gossip::detail::ClockView::of(clock);
  fixture.call.clock = &view;
  clock.advance(std::chrono::hours{1});
  bool right = false;
  const auto erased = erase_processor<int>([&](const Event<int>&, Context& context) {
    right = context.now() == clock.now() && !context.defer(std::chrono::seconds{1}) &&
            context.subscription_name() == "mail";
  });
  REQUIRE(erased.run(erased.object, fixture.call) == CallResult::ok);
  REQUIRE(right);
  erased.destroy(erased.object);
}
