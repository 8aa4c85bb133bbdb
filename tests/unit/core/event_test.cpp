// SPDX-License-Identifier: MIT
#include <gossip/core/event.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <latch>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gossip::Event;
using gossip::EventId;
using gossip::EventType;
using gossip::Priority;

struct User {
  std::string id;
  std::string name;
};

constexpr EventType<User> created{"auth.user.created"};
constexpr EventType<void> ticked{"clock.ticked"};
constexpr EventType<std::unique_ptr<int>> moved{"only.moved"};

static_assert(std::is_same_v<Event<User>::payload_type, User>);
static_assert(std::is_same_v<decltype(Event{created, {.id = "1", .name = "a"}}), Event<User>>);
static_assert(std::is_same_v<decltype(Event{ticked}), Event<void>>);
static_assert(std::is_copy_constructible_v<Event<User>>);
static_assert(!std::is_copy_constructible_v<Event<std::unique_ptr<int>>>);
static_assert(std::is_nothrow_move_constructible_v<Event<User>>);
// What is published is immutable: no member changes the payload.
static_assert(std::is_same_v<decltype(std::declval<Event<User>&>().data()), const User&>);

TEST_CASE("Event: has type, payload and the time of its making", "[event]") {
  const auto before = std::chrono::system_clock::now();
  const Event event{created, {.id = "123", .name = "alice"}};
  const auto after = std::chrono::system_clock::now();
  CHECK(event.type() == "auth.user.created");
  CHECK(event.data().id == "123");
  CHECK(event.data().name == "alice");
  CHECK(event.timestamp() >= before);
  CHECK(event.timestamp() <= after);
  CHECK(event.priority() == Priority::normal);
  CHECK(event.metadata().empty());
}

TEST_CASE("Event: chaining sets metadata and priority", "[event]") {
  const auto event = Event{created, {.id = "1", .name = "a"}}
                         .with_metadata("request_id", "req-1")
                         .with_metadata("tries", 3)
                         .with_priority(Priority::high)
                         .with_metadata("tries", 4);
  CHECK(event.metadata().size() == 2);
  CHECK(*event.metadata().find("request_id") == gossip::MetadataValue{"req-1"});
  CHECK(*event.metadata().find("tries") == gossip::MetadataValue{4});
  CHECK(event.priority() == Priority::high);
  CHECK(event.data().id == "1");
}

TEST_CASE("Event: what is chained to a temporary one can be kept by reference", "[event]") {
  static_assert(
      std::is_same_v<decltype(Event{created, User{}}.with_metadata("k", 1)), Event<User>>);
  static_assert(
      std::is_same_v<decltype(Event{created, User{}}.with_priority(Priority::low)), Event<User>>);
  static_assert(noexcept(Event{created, User{}}.with_priority(Priority::low)));
  const std::string name(100, 'n');
  const auto& event = Event{created, {.id = "1", .name = name}}.with_metadata("k", 1);
  const auto& urgent = Event{created, {.id = "2", .name = name}}.with_priority(Priority::high);
  CHECK(event.data().name == name);
  CHECK(event.metadata().contains("k"));
  CHECK(urgent.data().name == name);
  CHECK(urgent.priority() == Priority::high);
}

TEST_CASE("Event: chaining on an lvalue changes that event", "[event]") {
  Event event{created, {.id = "1", .name = "a"}};
  Event<User>& same = event.with_metadata("k", true).with_priority(Priority::low);
  CHECK(&same == &event);
  CHECK(event.metadata().contains("k"));
  CHECK(event.priority() == Priority::low);
}

TEST_CASE("Event: of void has no data", "[event]") {
  const Event event{ticked};
  CHECK(event.type() == "clock.ticked");
  CHECK(event.data() == gossip::NoData{});
}

TEST_CASE("Event: a move-only payload moves with it", "[event]") {
  Event event{moved, std::make_unique<int>(7)};
  const Event<std::unique_ptr<int>> taken{std::move(event)};
  REQUIRE(taken.data() != nullptr);
  CHECK(*taken.data() == 7);
}

TEST_CASE("Event: ids are unique over threads and stay the same", "[event]") {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 500;
  std::vector<std::vector<EventId>> made(threads);
  std::latch start{threads};
  {
    std::vector<std::jthread> pool;
    for (auto& ids : made) {
      pool.emplace_back([&ids, &start] {
        start.arrive_and_wait();
        for (std::size_t i = 0; i < each; ++i) {
          const Event event{ticked};
          const EventId id = event.id();
          if (event.id() == id) ids.push_back(id);
        }
      });
    }
  }
  std::set<EventId> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  CHECK(all.size() == threads * each);
}

TEST_CASE("Event: a copy has the same id and time and a life of its own", "[event]") {
  auto original = std::make_unique<Event<User>>(created, User{"1", "alice"});
  original->with_metadata("k", 1);
  Event copy{*original};
  CHECK(copy.id() == original->id());
  CHECK(copy.timestamp() == original->timestamp());
  copy.with_metadata("k", 2);
  CHECK(*original->metadata().find("k") == gossip::MetadataValue{1});
  const EventId id = original->id();
  original.reset();
  CHECK(copy.id() == id);
  CHECK(copy.data().name == "alice");
}

TEST_CASE("Event: moving keeps an id that somebody has seen", "[event]") {
  Event event{ticked};
  const EventId id = event.id();
  const Event<void> taken{std::move(event)};
  CHECK(taken.id() == id);
}

TEST_CASE("Event: assignment replaces everything", "[event]") {
  Event target = Event{created, {.id = "1", .name = "a"}}.with_metadata("old", 1);
  const Event source = Event{created, {.id = "2", .name = "b"}}.with_priority(Priority::low);
  target = source;
  CHECK(target.data().id == "2");
  CHECK(target.id() == source.id());
  CHECK(target.metadata().empty());
  CHECK(target.priority() == Priority::low);
}

}  // namespace
