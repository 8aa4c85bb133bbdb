// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_place.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

using gossip::redis::Command;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::StartAt;
using gossip::redis::StreamPlace;

namespace {

StreamPlace begin(const RedisOptions& options) {
  return StreamPlace::begin(options, {"order.placed", "app:order.placed", {}});
}
std::string question(const StreamPlace& place, const RedisOptions& options) {
  std::string wire;
  place.next_question(options).append_to(wire);
  return wire;
}
Reply entry(const std::string& id, const std::string& event) {
  return Reply::of_array(
      {Reply::of_text(id), Reply::of_array({Reply::of_text("id"), Reply::of_text(event)})});
}
/// A stream whose last entry is that one, as XREVRANGE tells it.
Reply ends_at(const std::string& id, const std::string& event = "event") {
  return Reply::of_array({entry(id, event)});
}

}  // namespace

TEST_CASE("StreamPlace: without a group reading begins behind the end", "[redis]") {
  const RedisOptions options;
  auto place = begin(options);
  REQUIRE(question(place, options).find("XREVRANGE") != std::string::npos);
  REQUIRE(place.answered(options, ends_at("7-0")).refused.ok());
  REQUIRE(place.ready);
  REQUIRE(place.last_id == "7-0");
}

TEST_CASE("StreamPlace: a stream that is empty is read from its beginning", "[redis]") {
  const RedisOptions options;
  auto place = begin(options);
  REQUIRE(place.answered(options, Reply::of_array({})).refused.ok());
  REQUIRE(place.last_id == "0");
}

TEST_CASE("StreamPlace: where to begin may be told, and is not asked for", "[redis]") {
  RedisOptions options;
  options.group = "workers";
  options.start_at = StartAt::id;
  options.start_id = "5-1";
  auto place = begin(options);
  REQUIRE(question(place, options)
              .find("CREATE\r\n$16\r\napp:order.placed\r\n$7\r\nworkers\r\n"
                    "$3\r\n5-1\r\n") != std::string::npos);
  REQUIRE(place.answered(options, Reply::of_status("OK")).refused.ok());
  REQUIRE(place.ready);
  options.start_at = StartAt::beginning;
  REQUIRE(begin(options).last_id == "0");
}

TEST_CASE("StreamPlace: a group begins at the end, and one that exists is joined", "[redis]") {
  RedisOptions options;
  options.group = "workers";
  auto place = begin(options);
  REQUIRE(place.answered(options, ends_at("7-0")).refused.ok());
  REQUIRE_FALSE(place.ready);
  REQUIRE(question(place, options).find("XGROUP") != std::string::npos);
  const auto answer = place.answered(options, Reply::of_error("BUSYGROUP it exists"));
  REQUIRE(answer.refused.ok());
  REQUIRE_FALSE(answer.gap);
  REQUIRE(place.ready);
}

TEST_CASE("StreamPlace: a group that had to be made anew is told of, once", "[redis]") {
  RedisOptions options;
  options.group = "workers";
  auto place = begin(options);
  static_cast<void>(place.answered(options, ends_at("7-0")));
  REQUIRE_FALSE(place.answered(options, Reply::of_status("OK")).gap);
  place.reconnected();
  REQUIRE_FALSE(place.answered(options, ends_at("7-0")).gap);  // the stream is the same
  REQUIRE(question(place, options).find("$3\r\n7-0\r\n") != std::string::npos);
  REQUIRE(place.answered(options, Reply::of_status("OK")).gap);
  place.gap_told = true;
  place.reconnected();
  REQUIRE_FALSE(place.answered(options, ends_at("7-0")).gap);
  REQUIRE_FALSE(place.answered(options, Reply::of_status("OK")).gap);
}

TEST_CASE("StreamPlace: a stream that has lost the entry read last is read from its beginning",
          "[redis]") {
  RedisOptions options;
  // Made again within the millisecond, a stream has the same ids once more.
  const auto now_begins_with =
      GENERATE(as<Reply>{}, Reply::of_array({}), ends_at("9-0"), ends_at("7-0", "another event"));
  auto place = begin(options);
  static_cast<void>(place.answered(options, ends_at("5-0")));
  place.has_read(entry("7-0", "event"));
  place.reconnected();
  REQUIRE(question(place, options).find("XRANGE\r\n$16\r\napp:order.placed\r\n$3\r\n7-0") !=
          std::string::npos);
  REQUIRE(place.answered(options, now_begins_with).gap);
  REQUIRE(place.ready);
  REQUIRE(place.last_id == "0");
  place.reconnected();  // nothing has been read since
  REQUIRE_FALSE(place.answered(options, ends_at("9-0")).gap);
  REQUIRE(place.last_id == "0");
}

TEST_CASE("StreamPlace: a stream that is the same is read on, group or not", "[redis]") {
  RedisOptions options;
  options.group = GENERATE("", "workers");
  auto place = begin(options);
  static_cast<void>(place.answered(options, ends_at("5-0")));
  if (!place.ready) static_cast<void>(place.answered(options, Reply::of_status("OK")));
  place.has_read(entry("7-0", "event"));
  place.reconnected();
  REQUIRE_FALSE(place.answered(options, ends_at("7-0")).gap);
  if (!place.ready) {
    REQUIRE_FALSE(place.answered(options, Reply::of_error("BUSYGROUP it exists")).gap);
  }
  REQUIRE(place.last_id == "7-0");
}

TEST_CASE("StreamPlace: a group of a stream that is another one is made at its beginning",
          "[redis]") {
  RedisOptions options;
  options.group = "workers";
  auto place = begin(options);
  static_cast<void>(place.answered(options, ends_at("7-0")));
  static_cast<void>(place.answered(options, Reply::of_status("OK")));
  place.reconnected();
  const bool made_by_others = GENERATE(true, false);
  static_cast<void>(place.answered(options, Reply::of_array({})));
  REQUIRE(question(place, options).find("workers\r\n$1\r\n0\r\n") != std::string::npos);
  const Reply answer =
      made_by_others ? Reply::of_error("BUSYGROUP it exists") : Reply::of_status("OK");
  REQUIRE(place.answered(options, answer).gap != made_by_others);
  REQUIRE(place.ready);
}

TEST_CASE("StreamPlace: what the server refuses names the event type", "[redis]") {
  RedisOptions options;
  options.group = "workers";
  auto place = begin(options);
  // Without the right to look for the end the group can still be made there.
  REQUIRE(place.answered(options, Reply::of_error("NOPERM no xrevrange")).refused.ok());
  REQUIRE(place.last_id == "$");
  const auto answer = place.answered(options, Reply::of_error("WRONGTYPE no stream"));
  REQUIRE(std::string{answer.refused.what()}.find("order.placed: WRONGTYPE") != std::string::npos);
  REQUIRE_FALSE(place.ready);
}
