// SPDX-License-Identifier: MIT
#include <gossip/core/metadata.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace {

using gossip::Metadata;
using gossip::MetadataValue;

TEST_CASE("MetadataValue: is nothing by default", "[metadata]") {
  const MetadataValue value;
  CHECK(value.is_null());
  CHECK(value.get_if<bool>() == nullptr);
  CHECK(value.get_if<std::string>() == nullptr);
  CHECK(value.visit([](const auto& v) {
    return std::is_same_v<std::remove_cvref_t<decltype(v)>, std::nullptr_t>;
  }));
}

static_assert(std::is_constructible_v<MetadataValue, signed char> &&
                  std::is_constructible_v<MetadataValue, unsigned char>,
              "std::int8_t and std::uint8_t are numbers");
static_assert(!std::is_constructible_v<MetadataValue, char> &&
                  !std::is_constructible_v<MetadataValue, wchar_t> &&
                  !std::is_constructible_v<MetadataValue, char8_t> &&
                  !std::is_constructible_v<MetadataValue, char16_t> &&
                  !std::is_constructible_v<MetadataValue, char32_t>,
              "a character is neither a number nor a text");

TEST_CASE("MetadataValue: integers of every width that hold one number are equal", "[metadata]") {
  const MetadataValue five{5};
  CHECK(five == MetadataValue{std::int64_t{5}});
  CHECK(five == MetadataValue{std::uint8_t{5}});
  CHECK(five == MetadataValue{5ULL});
  CHECK(five == MetadataValue{short{5}});
  CHECK(five != MetadataValue{6});
  REQUIRE(five.get_if<std::int64_t>() != nullptr);
  CHECK(*five.get_if<std::int64_t>() == 5);
  REQUIRE(five.get_if<std::uint64_t>() != nullptr);
  CHECK(*five.get_if<std::uint64_t>() == 5);
  CHECK(five.get_if<double>() == nullptr);
  CHECK(*MetadataValue{std::uint64_t{0}}.get_if<std::uint64_t>() == 0);
  CHECK(MetadataValue{-3}.get_if<std::uint64_t>() == nullptr);
  CHECK(*MetadataValue{-3}.get_if<std::int64_t>() == -3);
}

TEST_CASE("MetadataValue: an integer never equals a floating-point number or a truth value",
          "[metadata]") {
  CHECK(MetadataValue{5} != MetadataValue{5.0});
  CHECK(MetadataValue{1} != MetadataValue{true});
  CHECK(MetadataValue{0} != MetadataValue{});
  CHECK(MetadataValue{"5"} != MetadataValue{5});
}

TEST_CASE("MetadataValue: an unsigned number beyond the signed range stays unsigned",
          "[metadata]") {
  constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const MetadataValue inside{limit};
  REQUIRE(inside.get_if<std::int64_t>() != nullptr);
  CHECK(*inside.get_if<std::int64_t>() == std::numeric_limits<std::int64_t>::max());
  const MetadataValue beyond{limit + 1};
  REQUIRE(beyond.get_if<std::uint64_t>() != nullptr);
  CHECK(*beyond.get_if<std::uint64_t>() == limit + 1);
  CHECK(beyond.get_if<std::int64_t>() == nullptr);
  CHECK(beyond != MetadataValue{std::numeric_limits<std::int64_t>::min()});
}

TEST_CASE("MetadataValue: truth values, numbers and texts keep their kind", "[metadata]") {
  CHECK(*MetadataValue{true}.get_if<bool>());
  CHECK(*MetadataValue{1.5}.get_if<double>() == 1.5);
  CHECK(*MetadataValue{2.5F}.get_if<double>() == 2.5);
  for (const MetadataValue& text : {MetadataValue{"text"}, MetadataValue{std::string{"text"}}}) {
    REQUIRE(text.get_if<std::string>() != nullptr);
    CHECK(*text.get_if<std::string>() == "text");
  }
  CHECK(*MetadataValue{std::string_view{"text"}}.get_if<std::string>() == "text");
}

TEST_CASE("Metadata: keeps entries in the order in which keys were first set", "[metadata]") {
  Metadata metadata;
  CHECK(metadata.empty());
  metadata.set("b", 1);
  metadata.set("a", "x");
  metadata.set("b", 2);
  CHECK(metadata.size() == 2);
  std::vector<std::string> keys;
  for (const auto& [key, value] : metadata) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"b", "a"});
  CHECK(*metadata.find("b") == MetadataValue{2});
}

