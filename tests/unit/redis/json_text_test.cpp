// SPDX-License-Identifier: MIT
#include <gossip/redis/json_text.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using gossip::MetadataValue;
using gossip::redis::append_json_real;
using gossip::redis::append_json_text;
using gossip::redis::append_json_value;

namespace {

/// The JSON of a value; "refused" if there is none.
std::string json(std::string_view value) {
  std::string text;
  return append_json_text(value, text) ? text : "refused";
}
std::string json(double value) {
  std::string text;
  return append_json_real(value, text) ? text : "refused";
}
std::string json(const MetadataValue& value) {
  std::string text;
  return append_json_value(value, text) ? text : "refused";
}

}  // namespace

TEST_CASE("JSON text: strings are escaped as Go does", "[redis]") {
  REQUIRE(json(std::string_view{"<a & \"b\">\\ /"}) ==
          "\"\\u003ca \\u0026 \\\"b\\\"\\u003e\\\\ /\"");
  REQUIRE(json(std::string_view{"\b\f\n\r\t\x1f\x7f"}) == "\"\\b\\f\\n\\r\\t\\u001f\x7f\"");
  REQUIRE(json(std::string_view{"\0", 1}) == "\"\\u0000\"");
  REQUIRE(json(std::string_view{"\u2027\u2028\u2029\u202a \u00e9"}) ==
          "\"\u2027\\u2028\\u2029\u202a \u00e9\"");
  REQUIRE(json(std::string_view{"\xff"}) == "refused");
}

TEST_CASE("JSON text: floating-point numbers are written as Go does", "[redis]") {
  REQUIRE(json(0.0) == "0");
  REQUIRE(json(-0.0) == "-0");
  REQUIRE(json(1.0) == "1");
  REQUIRE(json(-1.5) == "-1.5");
  REQUIRE(json(100.25) == "100.25");
  REQUIRE(json(0.1) == "0.1");
  REQUIRE(json(0.000001) == "0.000001");
  REQUIRE(json(0.00000123) == "0.00000123");
  REQUIRE(json(0.00000012) == "1.2e-7");
  REQUIRE(json(1e-10) == "1e-10");
  REQUIRE(json(5e-324) == "5e-324");
  REQUIRE(json(1e20) == "100000000000000000000");
  REQUIRE(json(123456789012345678901.0) == "123456789012345680000");
  REQUIRE(json(1e21) == "1e+21");
  REQUIRE(json(-1.25e21) == "-1.25e+21");
  REQUIRE(json(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
  REQUIRE(json(std::numeric_limits<double>::infinity()) == "refused");
  REQUIRE(json(std::numeric_limits<double>::quiet_NaN()) == "refused");
}

TEST_CASE("JSON text: metadata values are written, each as its kind", "[redis]") {
  REQUIRE(json(MetadataValue{}) == "null");
  REQUIRE(json(MetadataValue{true}) == "true");
  REQUIRE(json(MetadataValue{false}) == "false");
  REQUIRE(json(MetadataValue{"5"}) == "\"5\"");
  REQUIRE(json(MetadataValue{2.5}) == "2.5");
  REQUIRE(json(MetadataValue{std::numeric_limits<std::int64_t>::min()}) == "-9223372036854775808");
  REQUIRE(json(MetadataValue{std::numeric_limits<std::uint64_t>::max()}) == "18446744073709551615");
}
