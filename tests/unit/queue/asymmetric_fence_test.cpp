// SPDX-License-Identifier: MIT
#include <gossip/queue/asymmetric_fence.hpp>
#include <gossip/queue/cache_line.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace {

/// Runs the store-buffering litmus test: each side writes its flag, fences and reads the other's.
/// @return  in how many rounds neither side saw the other
template <class Left, class Right>
std::size_t both_missed(std::size_t rounds, Left&& left_fence, Right&& right_fence) {
  struct alignas(gossip::detail::prefetch_pair_bytes) Cell {
    std::atomic<int> flag{0};
    int seen = 0;
  };
  std::vector<Cell> left(rounds);
  std::vector<Cell> right(rounds);
  alignas(gossip::detail::prefetch_pair_bytes) std::atomic<std::size_t> left_at{0};
  alignas(gossip::detail::prefetch_pair_bytes) std::atomic<std::size_t> right_at{0};
  const auto side = [&](auto& own, auto& other, auto& own_at, const auto& other_at, auto& fence) {
    for (std::size_t i = 0; i < rounds; ++i) {
      own_at.store(i + 1, std::memory_order_release);
      for (unsigned spins = 0; other_at.load(std::memory_order_acquire) < i + 1; ++spins) {
        if (spins > 1000) std::this_thread::yield();
      }
      own[i].flag.store(1, std::memory_order_relaxed);
      fence();
      own[i].seen = other[i].flag.load(std::memory_order_relaxed);
    }
  };
  std::thread thread{[&] { side(left, right, left_at, right_at, left_fence); }};
  side(right, left, right_at, left_at, right_fence);
  thread.join();
  std::size_t missed = 0;
  for (std::size_t i = 0; i < rounds; ++i) missed += left[i].seen + right[i].seen == 0 ? 1 : 0;
  return missed;
}

}  // namespace

TEST_CASE("asymmetric fence: of a light and a heavy side at least one sees the other", "[queue]") {
  const std::size_t rounds = gossip::test::scaled(40'000);
  REQUIRE(both_missed(
              rounds, [] { gossip::detail::light_fence(); },
              [] { gossip::detail::heavy_fence(); }) == 0);
}

TEST_CASE("asymmetric fence: of two heavy sides at least one sees the other", "[queue]") {
  const std::size_t rounds = gossip::test::scaled(20'000);
  REQUIRE(both_missed(
              rounds, [] { gossip::detail::heavy_fence(); },
              [] { gossip::detail::heavy_fence(); }) == 0);
}

TEST_CASE("full_fence: of two sides at least one sees the other", "[queue]") {
  const std::size_t rounds = gossip::test::scaled(40'000);
  REQUIRE(both_missed(
              rounds, [] { gossip::detail::full_fence(); }, [] { gossip::detail::full_fence(); }) ==
          0);
}

TEST_CASE("register_membarrier: asking again gives the same answer", "[queue]") {
  REQUIRE(gossip::detail::register_membarrier() == gossip::detail::has_membarrier);
}