TEST_CASE("Metadata: find answers null for a key that is not there", "[metadata]") {
  Metadata metadata;
  metadata.set("key", 1);
  CHECK(metadata.find("other") == nullptr);
  CHECK(metadata.find("ke") == nullptr);
  CHECK(metadata.contains("key"));
  CHECK_FALSE(metadata.contains(""));
}

TEST_CASE("Metadata: equal means the same entries", "[metadata]") {
  Metadata a;
  Metadata b;
  CHECK(a == b);
  a.set("k", 5);
  CHECK(a != b);
  b.set("k", std::int64_t{5});
  CHECK(a == b);
  b.set("k", 5.0);
  CHECK(a != b);
}

TEST_CASE("Metadata: a prepared key finds what its text finds", "[metadata]") {
  // Keys of 0 to 40 bytes that differ in one byte, more of them than have digests.
  std::vector<std::string> keys;
  for (std::size_t size = 0; size <= 40; ++size) {
    keys.emplace_back(size, 'k');
    for (std::size_t at = 0; at < size; at += size < 12 ? 1 : 5) {
      keys.push_back(std::string(size, 'k'));
      keys.back()[at] = at % 2 == 0 ? 'l' : '\xff';
    }
  }
  for (std::size_t first = 0; first < keys.size(); first += 3) {
    Metadata metadata;
    for (std::size_t i = first; i < first + 12 && i < keys.size(); ++i) {
      metadata.set(keys[i], i);
    }
    for (const std::string& key : keys) {
      const gossip::MetadataKey prepared{key};
      REQUIRE(metadata.find(prepared) == metadata.find(key));
      REQUIRE(metadata.contains(prepared) == metadata.contains(key));
      REQUIRE((metadata.find(key) != nullptr) ==
              std::any_of(metadata.begin(), metadata.end(),
                          [&](const auto& entry) { return entry.first == key; }));
    }
  }
  CHECK(gossip::MetadataKey{"tenant"}.text() == "tenant");
  CHECK(Metadata{}.find(gossip::MetadataKey{""}) == nullptr);
}

TEST_CASE("Metadata: a key that is set again keeps its place", "[metadata]") {
  Metadata metadata;
  metadata.set("a", 1);
  metadata.set("b", 2);
  metadata.set("a", 3);
  CHECK(metadata.size() == 2);
  CHECK(*metadata.find(gossip::MetadataKey{"a"}) == MetadataValue{3});
  CHECK(*metadata.find(gossip::MetadataKey{"b"}) == MetadataValue{2});
}

TEST_CASE("Metadata: get_if looks for a key and a kind at once", "[metadata]") {
  Metadata metadata;
  metadata.set("tenant", "acme");
  metadata.set("retries", 3);
  REQUIRE(metadata.get_if<std::string>("tenant") != nullptr);
  CHECK(*metadata.get_if<std::string>("tenant") == "acme");
  CHECK(*metadata.get_if<std::int64_t>(gossip::MetadataKey{"retries"}) == 3);
  CHECK(metadata.get_if<std::string>("retries") == nullptr);
  CHECK(metadata.get_if<std::string>("absent") == nullptr);
  CHECK(metadata.get_if<bool>(gossip::MetadataKey{"tenant"}) == nullptr);
}

TEST_CASE("MetadataValue: truth values are equal to themselves alone", "[metadata]") {
  CHECK(MetadataValue{true} == MetadataValue{true});
  CHECK(MetadataValue{false} == MetadataValue{false});
  CHECK_FALSE(MetadataValue{true} == MetadataValue{false});
  CHECK_FALSE(MetadataValue{false} == MetadataValue{});
  CHECK_FALSE(MetadataValue{false} == MetadataValue{0});
}

TEST_CASE("Metadata: what has been moved from is empty and can be used again", "[metadata]") {
  const gossip::MetadataKey first{"k"};
  const gossip::MetadataKey second{"l"};
  Metadata source;
  source.set("k", 1);
  source.set("l", 2);
  const bool assigned = GENERATE(false, true);
  Metadata target;
  if (assigned) {
    target = std::move(source);
  } else {
    target = Metadata{std::move(source)};
  }
  CHECK(target.size() == 2);
  // NOLINTBEGIN(bugprone-use-after-move): that is what it is about
  CHECK(source.empty());
  CHECK(source == Metadata{});
  CHECK_FALSE(source.contains(first));

  source.set("m", 3);
  Metadata fresh;
  fresh.set("m", 3);
  CHECK(source == fresh);
  CHECK_FALSE(source.contains(second));
  // NOLINTEND(bugprone-use-after-move)
}

}  // namespace
