// SPDX-License-Identifier: MIT
#include <gossip/dispatch/stop_signal.hpp>

#include <catch2/catch_test_macros.hpp>

#include <stop_token>

using gossip::detail::StopSignal;

TEST_CASE("StopSignal: a token tells of a request", "[dispatch]") {
  StopSignal signal;
  signal.arm();
  const std::stop_token token = signal.token();
  bool called = false;
  const std::stop_callback callback{token, [&] { called = true; }};
  CHECK_FALSE(token.stop_requested());
  signal.arm();  // changes nothing
  signal.request();
  CHECK(token.stop_requested());
  CHECK(called);
}

TEST_CASE("StopSignal: a request that came before is told of", "[dispatch]") {
  StopSignal signal;
  signal.request();
  signal.request();
  signal.arm();
  CHECK(signal.token().stop_requested());
}
