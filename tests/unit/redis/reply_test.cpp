// SPDX-License-Identifier: MIT
#include <gossip/redis/reply.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::redis::Reply;

TEST_CASE("Reply: each kind says what it is", "[redis]") {
  REQUIRE(Reply::of_nil().is_nil());
  REQUIRE(Reply::of_status("OK").is_text());
  REQUIRE(Reply::of_text("").is_text());
  REQUIRE_FALSE(Reply::of_integer(7).is_text());
  REQUIRE(Reply::of_array({Reply::of_integer(7)}).items.at(0).integer == 7);
  REQUIRE(Reply::of_error("ERR no").is_error());
  REQUIRE(Reply{} == Reply::of_nil());
  REQUIRE(Reply::of_nil().is_nil());
  REQUIRE_FALSE(Reply::of_text("").is_nil());
}

TEST_CASE("Reply: a message is no answer", "[redis]") {
  const auto reply_of = [](const char* kind) {
    return Reply::of_array({Reply::of_text(kind), Reply::of_text("a"), Reply::of_text("b")});
  };
  REQUIRE(reply_of("message").is_message());
  REQUIRE(reply_of("pmessage").is_message());
  REQUIRE_FALSE(reply_of("subscribe").is_message());
  REQUIRE_FALSE(Reply::of_text("message").is_message());
  REQUIRE_FALSE(Reply::of_array({Reply::of_text("pong"), Reply::of_text("")}).is_message());
}

TEST_CASE("Reply: an error's code is its first word", "[redis]") {
  REQUIRE(Reply::of_error("NOGROUP No such key").error_code() == "NOGROUP");
  REQUIRE(Reply::of_error("WRONGPASS").error_code() == "WRONGPASS");
  REQUIRE(Reply::of_text("NOGROUP No such key").error_code().empty());
}
