// SPDX-License-Identifier: MIT
#include <gossip/redis/cloud_events.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using gossip::MetadataValue;
using gossip::redis::decode_cloud_event;
using gossip::redis::encode_cloud_event;
using gossip::redis::WireEvent;

namespace {

WireEvent sample() {
  return {"id-1", "order.placed", 1735787045500000000, "application/json", "{\"a\": 1}", {}};
}
std::string written(const WireEvent& event, std::string_view source = "/shop") {
  std::string text;
  const auto status = encode_cloud_event(event, source, text);
  return status.ok() ? text : std::string{status.what()};
}
WireEvent read(std::string_view text) {
  WireEvent event;
  const auto status = decode_cloud_event(text, event);
  CAPTURE(text, status.what());
  REQUIRE(status.ok());
  return event;
}
std::string field_of(const gossip::Status& status) {
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  return error == nullptr ? "none" : error->field();
}
/// The attribute that is named as wrong; "none" if none is.
std::string refused(std::string_view text) {
  WireEvent event;
  return field_of(decode_cloud_event(text, event));
}
std::string refused(const WireEvent& event, std::string_view source = "/shop") {
  std::string text;
  return field_of(encode_cloud_event(event, source, text));
}
/// An event with what is needed, and `more`.
std::string with(const std::string& more) {
  return "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"a\"" + more + "}";
}

}  // namespace

TEST_CASE("cloudevents: a JSON payload is embedded", "[redis]") {
  WireEvent event = sample();
  event.metadata.set("requestid", "req-1");
  event.metadata.set("tries", 3);
  event.metadata.set("urgent", true);
  const std::string text = written(event);
  REQUIRE(text ==
          "{\"specversion\":\"1.0\",\"id\":\"id-1\",\"source\":\"/shop\",\"type\":\"order.placed\","
          "\"time\":\"2025-01-02T03:04:05.5Z\",\"datacontenttype\":\"application/json\","
          "\"requestid\":\"req-1\",\"tries\":3,\"urgent\":true,\"data\":{\"a\":1}}");
  event.data = "{\"a\":1}";
  REQUIRE(read(text) == event);
}

TEST_CASE("cloudevents: other payloads travel as Base64", "[redis]") {
  WireEvent event = sample();
  event.content_type = "application/cbor";
  event.data = std::string{"\0\xff", 2};
  REQUIRE(written(event).find(",\"data_base64\":\"AP8=\"}") != std::string::npos);
  REQUIRE(read(written(event)) == event);
}

TEST_CASE("cloudevents: numbers that its type system lacks become texts", "[redis]") {
  WireEvent event = sample();
  event.metadata.set("least", std::numeric_limits<std::int32_t>::min());
  event.metadata.set("wide", std::int64_t{1} << 40);
  event.metadata.set("most", std::numeric_limits<std::uint64_t>::max());
  event.metadata.set("real", 0.5);
  event.metadata.set("nothing", MetadataValue{});
  const WireEvent back = read(written(event));
  REQUIRE(back.metadata.size() == 4);
  REQUIRE(*back.metadata.find("least") == MetadataValue{std::numeric_limits<std::int32_t>::min()});
  REQUIRE(*back.metadata.find("wide") == MetadataValue{"1099511627776"});
  REQUIRE(*back.metadata.find("most") == MetadataValue{"18446744073709551615"});
  REQUIRE(*back.metadata.find("real") == MetadataValue{"0.5"});
}

TEST_CASE("cloudevents: what others write is read", "[redis]") {
  WireEvent event = read(with(""));
  REQUIRE(event == WireEvent{"1", "a", 0, "application/json", "null", {}});
  event = read(with(",\"datacontenttype\":\"Application/JSON; charset=utf-8\",\"data\": [1.0] "));
  REQUIRE(event.content_type == "application/json");
  REQUIRE(event.data == "[1.0]");
  event = read(with(",\"datacontenttype\":\"application/vnd.x+json\",\"data\":\"x\""));
  REQUIRE(event.content_type == "application/vnd.x+json");
  REQUIRE(event.data == "\"x\"");
  REQUIRE(read(with(",\"datacontenttype\":\"text/plain\",\"data\":\"\\u0041\"")).data == "A");
  REQUIRE(read(with(",\"datacontenttype\":\"text/plain\"")).data.empty());
  REQUIRE(read(with(",\"data_base64\":\"e30=\"")).data == "{}");
  event = read(with(",\"subject\":\"x\",\"list\":[1],\"none\":null"));
  REQUIRE(event.metadata.size() == 2);
  REQUIRE(*event.metadata.find("subject") == MetadataValue{"x"});
  REQUIRE(*event.metadata.find("list") == MetadataValue{"[1]"});
}

TEST_CASE("cloudevents: what is required is required on reading", "[redis]") {
  REQUIRE(refused(with("")) == "none");
  for (const char* text : {"", "null", "[]", "{", "{}x", "\"x\""}) {
    CAPTURE(text);
    REQUIRE(refused(text) == "envelope");
  }
  REQUIRE(refused("{}") == "specversion");
  REQUIRE(refused(with(",\"specversion\":\"0.3\"")) == "specversion");
  REQUIRE(refused(with(",\"specversion\":1")) == "specversion");
  REQUIRE(refused("{\"specversion\":\"1.0\"}") == "id");
  REQUIRE(refused("{\"specversion\":\"1.0\",\"id\":\"1\"}") == "source");
  REQUIRE(refused("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\"}") == "type");
  REQUIRE(refused(with(",\"id\":\"\"")) == "id");
  REQUIRE(refused(with(",\"source\":\"\"")) == "source");
  REQUIRE(refused(with(",\"type\":\"\"")) == "type");
  REQUIRE(refused(with(",\"time\":\"yesterday\"")) == "time");
  REQUIRE(refused(with(",\"datacontenttype\":5")) == "datacontenttype");
  REQUIRE(refused(with(",\"data_base64\":\"?\"")) == "data_base64");
  REQUIRE(refused(with(",\"data\":1,\"data_base64\":\"e30=\"")) == "data");
  REQUIRE(refused(with(",\"real\":1e400")) == "real");
  REQUIRE(refused(with("} {")) == "envelope");
}

TEST_CASE("cloudevents: what it cannot carry is refused at publish, with its name", "[redis]") {
  REQUIRE(refused(sample()) == "none");
  REQUIRE(refused(sample(), "") == "source");
  for (const char* key : {"", "requestId", "request_id", "request-id", "\xc3\xa9", "id", "data",
                          "specversion", "time", "type", "source", "datacontenttype"}) {
    WireEvent event = sample();
    event.metadata.set(key, 1);
    CAPTURE(key);
    REQUIRE(refused(event) == key);
  }
  WireEvent event = sample();
  event.id = "";
  REQUIRE(refused(event) == "id");
  event = sample();
  event.type = "\xff";
  REQUIRE(refused(event) == "type");
  event = sample();
  event.data = "{";
  REQUIRE(refused(event) == "data");
  event = sample();
  event.metadata.set("real", std::numeric_limits<double>::quiet_NaN());
  REQUIRE(refused(event) == "real");
  event = sample();
  event.metadata.set("text", "\xff");
  REQUIRE(refused(event) == "text");
}
