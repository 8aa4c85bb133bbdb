// SPDX-License-Identifier: MIT
#include <gossip/processing/stalled_call.hpp>

#include "support/fake_call.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using gossip::StalledCall;
using gossip::detail::StallReports;
using gossip::detail::Timer;
using gossip::test::Door;
using gossip::test::FakeTime;
using Tell = std::function<void(const StalledCall&)>;

StalledCall call_of(unsigned attempt) {
  return {"order.placed", {1, 2}, {17, 4}, "mail", attempt, std::chrono::seconds{1}};
}

struct Fixture {
  FakeTime time;
  /// To be called when a report fails.
  [[nodiscard]] auto count_failure() {
    return [this] { failures.fetch_add(1); };
  }
  std::atomic<unsigned> failures{0};
};

TEST_CASE("StallReports: tells in a task of the timer, not at once", "[timeout]") {
  Fixture fixture;
  unsigned told = 0;
  const StallReports<Tell> reports{[&](const StalledCall& call) { told = call.attempt; }};
  reports.send(fixture.time.timer, call_of(3), fixture.count_failure());
  CHECK(told == 0);
  fixture.time.timer.run_due();
  CHECK(told == 3);
  CHECK(fixture.failures.load() == 0);
}

TEST_CASE("StallReports: counts what the user's code throws", "[timeout]") {
  Fixture fixture;
  const StallReports<Tell> reports{[](const StalledCall&) { throw std::runtime_error{"x"}; }};
  reports.send(fixture.time.timer, call_of(1), fixture.count_failure());
  fixture.time.timer.run_due();
  CHECK(fixture.failures.load() == 1);
}

TEST_CASE("StallReports: nothing is told once the last copy is gone", "[timeout]") {
  Fixture fixture;
  int told = 0;
  std::optional<StallReports<Tell>> reports{Tell{[&](const StalledCall&) { ++told; }}};
  std::optional<StallReports<Tell>> copy = reports;
  reports->send(fixture.time.timer, call_of(1), fixture.count_failure());
  reports.reset();
  fixture.time.timer.run_due();
  CHECK(told == 1);
  copy->send(fixture.time.timer, call_of(1), fixture.count_failure());
  copy.reset();
  fixture.time.timer.run_due();
  CHECK(told == 1);
}

TEST_CASE("StallReports: the last copy may be destroyed by the report", "[timeout]") {
  Fixture fixture;
  bool told = false;
  std::optional<StallReports<Tell>> reports;
  reports.emplace(Tell{[&](const StalledCall&) {
    reports.reset();
    told = true;
  }});
  reports->send(fixture.time.timer, call_of(1), fixture.count_failure());
  fixture.time.timer.run_due();
  CHECK(told);
}

TEST_CASE("StallReports: the last copy waits for the report under way", "[timeout]") {
  Fixture fixture;
  Door running;
  Door go_on;
  std::atomic<bool> done{false};
  std::optional<StallReports<Tell>> reports;
  reports.emplace(Tell{[&](const StalledCall&) {
    running.open();
    go_on.wait();
    done = true;
  }});
  reports->send(fixture.time.timer, call_of(1), fixture.count_failure());
  std::thread reporter{[&] { fixture.time.timer.run_due(); }};
  const bool begun = running.wait();
  bool early = true;
  std::thread destroyer{[&] {
    reports.reset();
    early = !done.load();
  }};
  gossip::test::let_pass(std::chrono::milliseconds{5});
  go_on.open();
  destroyer.join();
  reporter.join();
  CHECK(begun);
  CHECK_FALSE(early);
}

}  // namespace
