// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// require_holds: demands that a protocol has kept its properties in every schedule.

#include "support/model/explorer.hpp"

#include <catch2/catch_test_macros.hpp>

namespace gossip::test::model {

/// Fails the test if a property was violated, or if so few schedules were explored that it
/// says nothing.
inline void require_holds(const Outcome& outcome) {
  INFO(outcome.violation);
  REQUIRE(outcome.holds());
  SUCCEED(outcome.schedules << " schedules, the longest of " << outcome.most_steps << " steps");
  REQUIRE(outcome.schedules > 10);
}

}  // namespace gossip::test::model
