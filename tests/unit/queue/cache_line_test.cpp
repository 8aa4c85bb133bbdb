// SPDX-License-Identifier: MIT
#include <gossip/queue/cache_line.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <bit>

using gossip::detail::cache_line_bytes;
using gossip::detail::prefetch_pair_bytes;

TEST_CASE("cache_line: the sizes are powers of two and a pair is at least one line", "[queue]") {
  STATIC_REQUIRE(std::has_single_bit(cache_line_bytes));
  STATIC_REQUIRE(std::has_single_bit(prefetch_pair_bytes));
  STATIC_REQUIRE(cache_line_bytes >= 64);
  STATIC_REQUIRE(prefetch_pair_bytes % cache_line_bytes == 0);
}

TEST_CASE("prefetch_for_writing: the memory is unchanged", "[queue]") {
  std::array<int, 64> memory{};
  memory.fill(7);
  for (const int& value : memory) gossip::detail::prefetch_for_writing(&value);
  for (const int value : memory) REQUIRE(value == 7);
}
