// SPDX-License-Identifier: MIT
#include <gossip/dispatch/statistics.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::ShutdownReport;

TEST_CASE("ShutdownReport: it is clean if all workers have ended and nothing was left",
          "[dispatch]") {
  REQUIRE_FALSE(ShutdownReport{}.clean());
  REQUIRE(ShutdownReport{true, 0}.clean());
  REQUIRE_FALSE(ShutdownReport{true, 1}.clean());
  REQUIRE_FALSE(ShutdownReport{false, 0}.clean());
}

TEST_CASE("Statistics: all counts begin at zero", "[dispatch]") {
  const gossip::Statistics statistics;
  REQUIRE(statistics.published + statistics.handled + statistics.unmatched == 0);
  REQUIRE(statistics.delivered + statistics.failed + statistics.handler_failures == 0);
  REQUIRE(statistics.types.empty());
  REQUIRE(statistics.subscriptions.empty());
}
