// SPDX-License-Identifier: MIT
#include <gossip/redis/back_reference.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::redis::BackReference;

TEST_CASE("BackReference: it finds its object until the end", "[redis]") {
  int object = 0;
  const BackReference<int> reference{object};
  const auto copy = reference;
  copy.with([](int& found) { ++found; });
  REQUIRE(object == 1);
  reference.end();
  copy.with([](int& found) { ++found; });
  REQUIRE(object == 1);
}
