// SPDX-License-Identifier: MIT
#include <gossip/dispatch/delivery.hpp>

#include "support/registry_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

using gossip::Event;
using gossip::EventType;
using gossip::SubscribeOptions;
using gossip::SubscriptionId;
using gossip::detail::Call;
using gossip::detail::Delivery;
using gossip::detail::erase_processor;
using gossip::detail::PayloadOperations;
using gossip::detail::Registry;
using gossip::detail::SubscriptionRecord;
using gossip::detail::ThreadSlot;
using gossip::detail::ThreadSlots;
using gossip::detail::TypeEntry;
using Fixture = gossip::test::RegistryFixture;

TEST_CASE("Delivery: a processor that throws does not keep the event from the next", "[dispatch]") {
  Fixture fixture;
  int calls = 0;
  fixture.subscribe([](const int&) { throw std::runtime_error{"broken"}; }, {.name = "thrower"});
  fixture.subscribe([](const int&) -> gossip::Status { return gossip::Errc::fatal; },
                    {.name = "failer"});
  fixture.subscribe([](const int&) { throw 5; }, {.name = "five"});
  fixture.subscribe([&](const int& value) { calls += value; });
  REQUIRE(fixture.dispatch(7) == 4);
  REQUIRE(calls == 7);
  REQUIRE(fixture.failures.size() == 3);
  REQUIRE(fixture.failures[0].find("thrower: ") == 0);
  REQUIRE(fixture.failures[0].find("broken") != std::string::npos);
  REQUIRE(fixture.failures[1].find("failer: ") == 0);
  REQUIRE(fixture.failures[2].find("five: ") == 0);
  REQUIRE(fixture.mine.delivered.total() == 1);
}

TEST_CASE("Delivery: it announces the call that runs, and nothing afterwards", "[dispatch]") {
  Fixture fixture;
  bool announced = false;
  fixture.subscribe(
      [&](const int&) { announced = fixture.mine.busy() && fixture.mine.depth == 1; });
  fixture.dispatch(1);
  REQUIRE(announced);
  REQUIRE_FALSE(fixture.mine.busy());
  REQUIRE(fixture.mine.depth == 0);
}

TEST_CASE("Delivery: after the deadline no processor is begun, and each is reported",
          "[dispatch]") {
  Fixture fixture;
  int calls = 0;
  fixture.subscribe([&](const int&) { ++calls; }, {.name = "a"});
  fixture.subscribe([&](const int&) { ++calls; }, {.name = "b"});
  const gossip::SteadyTime past = std::chrono::steady_clock::now() - std::chrono::seconds{1};
  fixture.dispatch(1, fixture.mine, past);
  REQUIRE(calls == 0);
  REQUIRE(fixture.failures.size() == 2);
  REQUIRE(fixture.failures[0].find("a: ") == 0);
  REQUIRE(fixture.failures[0].find("timed out") != std::string::npos);
}

TEST_CASE("Delivery: once a stop is requested no processor is begun", "[dispatch]") {
  Fixture fixture;
  std::stop_source source;
  int calls = 0;
  fixture.subscribe([&](const int&) {
    ++calls;
    source.request_stop();
  });
  fixture.subscribe([&](const int&) { ++calls; }, {.name = "second"});
  fixture.dispatch(1, fixture.mine, gossip::SteadyTime::max(), source.get_token());
  REQUIRE(calls == 1);
  REQUIRE(fixture.failures.size() == 1);
  REQUIRE(fixture.failures[0].find("cancelled") != std::string::npos);
}

TEST_CASE("Delivery: a type without subscriptions calls nobody", "[dispatch]") {
  Fixture fixture;
  REQUIRE(fixture.dispatch(1) == 0);
}

TEST_CASE("Delivery: goes to who is subscribed when it begins", "[dispatch]") {
  Fixture fixture;
  int early = 0;
  int late = 0;
  fixture.subscribe([&](const int&) { ++early; });
  const Event<int> event{EventType<int>{"delivery.number"}, 1};
  const std::stop_token stop;
  Call call{event, stop, {}};
  {
    Delivery delivery{fixture.mine, fixture.registry, fixture.type};
    fixture.subscribe([&](const int&) { ++late; });
    REQUIRE(delivery.run(call) == 1);
  }
  REQUIRE(early == 1);
  REQUIRE(late == 0);
}

TEST_CASE("Delivery: deliveries nest, and each goes through its own list", "[dispatch]") {
  Fixture fixture;
  std::vector<int> seen;
  fixture.subscribe([&](const int& value) {
    seen.push_back(value);
    if (value < 3) fixture.dispatch(value + 1);
    seen.push_back(-value);
  });
  REQUIRE(fixture.dispatch(1) == 1);
  REQUIRE(seen == std::vector<int>{1, 2, 3, -3, -2, -1});
}

TEST_CASE("Delivery: a processor cancelled by the one before it is not called", "[dispatch]") {
  Fixture fixture;
  SubscriptionId second;
  int calls = 0;
  fixture.subscribe([&](const int&) { fixture.registry.cancel(second, &fixture.mine); });
  second = fixture.subscribe([&](const int&) { ++calls; });
  fixture.dispatch(1);
  REQUIRE(calls == 0);
}

TEST_CASE("Delivery: what the failure sink throws ends a walk, which counts what it has done",
          "[dispatch]") {
  Fixture fixture;
  for (int i = 0; i < 2; ++i) fixture.subscribe([](const int&) {}, {.name = "before"});
  fixture.subscribe([](const int&) -> gossip::Status { return gossip::Errc::fatal; });
  fixture.subscribe([](const int&) {}, {.name = "behind"});
  const Event<int> event{EventType<int>{"delivery.number"}, 1};
  const std::stop_token stop;
  for (const bool limited : {false, true}) {
    Call call{event, stop, {[](void*, Call&, const SubscriptionRecord&) { throw 5; }, nullptr}};
    call.limited = limited;
    Delivery delivery{fixture.mine, fixture.registry, fixture.type};
    REQUIRE_THROWS_AS(delivery.run(call), int);
  }
  REQUIRE(fixture.mine.delivered.total() == 4);
  fixture.registry.for_each(
      [](const SubscriptionRecord& record, SubscriptionId, std::uint64_t delivered) {
        REQUIRE(delivered == (record.name == "before" ? 2 : 0));
      });
}
