// SPDX-License-Identifier: MIT
#include <gossip/redis/connection.hpp>

#include "support/fake_redis.hpp"

#include <catch2/catch_test_macros.hpp>

#include <fcntl.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>

using gossip::Status;
using gossip::redis::Connection;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::test::FakeRedis;
using namespace std::string_literals;

namespace {

/// A connection to a server that answers everything with `bytes`.
struct Fixture {
  explicit Fixture(std::string bytes) : server{[bytes](const std::string&) { return bytes; }} {
    options.port = server.port();
    options.maximum_payload = 1000;
    options.read_count = 1;
    REQUIRE(connection.open(options).ok());
  }
  /// Asks something and waits for the next reply.
  std::optional<Reply> ask(Status& status) {
    bool asked = false;
    for (;;) {
      pollfd socket{connection.descriptor(), connection.interest(), 0};
      if (::poll(&socket, 1, 30'000) <= 0) return std::nullopt;
      status = connection.advance(socket.revents);
      Reply* reply = nullptr;
      if (const Status malformed = connection.next_reply(reply); !malformed.ok()) {
        status = malformed;
      }
      if (reply != nullptr) return *reply;
      if (!status.ok()) return std::nullopt;
      if (connection.established() && !asked) {
        asked = true;
        REQUIRE(connection.send("*1\r\n$4\r\nPING\r\n"));
      }
    }
  }

  FakeRedis server;
  RedisOptions options;
  Connection connection;
};

}  // namespace

TEST_CASE("Connection: replies of every kind arrive as they are", "[redis]") {
  Fixture exact{"*6\r\n+OK\r\n-ERR no\r\n:-7\r\n$3\r\na\0b\r\n$-1\r\n*1\r\n*-1\r\n"s};
  Status status;
  const auto reply = exact.ask(status);
  REQUIRE(reply == Reply::of_array({Reply::of_status("OK"), Reply::of_error("ERR no"),
                                    Reply::of_integer(-7), Reply::of_text(std::string{"a\0b", 3}),
                                    Reply::of_nil(), Reply::of_array({Reply::of_nil()})}));
}

TEST_CASE("Connection: malformed bytes are an error, never worse", "[redis]") {
  for (const char* bytes : {"hello\r\n", "*-7\r\n", "$-2\r\n", ":12x\r\n", "*1\r\n!\r\n", "\r\n"}) {
    INFO(bytes);
    Fixture fixture{bytes};
    Status status;
    REQUIRE_FALSE(fixture.ask(status).has_value());
    REQUIRE(gossip::is_retryable(status));
  }
}

TEST_CASE("Connection: a reply nested too deep is refused", "[redis]") {
  constexpr int most = gossip::redis::ReplyBuilder::max_depth;
  for (const int depth : {most, most + 1, 100'000}) {
    std::string deep;
    for (int i = 0; i < depth; ++i) deep += "*1\r\n";
    Fixture fixture{deep + ":1\r\n"};
    Status status;
    REQUIRE(fixture.ask(status).has_value() == (depth == most));
    REQUIRE(gossip::is_retryable(status) == (depth != most));
  }
}

TEST_CASE("Connection: a huge array or text is refused before it takes memory", "[redis]") {
  for (const std::string& bytes : {std::string{"*1000000000\r\n"},
                                   "$1000000000\r\n" + std::string(std::size_t{3} << 20U, 'x')}) {
    Fixture fixture{bytes};
    Status status;
    REQUIRE_FALSE(fixture.ask(status).has_value());
    REQUIRE(gossip::is_retryable(status));
  }
}

TEST_CASE("Connection: many small parts that are too large together are refused", "[redis]") {
  std::string bytes{"*1000000\r\n"};
  for (int i = 0; i < 50'000; ++i) bytes += "$100\r\n" + std::string(100, 'x') + "\r\n";
  Fixture fixture{bytes};
  Status status;
  REQUIRE_FALSE(fixture.ask(status).has_value());
  REQUIRE(status.what() == "retryable error: redis: a reply is larger than allowed");
}

TEST_CASE("Connection: the end of the stream is an error", "[redis]") {
  Fixture fixture{""};
  Status status;
  REQUIRE_FALSE(fixture.ask(status).has_value());
  REQUIRE(gossip::is_retryable(status));
}

TEST_CASE("Connection: nobody listens", "[redis]") {
  RedisOptions options{.unix_socket = "/nonexistent/gossip.socket"};
  Connection connection;
  REQUIRE(gossip::is_retryable(connection.open(options)));
}

TEST_CASE("Connection: a process that is started does not get it", "[redis]") {
  Fixture fixture{"+PONG\r\n"};
  REQUIRE((::fcntl(fixture.connection.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}
