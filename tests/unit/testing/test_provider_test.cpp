// SPDX-License-Identifier: MIT
// What it is for is tested with the TestBus, in test_bus_test.cpp.
#include <gossip/bus/event_bus.hpp>
#include <gossip/testing/test_provider.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>

using gossip::EventBus;
using gossip::EventType;
using gossip::detail::Envelope;
using gossip::detail::EventOpeners;
using gossip::detail::EventSource;
using gossip::detail::EventTime;
using gossip::detail::SharedEvent;
using gossip::detail::TypeEntry;
using gossip::testing::TestProvider;

namespace {

constexpr EventType<std::string> text{"provider.text"};

}  // namespace

TEST_CASE("TestProvider: an EventBus on it works as on any other", "[testing]") {
  EventBus<TestProvider> bus{{.workers = 1}};
  std::string seen;
  const auto subscription = bus.subscribe(text, [&](const std::string& data) { seen = data; });
  CHECK(bus.publish(text, "hello").ok());
  CHECK(bus.drain());
  CHECK(seen == "hello");
}

TEST_CASE("EventOpeners: take an event of a known type out, and free its slot", "[testing]") {
  const gossip::detail::PayloadOperations operations;
  TypeEntry type{text.key(), gossip::payload_info<std::string>(), operations, 0};
  EventOpeners openers;
  CHECK(openers.of(type) == nullptr);
  openers.learn<std::string>(type);
  openers.learn<std::string>(type);
  const auto open = openers.of(type);
  REQUIRE(open != nullptr);

  gossip::detail::EventQueue::Ring ring{2};
  const auto push = [&](std::string data) {
    return ring.try_push_with([&](void* storage) {
      gossip::detail::Parcel<std::string> parcel{text.key(), data};
      auto* envelope = ::new (storage) Envelope;
      envelope->type = &type;
      envelope->time = EventTime{};
      envelope->extras = nullptr;
      parcel.put_into(envelope->payload);
    });
  };
  REQUIRE(push("a text that is longer than what fits into the string itself"));
  REQUIRE(push("second"));
  CHECK_FALSE(push("third"));
  auto claim = ring.try_claim();
  REQUIRE(claim);
  const SharedEvent event = open(claim, EventSource{});
  CHECK(push("third"));
  CHECK(static_cast<const gossip::Event<std::string>&>(*event).data() ==
        "a text that is longer than what fits into the string itself");
  for (const char* expected : {"second", "third"}) {
    auto next = ring.try_claim();
    REQUIRE(next);
    const SharedEvent other = open(next, EventSource{});
    CHECK(static_cast<const gossip::Event<std::string>&>(*other).data() == expected);
  }
}
