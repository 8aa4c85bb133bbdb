// SPDX-License-Identifier: MIT
#include <gossip/dispatch/lane_places.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <thread>

using gossip::detail::LanePlaces;
using gossip::test::eventually;

TEST_CASE("LanePlaces: look tells whether there may be a place", "[lanes]") {
  LanePlaces places;
  places.set(4, 4);
  REQUIRE_FALSE(places.look());
  places.set(3, 4);
  REQUIRE(places.look());
}

TEST_CASE("LanePlaces: waiting ends once half of the places are free", "[lanes]") {
  LanePlaces places;
  places.set(4, 4);
  std::atomic<bool> through{false};
  std::thread waiter{[&] {
    while (!places.look()) places.wait([] { return false; });
    through = true;
  }};
  places.set(2, 4);
  places.notify();
  REQUIRE(eventually([&] { return through.load(); }));
  waiter.join();
}

TEST_CASE("LanePlaces: waiting ends when there is no more point in it", "[lanes]") {
  LanePlaces places;
  places.set(1, 1);
  std::atomic<bool> ended{false};
  std::thread waiter{[&] {
    while (!ended.load()) places.wait([&] { return ended.load(); });
  }};
  ended = true;
  places.notify_all();
  waiter.join();
  places.wait([] { return false; });  // a millisecond at most: somebody may have been luckier
}
