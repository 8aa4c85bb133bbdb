// SPDX-License-Identifier: MIT
#include <gossip/processing/metadata_filter.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace {

using gossip::AnyEvent;
using gossip::by_metadata;
using gossip::Event;
using gossip::EventType;
using gossip::has_metadata;
using gossip::MetadataValue;
using gossip::passes;

constexpr EventType<int> counted{"thing.counted"};
constexpr EventType<void> ticked{"clock.ticked"};

bool matches(MetadataValue there, MetadataValue wanted) {
  const auto event = Event{counted, 1}.with_metadata("key", std::move(there));
  const auto filter = by_metadata("key", std::move(wanted));
  const bool answer = passes(filter, event);
  CHECK(passes(filter, AnyEvent{event}) == answer);
  return answer;
}

TEST_CASE("has_metadata: passes an event that has the key, whatever its value", "[filter]") {
  const auto filter = has_metadata("key");
  CHECK_FALSE(passes(filter, Event{counted, 1}));
  CHECK_FALSE(passes(filter, Event{counted, 1}.with_metadata("other", 1)));
  CHECK(passes(filter, Event{counted, 1}.with_metadata("key", 1)));
  CHECK(passes(filter, Event{counted, 1}.with_metadata("a", 1).with_metadata("key", {})));
  CHECK(passes(has_metadata(""), Event{counted, 1}.with_metadata("", 1)));
}

TEST_CASE("by_metadata: integers of all widths compare by their number", "[filter]") {
  CHECK(matches(std::int8_t{5}, std::uint64_t{5}));
  CHECK(matches(std::uint16_t{5}, std::int64_t{5}));
  CHECK(matches(5, 5L));
  CHECK_FALSE(matches(5, 6));
  CHECK_FALSE(matches(-1, std::numeric_limits<std::uint64_t>::max()));
  CHECK(matches(std::numeric_limits<std::uint64_t>::max(), UINT64_MAX));
}

TEST_CASE("by_metadata: values of unlike kinds never match", "[filter]") {
  const MetadataValue values[] = {1, true, 1.0, "1", {}};
  for (const auto& there : values) {
    for (const auto& wanted : values) CHECK(matches(there, wanted) == (&there == &wanted));
  }
}

TEST_CASE("by_metadata: texts and numbers match by their value", "[filter]") {
  CHECK(matches("a", std::string{"a"}));
  CHECK_FALSE(matches("a", "A"));
  CHECK_FALSE(matches("a", "aa"));
  CHECK(matches(std::string(100, 'x'), std::string(100, 'x')));
  CHECK(matches(0.5, 0.5F));
  CHECK(matches(0.0, -0.0));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(matches(nan, nan));
}

TEST_CASE("by_metadata: looks at its own key alone", "[filter]") {
  const auto event = Event{counted, 1}
                         .with_metadata("first", 1)
                         .with_metadata("second", 2)
                         .with_metadata("third", 3);
  CHECK(passes(by_metadata("second", 2), event));
  CHECK_FALSE(passes(by_metadata("second", 1), event));
  CHECK_FALSE(passes(by_metadata("fourth", 1), event));
  CHECK_FALSE(passes(by_metadata("secon", 2), event));
  CHECK_FALSE(passes(by_metadata("fourth", {}), event));
}

TEST_CASE("metadata filters: compose, and filter events without data and of any type", "[filter]") {
  const auto filter = by_metadata("tenant", 7) && !has_metadata("test");
  CHECK(passes(filter, Event{ticked}.with_metadata("tenant", 7)));
  CHECK_FALSE(passes(filter, Event{ticked}.with_metadata("tenant", 7).with_metadata("test", 1)));
  CHECK(passes(filter, AnyEvent{Event{ticked}.with_metadata("tenant", 7)}));
  CHECK_FALSE(passes(filter, AnyEvent{Event{ticked}}));
  const auto mixed = filter && gossip::where([](int number) { return number > 1; });
  CHECK(passes(mixed, Event{counted, 2}.with_metadata("tenant", 7)));
  CHECK_FALSE(passes(mixed, Event{counted, 1}.with_metadata("tenant", 7)));
  static_assert(!gossip::Filter<decltype(mixed), AnyEvent>);
}

// An event that travels inside another one.
constexpr EventType<AnyEvent> wrapped{"letter.dead"};

TEST_CASE("metadata filters: look at the event, not at an event that is its payload", "[filter]") {
  const auto event =
      Event<AnyEvent>{wrapped, AnyEvent{Event{ticked}.with_metadata("inner", 1)}}.with_metadata(
          "outer", 1);
  CHECK(passes(has_metadata("outer"), event));
  CHECK_FALSE(passes(has_metadata("inner"), event));
  CHECK(passes(has_metadata("outer") && !has_metadata("inner"), event));
}

}  // namespace
