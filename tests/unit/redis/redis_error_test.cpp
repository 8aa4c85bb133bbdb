// SPDX-License-Identifier: MIT
#include <gossip/redis/redis_error.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>

using gossip::redis::class_of;
using gossip::redis::ErrorClass;
using gossip::redis::Reply;
using gossip::redis::status_of;

TEST_CASE("redis errors: each is classed by its first word", "[redis]") {
  const auto of = [](const char* text) { return class_of(Reply::of_error(text)); };
  REQUIRE(class_of(Reply::of_status("OK")) == ErrorClass::none);
  REQUIRE(of("OOM command not allowed when used memory > 'maxmemory'.") == ErrorClass::retry);
  REQUIRE(of("LOADING Redis is loading the dataset in memory") == ErrorClass::reconnect);
  REQUIRE(of("READONLY You can't write against a read only replica.") == ErrorClass::reconnect);
  REQUIRE(of("NOGROUP No such key 'a' or consumer group 'b'") == ErrorClass::no_group);
  REQUIRE(of("UNBLOCKED the stream key no longer exists") == ErrorClass::no_group);
  REQUIRE(of("WRONGTYPE Operation against a key") == ErrorClass::wrong_type);
  REQUIRE(of("NOPERM this user has no permissions") == ErrorClass::denied);
  REQUIRE(of("WRONGPASS invalid username-password pair") == ErrorClass::authentication);
  REQUIRE(of("NOAUTH Authentication required.") == ErrorClass::authentication);
  REQUIRE(of("ERR invalid password") == ErrorClass::other);  // never by what stands behind it
  REQUIRE(of("ERR max number of clients reached") == ErrorClass::other);
  REQUIRE(of("ERR unknown command") == ErrorClass::other);
  REQUIRE(of("") == ErrorClass::other);
}

TEST_CASE("redis errors: a status says what was asked and what was answered", "[redis]") {
  const auto denied = status_of(Reply::of_error("NOPERM no key"), "XADD orders");
  REQUIRE(gossip::is_fatal(denied));
  REQUIRE(std::string{denied.what()}.find("XADD orders: NOPERM no key") != std::string::npos);
  REQUIRE(gossip::is_retryable(status_of(Reply::of_error("OOM full"), "XADD orders")));
  REQUIRE(gossip::is_retryable(status_of(Reply::of_error("READONLY replica"), "XADD orders")));
  REQUIRE(status_of(Reply::of_integer(1), "XACK orders").ok());
}
