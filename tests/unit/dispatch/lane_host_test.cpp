// SPDX-License-Identifier: MIT
#include <gossip/dispatch/lane_host.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::LaneOverflow;
using gossip::Ordering;
using gossip::detail::LaneHost;
using gossip::detail::LaneRunner;
using gossip::detail::LaneTerms;

TEST_CASE("LaneHost: refers to nothing until it is told", "[lanes]") {
  const LaneHost host;
  CHECK(host.queue == nullptr);
  CHECK(host.run == nullptr);
  CHECK(host.pending == nullptr);
  CHECK(host.abandoned == nullptr);
}

TEST_CASE("LaneTerms: one runner, in any order, whose publishers wait", "[lanes]") {
  const LaneTerms terms;
  CHECK(terms.ordering.kind() == Ordering::Kind::unordered);
  CHECK(terms.overflow == LaneOverflow::block);
  CHECK(terms.runners == 1);
  CHECK_FALSE(terms.queue);
}

TEST_CASE("LaneRunner: a task of no lane yet", "[lanes]") {
  const LaneRunner runner;
  CHECK(runner.lane == nullptr);
  CHECK(runner.next_idle == nullptr);
}
