// SPDX-License-Identifier: MIT
// What memory the buffers on the way to and from Redis hold.
#include <gossip/redis/connection.hpp>
#include <gossip/redis/conversation.hpp>
#include <gossip/redis/send_queue.hpp>

#include "support/counting_allocator.hpp"
#include "support/loopback.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using gossip::Status;
using gossip::redis::Connection;
using gossip::redis::Conversation;
using gossip::redis::EventBatch;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::test::eventually;

namespace {

/// A connection, and the other end of it, which reads when it is told to.
struct Pair {
  Pair() {
    RedisOptions options;
    options.port = listener.port();
    REQUIRE(connection.open(options).ok());
    socket = ::accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    REQUIRE(eventually([&] {
      REQUIRE(connection.advance(POLLOUT).ok());
      return connection.established();
    }));
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() { ::close(socket); }
  /// What has arrived, at most as much as there is room for. @return bytes
  [[nodiscard]] std::size_t receive() {
    const ssize_t size = ::recv(socket, room.data(), room.size(), 0);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }

  std::vector<char> room = std::vector<char>(std::size_t{1} << 16U);
  gossip::test::LoopbackListener listener;
  Connection connection;
  int socket = -1;
};

}  // namespace

TEST_CASE("Connection: what is written holds no memory, though more is always waiting",
          "[allocations]") {
  Pair pair;
  Connection& connection = pair.connection;
  const int little = 1 << 18;  // bytes that the system buffers, more or less
  REQUIRE(::setsockopt(connection.descriptor(), SOL_SOCKET, SO_SNDBUF, &little, sizeof little) ==
          0);
  REQUIRE(::setsockopt(pair.socket, SOL_SOCKET, SO_RCVBUF, &little, sizeof little) == 0);
  const std::string piece(std::size_t{1} << 16U, 'x');
  const std::size_t before = gossip::test::bytes_in_use();
  std::size_t most = 0;
  for (std::size_t arrived = 0; arrived < 500 * piece.size();) {
    while (connection.unsent() < 16 * piece.size()) REQUIRE(connection.send(piece));
    const std::size_t held = gossip::test::bytes_in_use() - before;
    most = held > most ? held : most;
    REQUIRE(connection.advance(0).ok());
    if (connection.unsent() == 0) FAIL("the other end is faster than this one");
    arrived += pair.receive();
  }
  REQUIRE(most < 100 * piece.size());
}

TEST_CASE("Connection: a large command that is written leaves no memory behind", "[allocations]") {
  Pair pair;
  Connection& connection = pair.connection;
  const std::size_t before = gossip::test::bytes_in_use();
  REQUIRE(connection.send(std::string(std::size_t{8} << 20U, 'x')));
  REQUIRE(gossip::test::bytes_in_use() - before >= std::size_t{8} << 20U);
  REQUIRE(eventually([&] {
    static_cast<void>(pair.receive());
    REQUIRE(connection.advance(0).ok());
    return connection.unsent() == 0;
  }));
  REQUIRE(gossip::test::bytes_in_use() - before <= std::size_t{1} << 18U);
}

namespace {

/// Whom nothing that happens concerns.
struct Deaf {
  static void on_ready() {}
  static void on_lost(const Status&) {}
  static void on_push(Reply&) {}
  static void on_state(gossip::redis::State, const Status&) {}
  static void on_reply(void*, std::uint64_t, const Status&, Reply&) {}
};

}  // namespace

TEST_CASE("Conversation: a large command that is gone leaves no memory behind", "[allocations]") {
  const RedisOptions options;
  Deaf client;
  Conversation<Deaf> talk{options, client, true, false, 1};
  const std::size_t before = gossip::test::bytes_in_use();
  talk.send({"ECHO", std::string(std::size_t{8} << 20U, 'x')}, {&Deaf::on_reply, nullptr, 0});
  REQUIRE(gossip::test::bytes_in_use() - before >= std::size_t{8} << 20U);
  talk.end();
  REQUIRE(gossip::test::bytes_in_use() - before <= std::size_t{1} << 18U);
}

TEST_CASE("EventBatch: emptied, it keeps no large memory", "[allocations]") {
  EventBatch batch;
  const std::size_t before = gossip::test::bytes_in_use();
  batch.add(std::string(std::size_t{8} << 20U, 'x'), {});
  REQUIRE(gossip::test::bytes_in_use() - before >= std::size_t{8} << 20U);
  batch.clear();
  REQUIRE(gossip::test::bytes_in_use() - before <= std::size_t{1} << 20U);
}
