// SPDX-License-Identifier: MIT
#include <gossip/queue/platform.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <concepts>
#include <mutex>

using gossip::detail::NativePlatform;

TEST_CASE("NativePlatform: it is made of the standard library's primitives", "[queue]") {
  STATIC_REQUIRE(std::same_as<NativePlatform::Atomic<int>, std::atomic<int>>);
  STATIC_REQUIRE(std::same_as<NativePlatform::Mutex, std::mutex>);
  STATIC_REQUIRE(
      std::same_as<NativePlatform::ConditionVariable, gossip::detail::ConditionVariable>);
  STATIC_REQUIRE(noexcept(NativePlatform::light_fence()));
  STATIC_REQUIRE(noexcept(NativePlatform::heavy_fence()));
  NativePlatform::light_fence();
  NativePlatform::heavy_fence();
  REQUIRE(NativePlatform::take_turns_until([] { return true; }, 0));
}
