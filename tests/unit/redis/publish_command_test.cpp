// SPDX-License-Identifier: MIT
#include <gossip/redis/command.hpp>
#include <gossip/redis/framed_fields.hpp>
#include <gossip/redis/publish_command.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <utility>

using gossip::Metadata;
using gossip::redis::append_publish;
using gossip::redis::Command;
using gossip::redis::Delivery;
using gossip::redis::encode_fields;
using gossip::redis::encode_text;
using gossip::redis::Fields;
using gossip::redis::RedisOptions;
using gossip::redis::WireEvent;
using gossip::redis::WireFormat;
using gossip::redis::WireView;

namespace {

WireEvent sample() {
  WireEvent event{"0123456789abcdef0123456789abcdef",
                  "order.placed",
                  1'700'000'000'123'456'789,
                  "application/json",
                  "{\"n\":1}",
                  {}};
  event.metadata.set("tenant", "blue");
  event.metadata.set("count", 5);
  return event;
}
WireView view_of(const WireEvent& event) {
  return {event.id, event.type, event.time_ns, event.content_type, event.data, &event.metadata};
}
std::string written(const RedisOptions& options, const WireEvent& event) {
  std::string wire;
  REQUIRE(append_publish(options, "p:order.placed", view_of(event), wire).ok());
  return wire;
}
/// The same, by way of the fields.
std::string expected_xadd(const RedisOptions& options, const WireEvent& event) {
  Fields fields;
  REQUIRE(encode_fields(event, fields, options.compress_above).ok());
  Command command{"XADD", "p:order.placed"};
  if (options.stream_max_length != 0) {
    command.add("MAXLEN").add("~").add(static_cast<std::int64_t>(options.stream_max_length));
  }
  command.add("*");
  for (auto& [name, value] : fields) command.add(std::move(name)).add(std::move(value));
  std::string wire;
  command.append_to(wire);
  return wire;
}
std::string expected_publish(const RedisOptions& options, const WireEvent& event) {
  std::string text;
  REQUIRE(encode_text(options, event, text).ok());
  std::string wire;
  Command{"PUBLISH", "p:order.placed"}.add(text).append_to(wire);
  return wire;
}

}  // namespace

TEST_CASE("append_publish: XADD with the fields that encode_fields makes", "[redis]") {
  RedisOptions options;
  WireEvent event = sample();
  REQUIRE(written(options, event) == expected_xadd(options, event));
  options.stream_max_length = 1000;
  REQUIRE(written(options, event) == expected_xadd(options, event));
  event.metadata = {};
  REQUIRE(written(options, event) == expected_xadd(options, event));
  WireView bare = view_of(event);
  bare.metadata = nullptr;
  std::string wire;
  REQUIRE(append_publish(options, "p:order.placed", bare, wire).ok());
  REQUIRE(wire == expected_xadd(options, event));
}

TEST_CASE("append_publish: large data is deflated, and says so", "[redis]") {
  RedisOptions options;
  options.compress_above = 100;
  WireEvent event = sample();
  event.data = std::string(1000, 'x');
  REQUIRE(written(options, event) == expected_xadd(options, event));
  REQUIRE(written(options, event).find("content-encoding") != std::string::npos);
  options.delivery = Delivery::pub_sub;
  REQUIRE(written(options, event) == expected_publish(options, event));
  event.data = "not worth it";
  REQUIRE(written(options, event) == expected_publish(options, event));
}

TEST_CASE("append_publish: PUBLISH with the text of each format", "[redis]") {
  RedisOptions options;
  options.delivery = Delivery::pub_sub;
  for (const auto format :
       {WireFormat::stream_fields, WireFormat::gossip_json, WireFormat::cloudevents}) {
    options.format = format;
    REQUIRE(written(options, sample()) == expected_publish(options, sample()));
  }
}

TEST_CASE("append_publish: what cannot be written is refused", "[redis]") {
  WireEvent event = sample();
  event.metadata.set("bytes", "\xff\xfe");
  std::string wire;
  for (const auto delivery : {Delivery::streams, Delivery::pub_sub}) {
    RedisOptions options;
    options.delivery = delivery;
    REQUIRE_FALSE(append_publish(options, "key", view_of(event), wire).ok());
  }
  WireEvent many = sample();
  for (std::size_t i = 0; i <= gossip::redis::max_metadata; ++i) {
    many.metadata.set(std::to_string(i), true);
  }
  REQUIRE(gossip::is_validation(append_publish(RedisOptions{}, "key", view_of(many), wire)));
}
