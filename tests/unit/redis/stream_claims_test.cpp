// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_claims.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

using gossip::SteadyTime;
using gossip::redis::RedisOptions;
using gossip::redis::StreamClaims;
using gossip::redis::StreamIntake;
using gossip::redis::Writer;
using namespace std::chrono_literals;

// What it says to a server, and what comes of it, is tested with one: stream_reader_test.cpp.
TEST_CASE("StreamClaims: it comes again after a third of claim_after", "[redis]") {
  RedisOptions options;
  options.unix_socket = "/nonexistent/gossip.socket";
  options.group = "workers";
  options.claim_after = 300ms;
  Writer writer{options, true};
  const auto wake = [](void*) noexcept {};
  StreamIntake intake{options, writer, wake, nullptr};
  StreamClaims claims{options, writer, "me", intake, wake, nullptr};
  const SteadyTime now{1h};
  REQUIRE(claims.turn(now, {}) == now + 100ms);
  REQUIRE(claims.turn(now + 99ms, {}) == now + 100ms);
  REQUIRE(claims.turn(now + 100ms, {}) == now + 200ms);
  claims.hurry();
  REQUIRE(claims.turn(now + 101ms, {}) == now + 201ms);
  REQUIRE_FALSE(claims.has_claimed());
}
