// SPDX-License-Identifier: MIT
#include <gossip/redis/connection.hpp>

#include "support/fake_redis.hpp"
#include "support/tls_peer.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <openssl/bio.h>

#include <algorithm>
#include <cstddef>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>

using gossip::Status;
using gossip::redis::Connection;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using gossip::test::TlsPeer;
using namespace std::string_literals;

namespace {

/// A connection to a server that answers everything with `bytes`.
struct Fixture {
  explicit Fixture(std::string bytes) : server{[bytes](const std::string&) { return bytes; }} {
    options.port = server.port();
    options.maximum_payload = 1000;
    options.read_count = options.max_in_flight = 1;
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

TEST_CASE("Connection: an entry that is too large arrives truncated, and what is behind it whole",
          "[redis]") {
  const std::string large(std::size_t{5} << 20U, 'x');
  Fixture fixture{"*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\na\r\n$" + std::to_string(large.size()) +
                  "\r\n" + large + "\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"};
  Status status;
  const auto reply = fixture.ask(status);
  REQUIRE(reply.has_value());
  REQUIRE(reply->items.size() == 2);
  REQUIRE(reply->items[0].items.at(0).text == "1-0");
  REQUIRE(reply->items[0].items.at(1).truncated);
  REQUIRE(reply->items[0].items.at(1).items.size() == 1);
  REQUIRE(reply->items[1].items.at(0).text == "2-0");
  REQUIRE(reply->items[1].items.at(1) ==
          Reply::of_array({Reply::of_text("a"), Reply::of_text("b")}));
}

TEST_CASE("Connection: a connection that is lost within a large text leaves nothing of it",
          "[redis]") {
  Fixture fixture{"*1\r\n*1\r\n$9000000\r\n" + std::string(100'000, 'x')};
  REQUIRE(eventually([&] {
    pollfd socket{fixture.connection.descriptor(), fixture.connection.interest(), 0};
    if (::poll(&socket, 1, 100) > 0) REQUIRE(fixture.connection.advance(socket.revents).ok());
    Reply* reply = nullptr;
    REQUIRE(fixture.connection.next_reply(reply).ok());
    if (fixture.connection.established() && fixture.connection.traffic().sent == 0) {
      REQUIRE(fixture.connection.send("*1\r\n$4\r\nPING\r\n"));
    }
    return fixture.connection.traffic().received > 100'000;
  }));
  FakeRedis other{[](const std::string&) { return "*1\r\n*1\r\n$-1\r\n"; }};
  fixture.options.port = other.port();
  REQUIRE(fixture.connection.open(fixture.options).ok());
  Status status;
  REQUIRE(fixture.ask(status) == Reply::of_array({Reply::of_array({Reply::of_nil()})}));
}

TEST_CASE("Connection: a line without an end is refused", "[redis]") {
  for (const char* kind : {"+", "$", ":", "*1\r\n*1\r\n+"}) {
    Fixture fixture{kind + std::string(std::size_t{3} << 20U, '1')};
    Status status;
    REQUIRE_FALSE(fixture.ask(status).has_value());
    REQUIRE(gossip::is_retryable(status));
  }
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

TEST_CASE("Connection: what goes to and fro is counted", "[redis]") {
  Fixture fixture{"+PONG\r\n"};
  Status status;
  REQUIRE(fixture.ask(status).has_value());
  REQUIRE(fixture.connection.traffic().sent == 14);
  REQUIRE(fixture.connection.traffic().received == 7);
  REQUIRE(fixture.connection.traffic().round_trips == 1);
}

TEST_CASE("Connection: what is small is sent at once, and a dead peer is noticed", "[redis]") {
  Fixture fixture{"+PONG\r\n"};
  Status status;
  REQUIRE(fixture.ask(status).has_value());
  const auto is_on = [&](int level, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    const int socket = fixture.connection.descriptor();
    return ::getsockopt(socket, level, option, &value, &size) == 0 && value != 0;
  };
  REQUIRE(is_on(IPPROTO_TCP, TCP_NODELAY));
  REQUIRE(is_on(SOL_SOCKET, SO_KEEPALIVE));
}

TEST_CASE("Connection: a process that is started does not get it", "[redis]") {
  Fixture fixture{"+PONG\r\n"};
  REQUIRE((::fcntl(fixture.connection.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

namespace {

/// A connection and the other end of it, which have greeted each other by TLS.
struct Secured {
  explicit Secured(int version) : peer{version} {
    options.tls.enabled = true;
    options.tls.verify_peer = false;
    greet(peer);
  }
  void greet(TlsPeer& other) {
    options.port = other.port();
    REQUIRE(connection.open(options).ok());
    other.accept();
    REQUIRE(eventually([&] {
      REQUIRE(connection.advance(ready()).ok());
      return other.shake_hands() && connection.established();
    }));
  }
  /// What a poll() says that does not wait.
  [[nodiscard]] short ready() const {
    pollfd socket{connection.descriptor(), connection.interest(), 0};
    return ::poll(&socket, 1, 0) > 0 ? socket.revents : short{0};
  }
  /// Whether there is something to read, be it wanted or not.
  [[nodiscard]] bool readable() const {
    pollfd socket{connection.descriptor(), POLLIN, 0};
    return ::poll(&socket, 1, 0) > 0;
  }
  /// Waits for the next reply.
  std::string read() {
    Reply* reply = nullptr;
    REQUIRE(eventually([&] {
      REQUIRE(connection.advance(ready()).ok());
      REQUIRE(connection.next_reply(reply).ok());
      return reply != nullptr;
    }));
    return reply->text;
  }
  /// Fills what the system buffers of what the connection writes. @return how much that is // bytes
  [[nodiscard]] std::size_t fill() const {
    const std::string zeros(4096, '\0');
    std::size_t filled = 0;
    std::size_t size = zeros.size();
    for (int refused = 0; refused < 100;) {  // what is on its way to the other end makes room
      const auto sent = ::send(connection.descriptor(), zeros.data(), size, MSG_DONTWAIT);
      if (sent > 0) filled += static_cast<std::size_t>(sent);
      refused = sent > 0 || size > 1 ? 0 : refused + 1;
      if (sent < 0) size = std::max<std::size_t>(1, size / 2);
    }
    return filled;
  }

  TlsPeer peer;
  RedisOptions options;
  Connection connection;
};

}  // namespace

TEST_CASE("Connection: TLS: what is sent waits for what has to be read first, and does not spin",
          "[redis]") {
  Secured secured{TLS1_2_VERSION};
  TlsPeer& peer = secured.peer;
  Connection& connection = secured.connection;
  peer.ask_for_greeting();
  REQUIRE(eventually([&] { return secured.ready() == POLLIN; }));
  REQUIRE(connection.advance(POLLIN).ok());  // greets anew, and waits for the answer
  REQUIRE(connection.send("PING"));
  REQUIRE(connection.advance(0).ok());
  REQUIRE(connection.unsent() == 4);
  REQUIRE(secured.ready() == 0);
  std::string arrived;
  REQUIRE(eventually([&] {
    arrived += peer.receive();
    REQUIRE(connection.advance(secured.ready()).ok());
    return !arrived.empty();
  }));
  REQUIRE(arrived == "PING");
  REQUIRE(peer.send("+PONG\r\n"));
  REQUIRE(secured.read() == "PONG");
  REQUIRE(connection.traffic().sent == 4);
  REQUIRE(connection.traffic().received == 7);
  REQUIRE(connection.traffic().round_trips == 1);
}

TEST_CASE("Connection: TLS: what is read waits for what has to be sent first, and does not spin",
          "[redis]") {
  Secured secured{TLS1_2_VERSION};
  TlsPeer& peer = secured.peer;
  Connection& connection = secured.connection;
  peer.ask_for_greeting();
  REQUIRE(peer.send("+PONG\r\n"));
  REQUIRE(eventually([&] { return secured.ready() == POLLIN; }));
  const std::size_t filled = secured.fill();
  REQUIRE(connection.advance(POLLIN).ok());  // has no room to greet anew
  REQUIRE(secured.readable());
  REQUIRE(secured.ready() == 0);
  std::size_t arrived = 0;
  while (arrived < filled) arrived += peer.receive_raw().size();
  REQUIRE(eventually([&] { return secured.ready() == POLLOUT; }));
  REQUIRE(connection.advance(POLLOUT).ok());
  REQUIRE(eventually([&] { return !peer.receive_raw().empty(); }));
  REQUIRE(secured.read() == "PONG");
}

TEST_CASE("Connection: TLS: what one connection waits for, the next one does not", "[redis]") {
  Secured secured{TLS1_2_VERSION};
  Connection& connection = secured.connection;
  secured.peer.ask_for_greeting();
  const bool writes = GENERATE(true, false);
  if (!writes) REQUIRE(secured.peer.send("+PONG\r\n"));
  REQUIRE(eventually([&] { return secured.ready() == POLLIN; }));
  if (!writes) static_cast<void>(secured.fill());
  REQUIRE(connection.advance(POLLIN).ok());  // greets anew, or has no room for that
  if (writes) REQUIRE(connection.send("PING"));
  REQUIRE(connection.advance(0).ok());
  REQUIRE(connection.interest() == (writes ? POLLIN : POLLOUT));
  TlsPeer next{TLS1_2_VERSION};
  secured.greet(next);
  REQUIRE(connection.interest() == POLLIN);
  REQUIRE(connection.send("PING"));
  REQUIRE(connection.advance(0).ok());
  REQUIRE(connection.unsent() == 0);
}

TEST_CASE("Connection: TLS: errors that others have left behind are not its own", "[redis]") {
  Secured secured{TLS1_3_VERSION};
  TlsPeer& peer = secured.peer;
  Connection& connection = secured.connection;
  // What greeting leaves to be read, sessions to be resumed, would clear the errors away.
  REQUIRE(peer.send("+PONG\r\n"));
  REQUIRE(secured.read() == "PONG");
  REQUIRE_FALSE(secured.readable());
  REQUIRE(BIO_new_file("/nonexistent", "r") == nullptr);
  REQUIRE(connection.advance(POLLIN).ok());
  REQUIRE(BIO_new_file("/nonexistent", "r") == nullptr);
  static_cast<void>(secured.fill());
  REQUIRE(connection.send(std::string(100'000, 'a')));
  REQUIRE(connection.advance(0).ok());
}

TEST_CASE("Connection: TLS: what is sent piece by piece, and read more slowly, arrives as it was",
          "[redis]") {
  Secured secured{TLS1_3_VERSION};
  TlsPeer& peer = secured.peer;
  Connection& connection = secured.connection;
  std::string sent;
  std::string arrived;
  std::size_t most = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::string piece(1 + i * 7919 % 50'000, static_cast<char>('a' + i % 26));
    sent += piece;
    REQUIRE(connection.send(piece));
    REQUIRE(connection.advance(0).ok());
    most = std::max(most, connection.unsent());
    arrived += peer.receive();
  }
  REQUIRE(most > 100'000);  // what it could not write at once came to stand elsewhere
  REQUIRE(eventually([&] {
    REQUIRE(connection.advance(0).ok());
    std::string read;
    while (!(read = peer.receive()).empty()) arrived += read;
    return arrived.size() >= sent.size();
  }));
  REQUIRE((arrived == sent));
  REQUIRE(connection.traffic().sent == sent.size());
}
