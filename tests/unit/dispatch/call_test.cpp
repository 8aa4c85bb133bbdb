// SPDX-License-Identifier: MIT
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/subscription_record.hpp>

#include <catch2/catch_test_macros.hpp>

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
