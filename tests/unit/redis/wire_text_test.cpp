// SPDX-License-Identifier: MIT
#include <gossip/redis/wire_text.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>

using gossip::redis::decode_text;
using gossip::redis::encode_text;
using gossip::redis::RedisOptions;
using gossip::redis::WireEvent;
using gossip::redis::WireFormat;

TEST_CASE("wire text: framed fields carry every part of an event", "[redis]") {
  WireEvent event{"id-1", "order.placed", 7, "application/json", "{\"a\":1}", {}};
  event.metadata.set("key", 5);
  const RedisOptions options;
  std::string text;
  REQUIRE(encode_text(options, event, text).ok());
  WireEvent read;
  REQUIRE(decode_text(options, text, read).ok());
  REQUIRE(read == event);
  REQUIRE(gossip::is_validation(decode_text(options, "{}", read)));
}

TEST_CASE("wire text: the format that was chosen is written and read", "[redis]") {
  const WireEvent event{"", "order.placed", 7, "application/json", "{\"a\":1}", {}};
  RedisOptions options;
  options.format = WireFormat::gossip_json;
  std::string text;
  REQUIRE(encode_text(options, event, text).ok());
  REQUIRE(text.substr(0, 9) == "{\"Type\":\"");
  WireEvent read;
  REQUIRE(decode_text(options, text, read).ok());
  REQUIRE(read == event);

  options.format = WireFormat::cloudevents;
  text.clear();
  REQUIRE(gossip::is_validation(encode_text(options, event, text)));  // without an id
  WireEvent named = event;
  named.id = "id-1";
  text.clear();
  REQUIRE(encode_text(options, named, text).ok());
  REQUIRE(text.find("\"source\":\"gossip\"") != std::string::npos);
  REQUIRE(decode_text(options, text, read).ok());
  REQUIRE(read == named);
}
