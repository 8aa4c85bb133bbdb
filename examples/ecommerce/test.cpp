// SPDX-License-Identifier: MIT
// How to test it: the shop on a bus that does nothing until it is told to. No threads, no sleeping; a
// test framework would do in place of `check`.
#include <gossip/testing.hpp>

#include "shop.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

using gossip::testing::RecordingProcessor;
using gossip::testing::TestBus;
using namespace std::chrono_literals;

namespace {

int failures = 0;

void check(bool condition, const char* sentence) {
  if (condition) return;
  std::printf("failed: %s\n", sentence);
  ++failures;
}

/// The shop, and what it said.
struct Fixture {
  explicit Fixture(std::uint64_t seed = 0) : bus{{.seed = seed}} {}

  [[nodiscard]] bool said(std::string_view line) const {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  }

  TestBus bus;
  std::vector<std::string> lines;
  shop::Shop<TestBus> shop{bus, [this](const std::string& line) { lines.push_back(line); }};
};

// [retry]
void an_order_waits_for_the_bank() {
  Fixture test;
  RecordingProcessor<shop::Order> shipped;
  auto subscription = test.bus.subscribe(shop::order_shipped, shipped);
  check(test.shop.orders.place("req-1", {"o-1", "carol", 10}).ok(), "the order is placed");
  test.bus.run_until_idle();
  check(shipped.count() == 0, "the bank is busy");
  test.bus.advance(30ms);  // attempts after 10 and another 20 ms
  check(shipped.count() == 1, "the third attempt succeeds");
  check(shipped.events().at(0).metadata().contains(gossip::correlation_id_key),
        "the last event knows its request");
}
// [/retry]

// [batch]
void mails_wait_for_five_seconds() {
  Fixture test;
  check(test.shop.orders.place("req-1", {"o-1", "alice", 10}).ok(), "the order is placed");
  test.bus.advance(4999ms);
  check(!test.said("2 mails sent: alice alice"), "the batch is not full");
  test.bus.advance(1ms);
  check(test.said("2 mails sent: alice alice"), "its time has come");
}
// [/batch]

// [seeds]
void the_order_of_events_does_not_matter() {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Fixture test{seed};
    for (const char* id : {"o-1", "o-2", "o-3", "o-4"}) {
      check(test.shop.orders.place("req", {id, "bob", 150}).ok(), "the order is placed");
    }
    test.bus.advance(3s);
    check(test.shop.analytics.large_orders() == std::pair{4, 600}, "all are shipped");
  }
}
// [/seeds]

}  // namespace

int main() {
  an_order_waits_for_the_bank();
  mails_wait_for_five_seconds();
  the_order_of_events_does_not_matter();
  if (failures == 0) std::puts("ok");
  return failures == 0 ? 0 : 1;
}
