// SPDX-License-Identifier: MIT
#include <gossip/redis/tell.hpp>

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <stdexcept>

using gossip::redis::tell;

TEST_CASE("tell: calls what is there, and nothing where nothing is", "[redis]") {
  int told = 0;
  std::function<void(int, int)> callback;
  tell(callback, 1, 2);
  callback = [&](int one, int other) { told = one * 10 + other; };
  tell(callback, 1, 2);
  REQUIRE(told == 12);
}

TEST_CASE("tell: what is thrown is dropped", "[redis]") {
  int told = 0;
  const std::function<void()> callback = [&] {
    ++told;
    throw std::runtime_error{"no"};
  };
  tell(callback);
  REQUIRE(told == 1);
}
