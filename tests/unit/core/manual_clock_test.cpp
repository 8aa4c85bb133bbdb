// SPDX-License-Identifier: MIT
#include <gossip/core/manual_clock.hpp>

#include "support/recorder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace {

using gossip::ManualClock;
using gossip::Timestamp;
using namespace std::chrono_literals;

static_assert(gossip::Clock<ManualClock>);

TEST_CASE("ManualClock: stands still until it is told to go on", "[manual_clock]") {
  const Timestamp start{std::chrono::seconds{1'000'000}};
  ManualClock clock{start};
  const auto ticks = clock.ticks();
  const auto now = clock.now();
  CHECK(clock.to_time(ticks) == start);
  CHECK(clock.ticks() == ticks);
  clock.advance(1500ms);
  CHECK(clock.to_time(clock.ticks()) == start + 1500ms);
  CHECK(clock.to_time(ticks) == start);
  CHECK(clock.now() - now == 1500ms);
  clock.advance(0ns);
  CHECK(clock.now() - now == 1500ms);
}

TEST_CASE("ManualClock: begins in 2023 unless told otherwise", "[manual_clock]") {
  const ManualClock clock;
  CHECK(clock.to_time(clock.ticks()) == Timestamp{std::chrono::seconds{1'700'000'000}});
}

TEST_CASE("ManualClock: copies share the time", "[manual_clock]") {
  ManualClock clock;
  const ManualClock copy = clock;
  clock.advance(1s);
  CHECK(copy.ticks() == clock.ticks());
  CHECK(ManualClock{}.ticks() != clock.ticks());
}

TEST_CASE("ManualClock: followers run at the end of advance, on its thread", "[manual_clock]") {
  ManualClock clock;
  const auto begin = clock.now();
  std::vector<std::chrono::nanoseconds> seen;
  std::thread::id runner;
  const auto handle = clock.follow([&] {
    seen.push_back(clock.now() - begin);
    runner = std::this_thread::get_id();
  });
  CHECK(seen.empty());
  clock.advance(1s);
  clock.advance(2s);
  CHECK(seen == std::vector<std::chrono::nanoseconds>{1s, 3s});
  CHECK(runner == std::this_thread::get_id());
}

TEST_CASE("ManualClock: a follower stops with its handle, others go on", "[manual_clock]") {
  ManualClock clock;
  int first = 0;
  int second = 0;
  auto handle = clock.follow([&] { ++first; });
  const auto other = clock.follow([&] { ++second; });
  clock.advance(1s);
  handle.reset();
  clock.advance(1s);
  CHECK(first == 1);
  CHECK(second == 2);
}

TEST_CASE("ManualClock: a follower may let itself go", "[manual_clock]") {
  ManualClock clock;
  int calls = 0;
  std::shared_ptr<void> handle;
  handle = clock.follow([&] {
    ++calls;
    handle.reset();
  });
  clock.advance(1s);
  clock.advance(1s);
  CHECK(calls == 1);
}

TEST_CASE("ManualClock: letting go waits for a running call", "[manual_clock]") {
  ManualClock clock;
  gossip::test::Gate inside;
  std::atomic<bool> done{false};
  std::atomic<bool> gone{false};
  bool ended_early = false;
  auto handle = clock.follow([&] {
    static_cast<void>(inside.pass());
    // The other thread is on its way into reset() or waits there; it must not come out.
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    ended_early = gone.load();
    done = true;
  });
  std::jthread advancer{[&] { clock.advance(1s); }};
  REQUIRE(inside.wait_for_arrivals());
  std::jthread opener{[&] { inside.open(); }};
  handle.reset();
  gone = true;
  CHECK(done.load());
  advancer.join();
  CHECK_FALSE(ended_early);
}

TEST_CASE("ManualClock: a handle may outlive the clock", "[manual_clock]") {
  std::shared_ptr<void> handle;
  {
    const ManualClock clock;
    handle = clock.follow([] {});
  }
  handle.reset();
  CHECK(handle == nullptr);
}

}  // namespace
