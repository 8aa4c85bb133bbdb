// SPDX-License-Identifier: MIT
#include <gossip/queue/back_off.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::detail::spin_until;

TEST_CASE("spin_until: a condition that holds ends it at the first look", "[queue]") {
  int looks = 0;
  REQUIRE(spin_until([&] { return ++looks == 1; }, 5, 5));
  REQUIRE(looks == 1);
}

TEST_CASE("spin_until: it looks once per pause, once per yield and once at the end", "[queue]") {
  int looks = 0;
  REQUIRE_FALSE(spin_until([&] { return ++looks == 0; }, 3, 2));
  REQUIRE(looks == 3 + 2 + 1);
  looks = 0;
  REQUIRE(spin_until([&] { return ++looks == 5; }, 3, 2));
  REQUIRE(spin_until([] { return true; }, 0, 0));
  REQUIRE_FALSE(spin_until([] { return false; }, 0, 0));
}

TEST_CASE("pause_processor: it can be called at any time", "[queue]") {
  gossip::detail::pause_processor();
  static_assert(noexcept(gossip::detail::pause_processor()));
}
