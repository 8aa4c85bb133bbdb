// SPDX-License-Identifier: MIT
#include <gossip/redis/json_reader.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <string_view>

using gossip::MetadataValue;
using gossip::redis::JsonReader;

namespace {

/// What a value is rewritten to; "malformed" if it is not one value.
std::string rewritten(std::string_view text) {
  JsonReader reader{text};
  std::string json;
  const bool good = reader.rewrite_value(json) && reader.at_end();
  JsonReader again{text};
  std::string_view raw;
  if (good != (again.read_value(raw) && again.at_end())) return "read and rewrite disagree";
  return good ? json : "malformed";
}
std::string text_of(std::string_view json) {
  JsonReader reader{json};
  std::string text;
  return reader.read_text(text) && reader.at_end() ? text : "malformed";
}
MetadataValue metadata(std::string_view json) {
  JsonReader reader{json};
  MetadataValue value{"malformed"};
  static_cast<void>(reader.read_metadata(value));
  return value;
}

}  // namespace

TEST_CASE("JsonReader: every escape of JSON is read", "[redis]") {
  REQUIRE(text_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  REQUIRE(text_of(R"("\u0041\u00e9\u20AC\ud83d\ude00")") == "A\u00e9\u20ac\U0001f600");
  REQUIRE(text_of(R"("\u0000")") == std::string(1, '\0'));
  REQUIRE(text_of("\"\u00e9 \U0001f600\"") == "\u00e9 \U0001f600");
  for (const char* text : {"\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u-123\"",
                           R"("\ud83d")", R"("\ud83dx")", R"("\ud83d\u0041")", R"("\ude00")",
                           "\"\n\"", "\"\xff\"", "\"\xed\xa0\x80\"", "x"}) {
    CAPTURE(text);
    REQUIRE(text_of(text) == "malformed");
  }
}

TEST_CASE("JsonReader: a value is rewritten as Go writes it, its members in their order",
          "[redis]") {
  REQUIRE(rewritten(" { \"b\" : [ 1 , true , null ] ,\n\"a\" : { } , \"<\" : [ ] }\t") ==
          "{\"b\":[1,true,null],\"a\":{},\"\\u003c\":[]}");
  REQUIRE(rewritten("\"\\u00e9\\/\"") == "\"\u00e9/\"");
  REQUIRE(rewritten("-9223372036854775808") == "-9223372036854775808");
  REQUIRE(rewritten("123456789012345678901234567890") == "123456789012345678901234567890");
  REQUIRE(rewritten("-0") == "-0");
  REQUIRE(rewritten("1.0") == "1");
  REQUIRE(rewritten("1E5") == "100000");
  REQUIRE(rewritten("0.00000012") == "1.2e-7");
  REQUIRE(rewritten("1e400") == "1e400");
  REQUIRE(rewritten("0.1234567890123456789") == "0.1234567890123456789");
}

TEST_CASE("JsonReader: what is no value is refused", "[redis]") {
  for (const char* text : {"",
                           " ",
                           "01",
                           "+1",
                           "-",
                           "1.",
                           ".5",
                           "1e",
                           "1e+",
                           "nul",
                           "nulll",
                           "True",
                           "[",
                           "[1",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{1:1}",
                           "{\"a\":1 \"b\":2}",
                           "]",
                           "}",
                           "[}",
                           "{]",
                           "1 2",
                           "'a'",
                           "//",
                           "NaN",
                           "\"a",
                           "\xef\xbb\xbf"
                           "1"}) {
    CAPTURE(text);
    REQUIRE(rewritten(text) == "malformed");
  }
  REQUIRE(rewritten(std::string_view{"1\0", 2}) == "malformed");
}

TEST_CASE("JsonReader: nesting is bounded", "[redis]") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  REQUIRE(rewritten(nested(JsonReader::max_depth)) == nested(JsonReader::max_depth));
  REQUIRE(rewritten(nested(JsonReader::max_depth + 1)) == "malformed");
  REQUIRE(rewritten(std::string(1000000, '[')) == "malformed");
}

TEST_CASE("JsonReader: metadata values keep their kind", "[redis]") {
  REQUIRE(metadata("\"5\"") == MetadataValue{"5"});
  REQUIRE(metadata("5") == MetadataValue{5});
  REQUIRE(metadata("-9223372036854775808") == MetadataValue{INT64_MIN});
  REQUIRE(metadata("18446744073709551615") == MetadataValue{UINT64_MAX});
  REQUIRE(metadata("18446744073709551616") == MetadataValue{18446744073709551616.0});
  REQUIRE(metadata("5.0") == MetadataValue{5.0});
  REQUIRE(metadata(" true") == MetadataValue{true});
  REQUIRE(metadata("false") == MetadataValue{false});
  REQUIRE(metadata("null") == MetadataValue{});
  REQUIRE(metadata("[1, {}]") == MetadataValue{"[1, {}]"});
  REQUIRE(metadata("1e400") == MetadataValue{"malformed"});
  REQUIRE(metadata("") == MetadataValue{"malformed"});
}
