// SPDX-License-Identifier: MIT
#include <gossip/redis/gossip_json.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

using gossip::Metadata;
using gossip::MetadataValue;
using gossip::redis::decode_gossip_json;
using gossip::redis::encode_gossip_json;
using gossip::redis::WireEvent;

namespace {

std::string written(const WireEvent& event) {
  std::string text;
  const auto status = encode_gossip_json(event, text);
  return status.ok() ? text : std::string{status.what()};
}
WireEvent read(std::string_view text) {
  WireEvent event;
  const auto status = decode_gossip_json(text, event);
  CAPTURE(text, status.what());
  REQUIRE(status.ok());
  return event;
}
/// The member that is named as wrong; "none" if none is.
std::string refused(std::string_view text) {
  WireEvent event;
  const auto status = decode_gossip_json(text, event);
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  return error == nullptr ? "none" : error->field();
}
std::string refused(const WireEvent& event) {
  std::string text;
  const auto status = encode_gossip_json(event, text);
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  return error == nullptr ? "none" : error->field();
}
WireEvent sample() {
  return {"", "order.placed", 1735787045000000000, "application/json", "{\"b\":1,\"a\":2}", {}};
}

}  // namespace

TEST_CASE("gossip_json: the original's bytes are read, and written back as they were", "[redis]") {
  std::ifstream file{GOSSIP_TEST_DATA "/redis/data/go-wire.jsonl"};
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    std::string expected = line;
    const auto replace = [&](std::string_view from, std::string_view to) {
      if (const auto at = expected.find(from); at != std::string::npos) {
        expected.replace(at, from.size(), to);
      }
    };
    // Two things have more than one spelling in the original, and one in ours.
    replace("\"Metadata\":null", "\"Metadata\":{}");
    replace("2025-01-02T03:04:05.000001+05:30", "2025-01-01T21:34:05.000001Z");
    const WireEvent event = read(line);
    REQUIRE(event.type == "wire.test");
    REQUIRE(event.id.empty());
    REQUIRE(written(event) == expected);
  }
  REQUIRE(lines == 15);
}

TEST_CASE("gossip_json: names in any case and order, unknown ones, white space", "[redis]") {
  const WireEvent event = read(
      " { \"metadata\" : { \"z\" : 1 , \"a\" : [ 2 ] } , \"Id\" : { \"x\" : [ ] } ,"
      "\"DATA\" : { \"q\" : 1.50 } , \"tImEsTaMp\" : \"1970-01-01T00:00:01Z\" , \"type\" : \"a.b\" "
      "} ");
  REQUIRE(event.type == "a.b");
  REQUIRE(event.time_ns == 1000000000);
  REQUIRE(event.content_type == "application/json");
  REQUIRE(event.data == "{ \"q\" : 1.50 }");
  REQUIRE(event.metadata.size() == 2);
  REQUIRE(*event.metadata.find("z") == MetadataValue{1});
  REQUIRE(*event.metadata.find("a") == MetadataValue{"[ 2 ]"});
  REQUIRE(read("{\"Type\":\"a\",\"Timestamp\":\"1970-01-01T00:00:00Z\"}").data == "null");
  REQUIRE(read("{\"Type\":\"a\",\"Timestamp\":\"1970-01-01T00:00:00Z\",\"type\":\"b\"}").type ==
          "b");
  REQUIRE(read("{\"\\u0054ype\":\"\\u0061\",\"Timestamp\":\"1970-01-01T00:00:00Z\"}").type == "a");
}

TEST_CASE("gossip_json: what is no event is an error that names the member", "[redis]") {
  const std::string time{"\"Timestamp\":\"2025-01-02T03:04:05Z\""};
  for (const char* text : {"", "null", "[]", "\"text\"", "5", "{", "{\"x\":1} {}", "{\"x\":[}"}) {
    CAPTURE(text);
    REQUIRE(refused(text) == "envelope");
  }
  REQUIRE(refused("{}") == "Type");
  REQUIRE(refused("{\"Type\":\"\"," + time + "}") == "Type");
  REQUIRE(refused("{\"Type\":5," + time + "}") == "Type");
  REQUIRE(refused("{\"Type\":null," + time + "}") == "Type");
  REQUIRE(refused("{\"Typo\":\"a\"," + time + "}") == "Type");
  REQUIRE(refused("{\"Type\":\"a\"}") == "Timestamp");
  REQUIRE(refused("{\"Type\":\"a\",\"Timestamp\":\"2025-01-02T03:04:05\"}") == "Timestamp");
  REQUIRE(refused("{\"Type\":\"a\",\"Timestamp\":5}") == "Timestamp");
  REQUIRE(refused("{\"Type\":\"a\",\"Timestamp\":null}") == "Timestamp");
  REQUIRE(refused("{\"Type\":\"a\"," + time + ",\"Data\":}") == "Data");
  REQUIRE(refused("{\"Type\":\"a\"," + time + ",\"Metadata\":[]}") == "Metadata");
  REQUIRE(refused("{\"Type\":\"a\"," + time + ",\"Metadata\":{\"k\":1e400}}") == "Metadata");
  REQUIRE(refused("{\"Type\":\"a\"," + time + "} x") == "envelope");
  REQUIRE(refused("{\"Type\":\"a\"," + time + "}") == "none");
  std::string many{"{\"Type\":\"a\"," + time + ",\"Metadata\":{\"0\":0"};
  for (int i = 1; i < 1024; ++i) many += ",\"" + std::to_string(i) + "\":0";
  REQUIRE(refused(many + "}}") == "none");
  REQUIRE(refused(many + ",\"x\":0}}") == "Metadata");
}

TEST_CASE("gossip_json: an event is written with its metadata sorted", "[redis]") {
  WireEvent event = sample();
  event.id = "not written";
  event.metadata.set("z", "<");
  event.metadata.set("a", 1.0);
  event.metadata.set("B", MetadataValue{});
  REQUIRE(written(event) ==
          "{\"Type\":\"order.placed\",\"Timestamp\":\"2025-01-02T03:04:05Z\",\"Data\":{\"b\":1,"
          "\"a\":2},"
          "\"Metadata\":{\"B\":null,\"a\":1,\"z\":\"\\u003c\"}}");
}

TEST_CASE("gossip_json: what it cannot carry is refused at publish", "[redis]") {
  REQUIRE(refused(sample()) == "none");
  WireEvent event = sample();
  event.content_type = "application/cbor";
  REQUIRE(refused(event) == "content-type");
  REQUIRE(written(event).find("application/json alone") != std::string::npos);
  event = sample();
  event.type = "";
  REQUIRE(refused(event) == "type");
  for (const char* data : {"", "{", "1 2", "\"\xff\""}) {
    event = sample();
    event.data = data;
    REQUIRE(refused(event) == "data");
  }
  event = sample();
  event.metadata.set("real", std::numeric_limits<double>::infinity());
  REQUIRE(refused(event) == "real");
  event = sample();
  event.metadata.set("text", "\xff");
  REQUIRE(refused(event) == "text");
  event = sample();
  event.metadata.set("\xff", 1);
  REQUIRE(refused(event) == "metadata");
  event = sample();
  for (int i = 0; i < 1025; ++i) event.metadata.set(std::to_string(i), i);
  REQUIRE(refused(event) == "metadata");
}
