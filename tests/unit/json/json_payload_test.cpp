// SPDX-License-Identifier: MIT
#include <gossip/json/json_payload.hpp>

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>

using gossip::NoData;
using gossip::detail::json_of;
using gossip::detail::payload_of;
using gossip::detail::read_json;

TEST_CASE("json_of: an event without data is null", "[json]") {
  REQUIRE(json_of<void>(NoData{}).is_null());
  REQUIRE(json_of<int>(7) == 7);
}

TEST_CASE("payload_of: null is no payload, but for a type that says so", "[json]") {
  std::optional<NoData> nothing;
  REQUIRE(payload_of<void>(nullptr, nothing).ok());
  REQUIRE(gossip::is_validation(payload_of<void>(7, nothing)));
  std::optional<int> number;
  REQUIRE_THROWS_AS(payload_of<int>(nullptr, number), nlohmann::json::exception);
  REQUIRE_FALSE(number.has_value());
}

TEST_CASE("read_json: malformed text is an error that says where", "[json]") {
  nlohmann::json value;
  REQUIRE(read_json("{\"a\":[1,2]}", nlohmann::json::input_format_t::json, value).ok());
  REQUIRE(value["a"].size() == 2);
  const auto status = read_json("{\"a\":}", nlohmann::json::input_format_t::json, value);
  REQUIRE(gossip::is_validation(status));
  REQUIRE(std::string{status.what()}.find("column 6") != std::string::npos);
}
