// SPDX-License-Identifier: MIT
#include <gossip/redis/reply_limits.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>

using gossip::redis::Delivery;
using gossip::redis::largest_command;
using gossip::redis::RedisOptions;
using gossip::redis::ReplyLimits;

TEST_CASE("ReplyLimits: what one read may ask for fits into one reply", "[redis]") {
  RedisOptions options;
  options.max_in_flight = GENERATE(1U, 1024U, 1U << 31U);
  options.read_count = GENERATE(1U, 128U, 100'000U);
  options.maximum_payload = GENERATE(std::size_t{1}, std::size_t{1} << 20U, std::size_t{1} << 29U);
  const ReplyLimits limits = ReplyLimits::of(options);
  REQUIRE(limits.entry > 2 * options.maximum_payload);
  // What is not of its entries takes less than an entry may.
  REQUIRE(limits.whole / limits.entry > options.max_in_flight);
  REQUIRE(limits.whole / limits.entry > options.read_count);
}

TEST_CASE("ReplyLimits: what may be published may be read", "[redis]") {
  RedisOptions options;
  options.maximum_payload = GENERATE(std::size_t{1}, std::size_t{1} << 20U);
  options.delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  REQUIRE(largest_command(options) > options.maximum_payload);
  REQUIRE(largest_command(options) < ReplyLimits::of(options).entry);
  REQUIRE(ReplyLimits::of(options).entry <= ReplyLimits::of(options).whole);
}
