// SPDX-License-Identifier: MIT
#include <gossip/redis/wake_up.hpp>

#include <catch2/catch_test_macros.hpp>

#include <poll.h>
#include <thread>

using gossip::redis::WakeUp;

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
  REQUIRE(readable(wake, 20'000));
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
