// SPDX-License-Identifier: MIT
#include <gossip/redis/wake_up.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using gossip::redis::WakeUp;
using namespace std::chrono_literals;

namespace {

bool readable(const WakeUp& wake, int milliseconds) {
  pollfd socket{wake.descriptor(), POLLIN, 0};
  return ::poll(&socket, 1, milliseconds) == 1;
}

}  // namespace

TEST_CASE("WakeUp: wakes a thread that said that it will sleep, and costs nothing else",
          "[redis]") {
  WakeUp wake;
  wake.notify();
  REQUIRE_FALSE(readable(wake, 0));  // nobody sleeps
  wake.about_to_sleep();
  std::thread other{[&] { wake.notify(); }};
  REQUIRE(wake.sleep(-1, 0, 1h) == 0);
  REQUIRE(readable(wake, 0));
  other.join();
  wake.awake();
  REQUIRE_FALSE(readable(wake, 0));
}

TEST_CASE("WakeUp: many notifications wake once", "[redis]") {
  WakeUp wake;
  wake.about_to_sleep();
  for (int i = 0; i < 3; ++i) wake.notify();
  REQUIRE(readable(wake, 0));
  wake.awake();
  REQUIRE_FALSE(readable(wake, 0));
  wake.notify();
  REQUIRE_FALSE(readable(wake, 0));
}

TEST_CASE("WakeUp: sleep ends with what happens at a socket, and when the time is up", "[redis]") {
  WakeUp wake;
  int both[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
  wake.about_to_sleep();
  REQUIRE(wake.sleep(both[0], POLLIN | POLLOUT, 1h) == POLLOUT);
  REQUIRE(wake.sleep(both[0], POLLIN, 1ms) == 0);
  REQUIRE(wake.sleep(both[0], POLLIN, -1h) == 0);
  REQUIRE(::send(both[1], "x", 1, MSG_NOSIGNAL) == 1);
  REQUIRE(wake.sleep(both[0], POLLIN, 1h) == POLLIN);
  REQUIRE(wake.sleep(-1, POLLIN, 1ms) == 0);
  ::close(both[0]);
  ::close(both[1]);
}
