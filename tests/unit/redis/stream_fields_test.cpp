// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_fields.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <string>

using gossip::Metadata;
using gossip::MetadataValue;
using gossip::redis::decode_fields;
using gossip::redis::encode_fields;
using gossip::redis::Fields;
using gossip::redis::Reply;
using gossip::redis::WireEvent;

namespace {

WireEvent sample() {
  WireEvent event{"id-1", "order.placed", -5, "application/json", std::string{"\0\xff", 2}, {}};
  event.metadata.set("text", "5");
  event.metadata.set("number", 5);
  event.metadata.set("least", std::numeric_limits<std::int64_t>::min());
  event.metadata.set("most", std::numeric_limits<std::uint64_t>::max());
  event.metadata.set("real", 0.1);
  event.metadata.set("truth", true);
  event.metadata.set("nothing", MetadataValue{});
  return event;
}

/// The field that is refused; empty if none is.
std::string refused(const Fields& fields) {
  WireEvent event;
  const auto status = decode_fields(fields, event);
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  return error == nullptr ? "" : error->field();
}

}  // namespace

TEST_CASE("stream fields: what was written is read, each metadata value of its kind", "[redis]") {
  const WireEvent event = sample();
  Fields fields;
  REQUIRE(encode_fields(event, fields).ok());
  WireEvent read;
  REQUIRE(decode_fields(fields, read).ok());
  REQUIRE(read == event);
}

TEST_CASE("stream fields: the names are those that are documented", "[redis]") {
  WireEvent event{"id-1", "order.placed", 7, "text/plain", "data", {}};
  event.metadata.set("request_id", "req-1");
  Fields fields;
  REQUIRE(encode_fields(event, fields).ok());
  REQUIRE(fields == Fields{{"id", "id-1"},
                           {"type", "order.placed"},
                           {"time", "7"},
                           {"content-type", "text/plain"},
                           {"data", "data"},
                           {"m:request_id", "\"req-1\""}});
}

TEST_CASE("stream fields: what is missing or malformed is named; what is unknown is not",
          "[redis]") {
  REQUIRE(refused({}) == "type");
  REQUIRE(refused({{"data", ""}}) == "type");
  REQUIRE(refused({{"type", ""}, {"data", ""}}) == "type");
  REQUIRE(refused({{"type", "a"}}) == "data");
  REQUIRE(refused({{"type", "a"}, {"data", ""}, {"time", "7x"}}) == "time");
  REQUIRE(refused({{"type", "a"}, {"data", ""}, {"time", ""}}) == "time");
  REQUIRE(refused({{"type", "a"}, {"data", ""}, {"m:k", "["}}) == "m:k");
  REQUIRE(refused({{"type", "a"}, {"data", ""}, {"m:k", "[1]"}}) == "m:k");
  REQUIRE(refused({{"type", "a"}, {"data", ""}, {"m:", "?"}, {"later", "x"}}).empty());
}

TEST_CASE("stream fields: metadata that is not UTF-8 is refused by the writer", "[redis]") {
  WireEvent event = sample();
  event.metadata.set("bad", "\xff");
  Fields fields;
  REQUIRE(gossip::is_validation(encode_fields(event, fields)));
}

TEST_CASE("stream fields: large data is deflated and marked, and comes back", "[redis]") {
  WireEvent event = sample();
  event.data = std::string(1000, 'x');
  Fields fields;
  REQUIRE(encode_fields(event, fields, 1000).ok());
  REQUIRE(fields[4] == Fields::value_type{"content-encoding", "deflate"});
  REQUIRE(fields[5].first == "data");
  REQUIRE(fields[5].second.size() < 100);
  WireEvent read;
  REQUIRE(decode_fields(fields, read).ok());
  REQUIRE(read == event);
  REQUIRE(gossip::is_validation(decode_fields(fields, read, 999)));
  REQUIRE(encode_fields(event, fields, 1001).ok());
  REQUIRE(fields[4].second == event.data);
  REQUIRE(refused({{"type", "a"}, {"data", "x"}, {"content-encoding", "deflate"}}) == "data");
  REQUIRE(refused({{"type", "a"}, {"data", "x"}, {"content-encoding", "br"}}) ==
          "content-encoding");
}

TEST_CASE("stream_fields: of an entry that is too large nothing is taken", "[redis]") {
  Reply entry = Reply::of_array(
      {Reply::of_text("1-0"), Reply::of_array({Reply::of_text("data"), Reply::of_text("1")})});
  REQUIRE(gossip::redis::check_size(entry).ok());
  entry.items[1].truncated = true;
  REQUIRE(gossip::redis::check_size(entry).what() ==
          "validation failed: field=entry: 1-0 is too large for maximum_payload");
  REQUIRE(gossip::redis::take_fields(entry).empty());
  entry.items[1].truncated = false;
  REQUIRE(gossip::redis::take_fields(entry) == Fields{{"data", "1"}});
  REQUIRE(gossip::redis::check_size(Reply::of_nil()).ok());
}
