// SPDX-License-Identifier: MIT
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/clock_view.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

TEST_CASE("ClockView: it answers as the clock behind it", "[dispatch]") {
  gossip::ManualClock clock;
  const auto view = gossip::detail::ClockView::of(clock);
  REQUIRE(view.clock == &clock);
  REQUIRE(view.now(view.clock) == clock.now());
  clock.advance(std::chrono::seconds{5});
  REQUIRE(view.now(view.clock) == clock.now());
  REQUIRE(view.to_time(view.clock, clock.ticks()) == clock.to_time(clock.ticks()));
}
