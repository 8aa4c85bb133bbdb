// SPDX-License-Identifier: MIT
#include <gossip/core/event_pattern.hpp>

#include "support/pattern_reference.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using gossip::EventPattern;
using gossip::test::reference_is_pattern;
using gossip::test::reference_matches;

constexpr EventPattern one{"order.*"};
constexpr EventPattern rest{"order.>"};
constexpr EventPattern exact{"order.created"};
constexpr EventPattern any_token{"*"};
constexpr EventPattern made{std::string_view{"*.created"}};

static_assert(one.matches("order.created") && !one.matches("order.item.added"));
static_assert(!one.matches("order") && !one.matches("order.") && !one.matches("orders.created"));
static_assert(rest.matches("order.created") && rest.matches("order.item.added"));
static_assert(!rest.matches("order") && !rest.matches("orders.created"));
static_assert(exact.matches("order.created") && !exact.matches("order.create"));
static_assert(!exact.matches("order.created.twice") && !exact.matches("order.created-twice"));
static_assert(made.matches("user.created") && !made.matches("auth.user.created"));
static_assert(EventPattern{">"}.matches("a") && EventPattern{">"}.matches("a.b.c"));
static_assert(EventPattern{"*"}.matches("a") && !EventPattern{"*"}.matches("a.b"));
static_assert(EventPattern{"a.*.c.>"}.matches("a.b.c.d.e") &&
              !EventPattern{"a.*.c.>"}.matches("a.b.c"));
static_assert(exact.is_exact() && !one.is_exact() && !rest.is_exact() && !made.is_exact());
static_assert(one.text() == "order.*" && one == EventPattern{std::string_view{"order.*"}});
static_assert(!(one == rest));
static_assert(noexcept(one.matches({})) && noexcept(one.is_exact()));
static_assert(std::is_trivially_copyable_v<EventPattern>);
static_assert(std::is_convertible_v<std::string, EventPattern>);
static_assert(std::is_convertible_v<std::string_view, EventPattern>);
static_assert(!std::is_convertible_v<int, EventPattern>);

std::string message_for(std::string_view text) {
  try {
    static_cast<void>(EventPattern{text});
  } catch (const gossip::ValidationError& error) {
    return error.message();
  }
  return "accepted";
}

TEST_CASE("EventPattern: refuses with the position of the fault and what is allowed there",
          "[event_pattern]") {
  const std::string_view start{"a letter, a digit, '_', '-', '*' or '>'"};
  const std::string_view inside{"a letter, a digit, '_', '-', '.' or the end"};
  const std::string_view token{"'.' or the end"};
  const std::string_view end{"the end, since"};
  const struct {
    std::string_view text;
    int position;
    std::string_view allowed;
  } cases[] = {
      {"", 0, start},        {".", 0, start},         {".a", 0, start},       {"a.", 2, start},
      {"a..b", 2, start},    {"*.", 2, start},        {"a. b", 2, start},     {"a b", 1, inside},
      {"order*", 5, inside}, {"order.c>", 7, inside}, {"caf\xC3", 3, inside}, {"a/b", 1, inside},
      {"**", 1, token},      {"a.*b", 3, token},      {"*>", 1, token},       {">>", 1, end},
      {">.a", 1, end},       {"a.>.b", 3, end},       {"a.>b", 3, end},       {"a.>.", 3, end}};
  for (const auto& [text, position, allowed] : cases) {
    const std::string message = message_for(text);
    INFO(message);
    std::string quoted{'"'};
    quoted += gossip::detail::printable(text);
    quoted += '"';
    CHECK(message.find(quoted) != std::string::npos);
    CHECK(message.find("invalid at byte " + std::to_string(position) + ";") != std::string::npos);
    CHECK(message.find(allowed) != std::string::npos);
  }
}

TEST_CASE("EventPattern: a zero byte is no end", "[event_pattern]") {
  CHECK(message_for(std::string_view{"a\0", 2}).find("at byte 1;") != std::string::npos);
  CHECK(message_for(std::string_view{"a.\0", 3}).find("at byte 2;") != std::string::npos);
}

TEST_CASE("EventPattern: check answers what the constructor throws", "[event_pattern]") {
  CHECK(EventPattern::check("order.*").ok());
  const gossip::Status status = EventPattern::check("order.>.x");
  REQUIRE(gossip::is_validation(status));
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  REQUIRE(error != nullptr);
  CHECK(error->field() == "pattern");
  CHECK(error->message() == message_for("order.>.x"));
}

TEST_CASE("EventPattern: has at most 255 bytes, and matches names of that length",
          "[event_pattern]") {
  const std::string longest(255, 'x');
  const EventPattern pattern{std::string_view{longest}};
  CHECK(pattern.text() == longest);
  CHECK(pattern.matches(longest));
  CHECK_FALSE(pattern.matches(std::string(254, 'x')));
  CHECK_FALSE(pattern.matches(std::string(256, 'x')));
  CHECK(any_token.matches(longest));
  const std::string message = message_for(std::string(256, 'x'));
  CHECK(message.find("at byte 255; allowed there: the end") != std::string::npos);
  CHECK(message_for(std::string(254, 'x') + ".*").find("at byte 255;") != std::string::npos);
  CHECK(message_for(std::string(100'000, '*')).size() < 1000);
}

TEST_CASE("EventPattern: owns its text", "[event_pattern]") {
  std::string text{"order.*"};
  const EventPattern pattern{std::string_view{text}};
  text.assign(text.size(), '?');
  CHECK(pattern.text() == "order.*");
  const EventPattern copy = pattern;
  CHECK(copy == pattern);
  CHECK(copy.text().data() != pattern.text().data());
}

/// Text of up to 12 bytes of few kinds, so that tokens often agree.
std::string random_text(std::mt19937& random, std::string_view alphabet) {
  std::string text;
  for (auto size = random() % 12; size != 0; --size) text += alphabet[random() % alphabet.size()];
  return text;
}

TEST_CASE("EventPattern: accepts and matches what the reference does, on random input",
          "[event_pattern]") {
  std::mt19937 random{20'240'607};
  std::size_t patterns = 0;
  std::size_t matches = 0;
  std::size_t wrong = 0;
  std::string first_wrong;
  for (int i = 0; i < 300'000; ++i) {
    const std::string pattern = random_text(random, "ab..**>");
    const std::string name = random_text(random, "ab.");
    const bool valid = reference_is_pattern(pattern);
    bool right = EventPattern::check(pattern).ok() == valid;
    if (right && valid) {
      ++patterns;
      const EventPattern made_here{std::string_view{pattern}};
      const auto has = [&](std::string_view text) {
        return pattern.find(text) != std::string::npos;
      };
      right = made_here.is_exact() == !(has("*") || has(">"));
      const bool matched = made_here.matches(name);
      right = right && matched == reference_matches(pattern, name);
      if (matched) ++matches;
    }
    if (!right && ++wrong == 1) first_wrong = pattern + " against " + name;
  }
  INFO(first_wrong);
  CHECK(wrong == 0);
  CHECK(patterns > 10'000);
  CHECK(matches > 1'000);
}

}  // namespace
