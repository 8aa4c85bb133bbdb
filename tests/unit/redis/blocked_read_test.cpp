// SPDX-License-Identifier: MIT
#include <gossip/redis/blocked_read.hpp>

#include "support/fake_redis.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <string>

using gossip::redis::BlockedRead;
using gossip::redis::Command;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::Writer;
using gossip::test::eventually;

namespace {

/// A writer, and a server that counts CLIENT UNBLOCK and hangs up when it is asked to QUIT.
struct Fixture {
  std::atomic<int> unblocked{0};
  gossip::test::FakeRedis server{gossip::test::greeting([this](const std::string& words) {
    if (words.find("UNBLOCK") != std::string::npos) ++unblocked;
    return std::string{words.find("QUIT") != std::string::npos ? "" : "+OK\r\n"};
  })};
  const RedisOptions options = [this] {
    RedisOptions some;
    some.port = server.port();
    some.back_off_initial = some.back_off_cap = std::chrono::milliseconds{1};
    return some;
  }();
  Writer writer{options, true};
  BlockedRead read{writer};

  void start() {
    writer.start();
    REQUIRE(asks("PING"));
  }
  /// What was asked before has been answered afterwards.
  bool asks(const char* command) {
    Reply reply;
    const auto deadline = std::chrono::steady_clock::now() + gossip::test::patience;
    return writer.ask_and_wait(Command{command}, reply, deadline).ok();
  }
  /// How often the server was asked to end a read, if the reader wants it to.
  int asked_to_end() {
    const int before = unblocked;
    read.end();
    REQUIRE(asks("PING"));
    return unblocked - before;
  }
  void lose_writers_connection() {
    const auto before = writer.connection();
    REQUIRE_FALSE(asks("QUIT"));
    REQUIRE(eventually([&] { return writer.connection() > before; }));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "BlockedRead: can be ended once another one has been answered",
                 "[redis]") {
  start();
  REQUIRE(asked_to_end() == 0);
  read.connected(7);
  REQUIRE(asked_to_end() == 0);
  REQUIRE_FALSE(read.begin());
  REQUIRE(asked_to_end() == 0);
  read.answered();
  REQUIRE(read.begin());
  REQUIRE(asked_to_end() == 1);
  REQUIRE(asked_to_end() == 1);
  read.lost();
  REQUIRE(asked_to_end() == 0);
  read.connected(8);
  REQUIRE(asked_to_end() == 0);
}

TEST_CASE_METHOD(Fixture, "BlockedRead: where the number may be a stranger's it is not told",
                 "[redis]") {
  start();
  read.connected(7);
  static_cast<void>(read.begin());
  read.answered();
  REQUIRE(read.begin());
  lose_writers_connection();  // to a server that was restarted, say, and has given the number 7 to somebody
  REQUIRE(asked_to_end() == 0);
  read.answered();  // it may have been on its way when the server went down
  REQUIRE(asked_to_end() == 0);
  REQUIRE_FALSE(read.begin());
  read.answered();
  REQUIRE(asked_to_end() == 1);
}

TEST_CASE_METHOD(Fixture, "BlockedRead: what nobody can end may block", "[redis]") {
  read.connected(7);
  REQUIRE(read.begin());  // the writer has no connection
  read.answered();
  start();
  REQUIRE(asked_to_end() == 0);
  read.connected(0);  // the server does not tell
  REQUIRE(read.begin());
}
