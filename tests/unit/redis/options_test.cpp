// SPDX-License-Identifier: MIT
#include <gossip/redis/options.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

using gossip::redis::Delivery;
using gossip::redis::RedisOptions;
using gossip::redis::Secret;
using gossip::redis::StartAt;
using gossip::redis::validate;
using gossip::redis::WireFormat;
using namespace std::chrono_literals;

namespace {

/// The field that `options` are refused for; empty if they are not.
template <class Change>
std::string refused(Change change) {
  RedisOptions options;
  change(options);
  const gossip::Status status = validate(options);
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  return error == nullptr ? "" : error->field();
}

}  // namespace

TEST_CASE("RedisOptions: the defaults are valid", "[redis]") {
  REQUIRE(validate(RedisOptions{}).ok());
}

TEST_CASE("RedisOptions: each field out of range is named", "[redis]") {
  using O = RedisOptions&;
  REQUIRE(refused([](O o) { o.host = ""; }) == "host");
  REQUIRE(refused([](O o) { o.host = "", o.unix_socket = "/x"; }).empty());
  REQUIRE(refused([](O o) { o.port = 0; }) == "port");
  REQUIRE(refused([](O o) { o.client_name = "a b"; }) == "client_name");
  REQUIRE(refused([](O o) { o.tls.certificate = "a.pem"; }) == "tls.key");
  REQUIRE(refused([](O o) { o.tls.ca_file = "ca.pem"; }) == "tls.enabled");
  REQUIRE(refused([](O o) { o.tls.enabled = true, o.tls.ca_file = "ca.pem"; }).empty());
  REQUIRE(refused([](O o) { o.host = "", o.unix_socket = "/x", o.tls.enabled = true; }) ==
          "tls.server_name");
  REQUIRE(refused([](O o) { o.format = WireFormat::cloudevents; }) == "format");
  REQUIRE(refused([](O o) {
            o.format = WireFormat::cloudevents;
            o.delivery = Delivery::pub_sub;
          }).empty());
  REQUIRE(refused([](O o) {
            o.format = WireFormat::cloudevents;
            o.delivery = Delivery::pub_sub;
            o.source = "";
          }) == "source");
  REQUIRE(refused([](O o) { o.stream_max_length = std::uint64_t{1} << 63U; }) ==
          "stream_max_length");
  REQUIRE(refused([](O o) { o.maximum_payload = 0; }) == "maximum_payload");
  REQUIRE(refused([](O o) {
            o.format = WireFormat::gossip_json;
            o.delivery = Delivery::pub_sub;
            o.compress_above = 1;
          }) == "compress_above");
  REQUIRE(refused([](O o) { o.start_at = StartAt::id; }) == "start_id");
  REQUIRE(refused([](O o) { o.start_at = StartAt::id, o.start_id = "yesterday"; }) == "start_id");
  for (const char* id : {"-", "--", "17-", "-17", "17-0-1", "17 "}) {
    REQUIRE(refused([&](O o) { o.start_at = StartAt::id, o.start_id = id; }) == "start_id");
  }
  REQUIRE(refused([](O o) { o.start_at = StartAt::id, o.start_id = "17-0"; }).empty());
  REQUIRE(refused([](O o) { o.start_at = StartAt::id, o.start_id = "1700000000000"; }).empty());
  REQUIRE(refused([](O o) { o.read_count = 0; }) == "read_count");
  REQUIRE(refused([](O o) { o.max_in_flight = 0; }) == "max_in_flight");
  REQUIRE(refused([](O o) { o.max_deliveries = 0; }) == "max_deliveries");
  REQUIRE(refused([](O o) { o.writer_capacity = 0; }) == "writer_capacity");
  REQUIRE(refused([](O o) { o.pipeline = 0; }) == "pipeline");
  REQUIRE(refused([](O o) { o.block = 0ms; }) == "block");
  REQUIRE(refused([](O o) { o.block = o.command_timeout; }) == "block");
  REQUIRE(refused([](O o) { o.claim_after = 25h; }) == "claim_after");
  REQUIRE(refused([](O o) { o.claim_after = 49ms; }) == "claim_after");
  REQUIRE(refused([](O o) { o.connect_timeout = -1ms; }) == "connect_timeout");
  REQUIRE(refused([](O o) { o.command_timeout = 0ms; }) == "command_timeout");
  REQUIRE(refused([](O o) { o.health_interval = 0ms; }) == "health_interval");
  REQUIRE(refused([](O o) { o.back_off_initial = 0ms; }) == "back_off_initial");
  REQUIRE(refused([](O o) { o.back_off_cap = 1ms; }) == "back_off_cap");
  REQUIRE(refused([](O o) { o.back_off_jitter = 1.5; }) == "back_off_jitter");
  REQUIRE(refused([](O o) { o.back_off_jitter = std::numeric_limits<double>::quiet_NaN(); }) ==
          "back_off_jitter");
}

TEST_CASE("RedisOptions: a message names the value and what is allowed", "[redis]") {
  const auto status = validate(RedisOptions{.read_count = 0});
  REQUIRE(std::string{status.what()}.find("read_count is 0; allowed: 1 to 100000") !=
          std::string::npos);
}

TEST_CASE("Secret: it does not turn into text by itself", "[redis]") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Secret, std::string>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Secret, std::string_view>);
  REQUIRE(Secret{"hidden"}.reveal() == "hidden");
  REQUIRE(Secret{}.empty());
}

TEST_CASE("State: each has a name", "[redis]") {
  using gossip::redis::State;
  REQUIRE(std::string_view{to_string(State::connecting)} == "connecting");
  REQUIRE(std::string_view{to_string(State::degraded)} == "degraded");
}
