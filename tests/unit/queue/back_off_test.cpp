// SPDX-License-Identifier: MIT
#include <gossip/queue/back_off.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::detail::spin_until;
using gossip::detail::SpinsWhileWorth;
using gossip::detail::take_turns_until;
using gossip::detail::TurnsWhileShort;

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

TEST_CASE("TurnsWhileShort: it looks before each turn and once at the end", "[queue]") {
  TurnsWhileShort turns;
  int looks = 0;
  int given = 0;
  const auto give = [&] { return ++given != 0; };
  REQUIRE_FALSE(turns.until([&] { return ++looks == 0; }, 3, give));
  REQUIRE(looks == 3 + 1);
  REQUIRE(given == 3);
  looks = given = 0;
  REQUIRE(turns.until([&] { return ++looks == 2; }, 3, give));
  REQUIRE(given == 1);
}

TEST_CASE(
    "TurnsWhileShort: after a long turn it gives none for a while, which doubles up to a limit",
    "[queue]") {
  TurnsWhileShort turns;
  int given = 0;
  const auto give_long = [&] { return ++given == 0; };
  const auto never = [] { return false; };
  for (int none_for = 256; none_for <= 65536; none_for *= 2) {
    given = 0;
    REQUIRE_FALSE(turns.until(never, 3, give_long));
    for (int i = 0; i < none_for; ++i) turns.until(never, 3, give_long);
    REQUIRE(given == 1);
  }
  for (int i = 0; i < 1 + 65536 + 1; ++i) turns.until(never, 3, give_long);
  REQUIRE(given == 3);
}

TEST_CASE("TurnsWhileShort: while it gives no turns it looks", "[queue]") {
  TurnsWhileShort turns;
  const auto give_long = [] { return false; };
  REQUIRE_FALSE(turns.until([] { return false; }, 3, give_long));
  REQUIRE(turns.until([] { return true; }, 3, give_long));
  REQUIRE_FALSE(turns.until([] { return false; }, 3, give_long));
}

TEST_CASE(
    "SpinsWhileWorth: after eight vain ones in a row some are left out, more and more, to a limit",
    "[queue]") {
  SpinsWhileWorth spins;
  int spun = 0;
  const auto vain = [&] { return ++spun == 0; };
  for (int i = 0; i < 8; ++i) REQUIRE_FALSE(spins.try_one(vain));
  REQUIRE(spun == 8);
  for (const int left_out : {16, 32, 64, 128, 256, 256}) {
    for (int i = 0; i < left_out; ++i) REQUIRE_FALSE(spins.try_one(vain));
    REQUIRE(spun == 8);
    REQUIRE_FALSE(spins.try_one(vain));
    REQUIRE(spun == 9);
    spun = 8;
  }
}

TEST_CASE("SpinsWhileWorth: one that is not in vain begins anew", "[queue]") {
  SpinsWhileWorth spins;
  int spun = 0;
  const auto vain = [&] { return ++spun == 0; };
  const auto worth = [&] { return ++spun != 0; };
  for (int round = 0; round < 2; ++round) {
    spun = 0;
    for (int i = 0; i < 7; ++i) spins.try_one(vain);
    REQUIRE(spins.try_one(worth));
    for (int i = 0; i < 8 + 16 + 1 + 32; ++i) spins.try_one(vain);
    REQUIRE(spun == 7 + 1 + 8 + 1);
    REQUIRE(spins.try_one(worth));
  }
}

TEST_CASE("pause_processor: it can be called at any time", "[queue]") {
  gossip::detail::pause_processor();
  static_assert(noexcept(gossip::detail::pause_processor()));
}
