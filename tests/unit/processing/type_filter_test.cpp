// SPDX-License-Identifier: MIT
#include <gossip/processing/type_filter.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace {

using gossip::AnyEvent;
using gossip::by_type;
using gossip::Event;
using gossip::EventPattern;
using gossip::EventType;
using gossip::passes;

constexpr EventType<int> placed{"order.placed"};
constexpr EventType<void> item_added{"order.item.added"};

TEST_CASE("by_type: passes the types that the pattern stands for", "[filter]") {
  CHECK(passes(by_type("order.*"), Event{placed, 1}));
  CHECK_FALSE(passes(by_type("order.*"), Event{item_added}));
  CHECK(passes(by_type("order.>"), Event{item_added}));
  CHECK(passes(by_type("order.placed"), Event{placed, 1}));
  CHECK_FALSE(passes(by_type("order.place"), Event{placed, 1}));
  CHECK(passes(by_type("*.*"), AnyEvent{Event{placed, 1}}));
  CHECK_FALSE(passes(by_type("*"), AnyEvent{Event{placed, 1}}));
}

TEST_CASE("by_type: composes, and takes a pattern made at run time", "[filter]") {
  const auto filter = by_type("order.>") && !by_type(EventPattern{std::string{"*.placed"}});
  CHECK(passes(filter, AnyEvent{Event{item_added}}));
  CHECK_FALSE(passes(filter, AnyEvent{Event{placed, 1}}));
}

}  // namespace
