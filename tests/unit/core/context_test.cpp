// SPDX-License-Identifier: MIT
#include <gossip/core/context.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <stop_token>

namespace {

using gossip::Context;
using gossip::SteadyTime;

TEST_CASE("Context: by default no stop, no deadline, the first attempt", "[context]") {
  const std::stop_token none;
  const Context context{none};
  CHECK_FALSE(context.stop_requested());
  CHECK_FALSE(context.stop_token().stop_possible());
  CHECK(context.deadline() == SteadyTime::max());
  CHECK(context.attempt() == 1);
  CHECK(context.subscription() == gossip::SubscriptionId{});
}

TEST_CASE("Context: tells what it was given", "[context]") {
  const std::stop_token none;
  const SteadyTime deadline{std::chrono::seconds{9}};
  const Context context{none, deadline, 3, {17, 4}};
  CHECK(context.deadline() == deadline);
  CHECK(context.attempt() == 3);
  CHECK(context.subscription() == gossip::SubscriptionId{17, 4});
}

TEST_CASE("Context: sees a stop that is requested later, also through a callback", "[context]") {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  const Context context{token};
  bool called = false;
  const std::stop_callback callback{context.stop_token(), [&called] { called = true; }};
  CHECK_FALSE(context.stop_requested());
  source.request_stop();
  CHECK(context.stop_requested());
  CHECK(called);
}

}  // namespace
