// SPDX-License-Identifier: MIT
#include <gossip/dispatch/stall_report.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

TEST_CASE("StallReport: as a sentence", "[watchdog]") {
  using namespace std::chrono_literals;
  gossip::StallReport report{{1, 2}, "mail", "user.created", {"main.cpp", 12, "main"}, 2s, 0};
  CHECK(
      to_string(report) ==
      "'mail' (user.created, subscribed at main.cpp:12) has been running for 2000 ms on worker 0");
  report.where = {};
  report.worker = -1;
  CHECK(to_string(report) ==
        "'mail' (user.created) has been running for 2000 ms inside publish_sync");
}
