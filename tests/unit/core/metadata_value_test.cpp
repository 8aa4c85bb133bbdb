// SPDX-License-Identifier: MIT
#include <gossip/core/metadata_value.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

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

TEST_CASE("MetadataValue: truth values are equal to themselves alone", "[metadata]") {
  CHECK(MetadataValue{true} == MetadataValue{true});
  CHECK(MetadataValue{false} == MetadataValue{false});
  CHECK_FALSE(MetadataValue{true} == MetadataValue{false});
  CHECK_FALSE(MetadataValue{false} == MetadataValue{});
  CHECK_FALSE(MetadataValue{false} == MetadataValue{0});
}

TEST_CASE("MetadataValue: texts are equal if they have the same bytes", "[metadata]") {
  // Of 0 to 40 bytes, zeros among them; two that differ do so in one byte, or in their size.
  std::vector<std::string> texts;
  for (std::size_t size = 0; size <= 40; ++size) {
    texts.emplace_back(size, '\0');
    for (std::size_t at = 0; at < size; ++at) {
      texts.emplace_back(size, '\0');
      texts.back()[at] = at % 2 == 0 ? '\x05' : '\xff';
    }
  }
  std::vector<MetadataValue> values(texts.begin(), texts.end());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::size_t k = 0; k < texts.size(); ++k) {
      if ((values[i] == values[k]) != (i == k)) FAIL(i << " and " << k);
    }
    CHECK(*values[i].get_if<std::string>() == texts[i]);
  }
}

TEST_CASE("MetadataValue: floating-point numbers are equal as numbers are", "[metadata]") {
  CHECK(MetadataValue{0.0} == MetadataValue{-0.0});
  CHECK(MetadataValue{1.5} == MetadataValue{1.5F});
  CHECK(MetadataValue{1.5} != MetadataValue{2.5});
  const MetadataValue nan{std::nan("")};
  CHECK_FALSE(nan == nan);
  // A text that looks like one of its numbers inside.
  CHECK(MetadataValue{0.0} != MetadataValue{std::string(8, '\0')});
  CHECK(MetadataValue{std::string(20, '\0')} != MetadataValue{0.0});
}

TEST_CASE("MetadataValue: a value that is assigned another kind equals one of that kind",
          "[metadata]") {
  MetadataValue value{"a text of more than sixteen bytes"};
  value = 5;
  CHECK(value == MetadataValue{5});
  value = "x";
  CHECK(value == MetadataValue{"x"});
  value = {};
  CHECK(value == MetadataValue{});
}

}  // namespace

TEST_CASE("MetadataValue: what has been moved from is nothing", "[metadata]") {
  for (const char* text : {"short", "a text that is too long to be held in place"}) {
    MetadataValue from{text};
    const MetadataValue constructed{std::move(from)};
    CHECK(from.is_null());  // NOLINT(bugprone-use-after-move): promised
    CHECK(from == MetadataValue{});
    CHECK(constructed == MetadataValue{text});

    MetadataValue again{constructed};
    MetadataValue assigned{1};
    assigned = std::move(again);
    CHECK(again.is_null());  // NOLINT(bugprone-use-after-move): promised
    CHECK(assigned == constructed);
    assigned = *&assigned;
    CHECK(assigned == constructed);
  }
}
