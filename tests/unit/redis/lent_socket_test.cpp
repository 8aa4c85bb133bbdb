// SPDX-License-Identifier: MIT
#include <gossip/redis/lent_socket.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

using gossip::redis::LentSocket;
using gossip::test::eventually;
using namespace std::chrono_literals;

namespace {

/// Two sockets that are connected with each other; a recv() at `ours` waits for 20 ms at most.
struct Pair {
  Pair() {
    int both[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
    ours = both[0];
    theirs = both[1];
    limit(20ms);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    ::close(ours);
    hang_up();
  }
  void limit(std::chrono::microseconds time) const {
    timeval limit{};
    limit.tv_usec = time.count();
    REQUIRE(::setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  }
  void send(const std::string& text) const {
    REQUIRE(::send(theirs, text.data(), text.size(), MSG_NOSIGNAL) > 0);
  }
  void hang_up() {
    if (theirs >= 0) ::close(theirs);
    theirs = -1;
  }
  int ours = -1;
  int theirs = -1;
};

}  // namespace

TEST_CASE("LentSocket: whom it is lent to reads, and gives it back or leaves what he read",
          "[redis]") {
  const Pair pair;
  LentSocket socket;
  REQUIRE_FALSE(socket.lent());
  socket.lend(pair.ours);
  REQUIRE(socket.lent());
  pair.send("one");
  REQUIRE(socket.wait(1h, 20ms).bytes == "one");
  socket.give_back();
  REQUIRE_FALSE(socket.lent());
  REQUIRE_FALSE(socket.full());

  socket.lend(pair.ours);
  pair.send("two");
  REQUIRE(socket.wait(10ms, 20ms).bytes == "two");
  socket.leave();
  REQUIRE_FALSE(socket.lent());
  REQUIRE(socket.full());
  REQUIRE(socket.take().bytes == "two");
  REQUIRE_FALSE(socket.full());
}

TEST_CASE("LentSocket: waiting ends when the time is up, the caller's or the socket's", "[redis]") {
  const Pair pair;
  LentSocket socket;
  socket.lend(pair.ours);
  REQUIRE(socket.wait(1h, 20ms).is_nothing());
  pair.limit(0ms);  // none
  const auto read = socket.wait(1ms, 20ms);
  REQUIRE(read.is_nothing());
  REQUIRE_FALSE(read.is_end());
  socket.leave();
  REQUIRE_FALSE(socket.full());  // of nothing
}

TEST_CASE("LentSocket: the end of the stream is no silence", "[redis]") {
  Pair pair;
  LentSocket socket;
  socket.lend(pair.ours);
  pair.hang_up();
  const auto read = socket.wait(1h, 20ms);
  REQUIRE(read.bytes.empty());
  REQUIRE(read.error == 0);
  REQUIRE(read.is_end());
  REQUIRE_FALSE(read.is_nothing());
  socket.leave();
  REQUIRE(socket.take().is_end());
}

TEST_CASE("LentSocket: what is recalled comes back at once, and empty", "[redis]") {
  for (int round = 0; round < 8; ++round) {
    const Pair pair;
    pair.limit(0ms);  // he would wait for ever
    LentSocket socket;
    socket.lend(pair.ours);
    std::atomic<bool> back{false};
    std::thread borrower{[&] {
      static_cast<void>(socket.wait(1h, 20ms));
      gossip::test::let_pass(10ms);  // the owner has fallen asleep and needs waking, most likely
      back = true;
      socket.leave();
    }};
    socket.recall();
    REQUIRE(back);
    REQUIRE_FALSE(socket.lent());
    REQUIRE_FALSE(socket.full());
    borrower.join();
    socket.recall();  // nobody has it
    REQUIRE_FALSE(socket.full());
  }
}
