// SPDX-License-Identifier: MIT
#include <gossip/core/event_type.hpp>

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>

namespace {

using gossip::EventType;

constexpr EventType<int> created{"auth.user.created"};
constexpr EventType<int> created_again{"auth.user.created"};
constexpr EventType<int> deleted{"auth.user.deleted"};
constexpr EventType<int> ticked_number{"clock.ticked"};
constexpr EventType<void> ticked{"clock.ticked"};
constexpr EventType<int> a{"a"};

static_assert(created.name() == "auth.user.created");
static_assert(std::is_trivially_copyable_v<EventType<int>>);
static_assert(std::is_same_v<EventType<void>::payload_type, void>);
static_assert(created != deleted);
// A text that is no literal does not become a type silently.
static_assert(!std::is_constructible_v<EventType<int>, std::string>);
static_assert(!std::is_convertible_v<std::string_view, EventType<int>>);

std::string message_for(std::string_view name) {
  try {
    static_cast<void>(EventType<int>::parse(name));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("EventTypeName: the same text is told from an equal one", "[event_type]") {
  constexpr EventType<int> first{"order.placed"};
  const auto other = EventType<int>::parse("order.placed");  // has a text of its own
  const auto copy = first;
  REQUIRE(first.key().is_same_text(copy.key()));
  REQUIRE(first.key() == other.key());
  REQUIRE_FALSE(first.key().is_same_text(other.key()));
}

TEST_CASE("EventType: parse accepts tokens joined by dots", "[event_type]") {
  for (const std::string_view name : {"a", "a.b", "A-1_z.9", "-", "_._", "0.1.2.3.4"}) {
    CHECK(EventType<int>::parse(name).name() == name);
  }
}

TEST_CASE("EventType: parse says at which byte a name is invalid", "[event_type]") {
  const struct {
    std::string_view name;
    int position;
  } cases[] = {{"", 0},    {".", 0},       {".a", 0},  {"a.", 2},      {"a..b", 2},
               {"a b", 1}, {"a.*", 2},     {"a.>", 2}, {"caf\xC3", 3}, {"a/b", 1},
               {"a@b", 1}, {"order.{", 6}, {"[", 0},   {"a:b", 1},     {"`", 0}};
  for (const auto& [name, position] : cases) {
    const std::string message = message_for(name);
    INFO(message);
    std::string quoted{'"'};
    quoted += gossip::detail::printable(name);
    quoted += '"';
    CHECK(message.find(quoted) != std::string::npos);
    CHECK(message.find("at byte " + std::to_string(position) + ";") != std::string::npos);
    CHECK(message.find("letters, digits, '_' and '-'") != std::string::npos);
  }
}

TEST_CASE("EventType: parse says where even if the name holds a zero byte", "[event_type]") {
  CHECK(message_for(std::string_view{"a\0b", 3}).find("at byte 1;") != std::string::npos);
}

TEST_CASE("EventType: a name has at most 255 bytes", "[event_type]") {
  CHECK(message_for(std::string(255, 'x')) == "accepted");
  CHECK(message_for(std::string(256, 'x')).find("at byte 255;") != std::string::npos);
  CHECK(message_for(std::string(100'000, 'x')).size() < 1000);
}

TEST_CASE("EventType: a parsed name outlives its text and equals the literal", "[event_type]") {
  auto text = std::string{"auth.user.created"};
  const auto parsed = EventType<int>::parse(text);
  text.assign(text.size(), '?');
  CHECK(parsed == created);
  CHECK(created == created_again);
  CHECK(parsed.key() == created.key());
  CHECK(parsed.key().hash() == created.key().hash());
}

TEST_CASE("EventType: equal names are kept once", "[event_type]") {
  const auto first = EventType<int>::parse(std::string{"kept.once"});
  const auto second = EventType<long>::parse(std::string{"kept.once"});
  CHECK(static_cast<const void*>(first.name().data()) == second.name().data());
}

TEST_CASE("EventType: hash follows equality", "[event_type]") {
  std::unordered_set<EventType<int>> types{created, EventType<int>::parse("auth.user.created")};
  CHECK(types.size() == 1);
  types.insert(deleted);
  CHECK(types.size() == 2);
  CHECK(types.contains(created));
  // The same in every process: 64-bit FNV-1a of "a" is af63dc4c8601ec8c, folded.
  CHECK(a.key().hash() == (0xaf63dc4c8601ec8cULL ^ 0xaf63dc4cULL));
}

TEST_CASE("EventType: void stands for events without data", "[event_type]") {
  CHECK(ticked.name() == "clock.ticked");
  CHECK(EventType<void>::parse("clock.ticked") == ticked);
  CHECK(ticked.key() == ticked_number.key());
}

}  // namespace
