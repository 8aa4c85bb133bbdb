// SPDX-License-Identifier: MIT
#include <gossip/core/any_event.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace {

using gossip::AnyEvent;
using gossip::Event;
using gossip::EventType;
using gossip::detail::AnyEventAccess;

struct User {
  std::string name;
};
struct Order {
  int number;
};

constexpr EventType<User> created{"user.created"};
constexpr EventType<void> ticked{"clock.ticked"};
constexpr EventType<std::unique_ptr<int>> moved{"only.moved"};

TEST_CASE("AnyEvent: shows what the event shows", "[any_event]") {
  const auto event =
      Event{created, {.name = "alice"}}.with_metadata("k", 1).with_priority(gossip::Priority::high);
  const AnyEvent any{event};
  CHECK(any.type() == "user.created");
  CHECK(any.id() == event.id());
  CHECK(any.timestamp() == event.timestamp());
  CHECK(any.metadata() == event.metadata());
  CHECK(any.priority() == gossip::Priority::high);
  CHECK(&any.payload() == &gossip::payload_info<User>());
}

TEST_CASE("AnyEvent: get and get_if give the payload of the right type", "[any_event]") {
  const AnyEvent any{Event{created, {.name = "alice"}}};
  CHECK(any.get<User>().name == "alice");
  REQUIRE(any.get_if<User>() != nullptr);
  CHECK(any.get_if<User>() == &any.get<User>());
  CHECK(any.get_if<Order>() == nullptr);
  CHECK(any.get_if<void>() == nullptr);
}

TEST_CASE("AnyEvent: get of another type names both types and the event", "[any_event]") {
  const AnyEvent any{Event{created, {.name = "alice"}}};
  bool thrown = false;
  try {
    static_cast<void>(any.get<Order>());
  } catch (const gossip::TypeAssertionError& error) {
    thrown = true;
    CHECK(error.expected() == gossip::payload_info<Order>().name);
    CHECK(error.actual() == gossip::payload_info<User>().name);
    CHECK(error.message() == "user.created");
  }
  CHECK(thrown);
}

TEST_CASE("AnyEvent: get on an event without data says so", "[any_event]") {
  const AnyEvent any{Event{ticked}};
  bool thrown = false;
  try {
    static_cast<void>(any.get<User>());
  } catch (const gossip::NoDataError& error) {
    thrown = true;
    CHECK(error.field() == "data");
    CHECK(error.message() == "clock.ticked");
  }
  CHECK(thrown);
  CHECK(any.get<void>() == gossip::NoData{});
}

TEST_CASE("AnyEvent: one that refers to a delivery shows the very event", "[any_event]") {
  const Event event{created, {.name = "alice"}};
  const AnyEvent view = AnyEventAccess::refer_to(event);
  CHECK(view.get_if<User>() == &event.data());
}

TEST_CASE("AnyEvent: a copy of one that refers owns a copy and outlives the event", "[any_event]") {
  std::optional<AnyEvent> kept;
  std::optional<AnyEvent> assigned{Event{ticked}};
  gossip::EventId id;
  {
    const Event event = Event{created, {.name = "alice"}}.with_metadata("k", 1);
    id = event.id();
    const AnyEvent view = AnyEventAccess::refer_to(event);
    kept.emplace(view);
    *assigned = view;
    CHECK(kept->get_if<User>() != &event.data());
    CHECK(assigned->get_if<User>() != &event.data());
  }
  for (const AnyEvent* any : {&*kept, &*assigned}) {
    CHECK(any->get<User>().name == "alice");
    CHECK(any->id() == id);
    CHECK(any->metadata().contains("k"));
  }
}

TEST_CASE("AnyEvent: copies of one that owns share the event", "[any_event]") {
  std::optional<AnyEvent> first{Event{created, {.name = "alice"}}};
  const AnyEvent second{*first};
  CHECK(second.get_if<User>() == first->get_if<User>());
  first.reset();
  CHECK(second.get<User>().name == "alice");
}

TEST_CASE("AnyEvent: moving leaves the original usable", "[any_event]") {
  AnyEvent first{Event{created, {.name = "alice"}}};
  const AnyEvent second{std::move(first)};
  CHECK(first.get<User>().name == "alice");  // NOLINT(bugprone-use-after-move): promised
  CHECK(second.get_if<User>() == first.get_if<User>());
}

TEST_CASE("AnyEvent: takes over an event with a move-only payload", "[any_event]") {
  const AnyEvent any{Event{moved, std::make_unique<int>(7)}};
  CHECK(*any.get<std::unique_ptr<int>>() == 7);
  const AnyEvent copy{any};  // shares, so it need not copy
  CHECK(copy.get<std::unique_ptr<int>>().get() == any.get<std::unique_ptr<int>>().get());
}

TEST_CASE("AnyEvent: a move-only payload cannot be copied out of a delivery", "[any_event]") {
  const Event event{moved, std::make_unique<int>(7)};
  const AnyEvent view = AnyEventAccess::refer_to(event);
  CHECK(*view.get<std::unique_ptr<int>>() == 7);
  CHECK_THROWS_AS(AnyEvent{view}, gossip::NoDataError);
  AnyEvent target{Event{ticked}};
  CHECK_THROWS_AS(target = view, gossip::NoDataError);
  CHECK(target.type() == "clock.ticked");
}

TEST_CASE("AnyEventAccess: event_if gives the event as what it is", "[any_event]") {
  const Event event{created, {.name = "alice"}};
  const AnyEvent view = AnyEventAccess::refer_to(event);
  CHECK(AnyEventAccess::event_if<User>(view) == &event);
  CHECK(AnyEventAccess::event_if<Order>(view) == nullptr);
}

TEST_CASE("AnyEvent: a copy that is kept does not hold the delivery's receipt", "[any_event]") {
  static int settled = 0;
  settled = 0;
  gossip::ReceiptState state{[](gossip::ReceiptState*) noexcept { ++settled; }};
  std::optional<AnyEvent> kept;
  {
    Event event{created, {.name = "alice"}};
    gossip::detail::EventAccess::header(event).receipt = gossip::Receipt{&state};
    const AnyEvent view = AnyEventAccess::refer_to(event);
    kept.emplace(view);
    CHECK(settled == 0);
  }
  CHECK(settled == 1);
  CHECK(kept->get<User>().name == "alice");
  const AnyEvent shared = *kept;
  CHECK(shared.get_if<User>() == kept->get_if<User>());
}

}  // namespace
