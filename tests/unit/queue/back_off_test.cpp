// SPDX-License-Identifier: MIT
#include <gossip/queue/back_off.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::detail::spin_until;
using gossip::detail::take_turns_until;

TEST_CASE("spin_until: a condition that holds ends it at the first look", "[queue]") {
  int looks = 0;
  REQUIRE(spin_until([&] { return ++looks == 1; }, 5));
  REQUIRE(looks == 1);
}

TEST_CASE("spin_until: it looks once per turn and once at the end", "[queue]") {
  int looks = 0;
  REQUIRE_FALSE(spin_until([&] { return ++looks == 0; }, 3));
  REQUIRE(looks == 3 + 1);
  looks = 0;
  REQUIRE(spin_until([&] { return ++looks == 4; }, 3));
  REQUIRE(spin_until([] { return true; }, 0));
  REQUIRE_FALSE(spin_until([] { return false; }, 0));
}

TEST_CASE("spin_until: it looks once more for each turn", "[queue]") {
  int looks = 0;
  REQUIRE_FALSE(spin_until([&] { return ++looks == 0; }, 3, 2));
  REQUIRE(looks <= 3 + 2 + 1);
  REQUIRE(looks >= 3 + 1 + 1);  // after a long turn there is no other
  looks = 0;
  REQUIRE(spin_until([&] { return ++looks == 5; }, 3, 2));
  REQUIRE(looks == 5);
}

TEST_CASE("take_turns_until: it never looks more often than it was told, and once at the end",
          "[queue]") {
  int looks = 0;
  REQUIRE_FALSE(take_turns_until([&] { return ++looks == 0; }, 3));
  REQUIRE(looks >= 2);  // after a long turn it gives up
  REQUIRE(looks <= 3 + 1);
  looks = 0;
  REQUIRE(take_turns_until([&] { return ++looks == 2; }, 1));
  REQUIRE(take_turns_until([] { return true; }, 0));
  REQUIRE_FALSE(take_turns_until([] { return false; }, 0));
}

TEST_CASE("pause_processor: it can be called at any time", "[queue]") {
  gossip::detail::pause_processor();
  static_assert(noexcept(gossip::detail::pause_processor()));
}
