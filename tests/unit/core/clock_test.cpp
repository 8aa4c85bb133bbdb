// SPDX-License-Identifier: MIT
#include <gossip/core/clock.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <latch>
#include <thread>
#include <vector>

namespace {

using gossip::Clock;
using gossip::SteadyTime;
using gossip::SystemClock;
using gossip::TickClock;
using gossip::Timestamp;

struct NoTicks {
  [[nodiscard]] Timestamp to_time(std::uint64_t) const noexcept { return {}; }
  [[nodiscard]] SteadyTime now() const noexcept { return {}; }
};
struct MayThrow {
  [[nodiscard]] std::uint64_t ticks() const { return 1; }
  [[nodiscard]] Timestamp to_time(std::uint64_t) const noexcept { return {}; }
  [[nodiscard]] SteadyTime now() const noexcept { return {}; }
};

static_assert(Clock<TickClock> && Clock<SystemClock>);
static_assert(!Clock<NoTicks> && !Clock<MayThrow> && !Clock<std::chrono::steady_clock>);

/// Whether a time stamp lies between two readings of the system clock, give or take 1 ms. Taken
/// again if the thread lost its core in between.
template <class C>
bool agrees_with_the_system_clock(const C& clock) {
  constexpr std::chrono::milliseconds tolerance{1};
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto before = std::chrono::system_clock::now();
    const std::uint64_t ticks = clock.ticks();
    const Timestamp time = clock.to_time(ticks);
    const auto after = std::chrono::system_clock::now();
    if (after - before > tolerance) continue;
    return time >= before - tolerance && time <= after + tolerance;
  }
  return false;
}

TEMPLATE_TEST_CASE("Clock: agrees with the system clock within a millisecond", "[clock]", TickClock,
                   SystemClock) {
  const TestType clock;
  const TestType copy = clock;
  CHECK(agrees_with_the_system_clock(clock));
  CHECK(agrees_with_the_system_clock(copy));
}

TEMPLATE_TEST_CASE("Clock: every thread's conversion agrees with the system clock", "[clock]",
                   TickClock, SystemClock) {
  constexpr int threads = 4;
  std::vector<char> agrees(threads, 0);
  {
    std::vector<std::jthread> pool;
    for (char& mine : agrees) {
      pool.emplace_back([&mine] { mine = agrees_with_the_system_clock(TestType{}) ? 1 : 0; });
    }
  }
  CHECK(agrees == std::vector<char>(threads, 1));
}

TEMPLATE_TEST_CASE("Clock: ticks are never 0, below 2^63, and do not go back on a thread",
                   "[clock]", TickClock, SystemClock) {
  const TestType clock;
  std::uint64_t last = clock.ticks();
  bool in_order = true;
  bool in_range = true;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t ticks = clock.ticks();
    in_order = in_order && ticks >= last;
    in_range = in_range && ticks != 0 && ticks < (std::uint64_t{1} << 63U);
    last = ticks;
  }
  CHECK(in_order);
  CHECK(in_range);
}

TEST_CASE("TickClock: of its readings those are used between which the thread kept its core",
          "[clock]") {
  int reading = 0;
  const auto anchor = gossip::detail::read_tick_anchor([&]() -> std::int64_t {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{100};
    if (++reading == 2) return reading;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return reading;
  });
  CHECK(anchor.ns == 2);
}

TEST_CASE("TickClock: converted times follow the order of the ticks", "[clock]") {
  const TickClock clock;
  std::vector<std::uint64_t> ticks;
  for (int i = 0; i < 10'000; ++i) ticks.push_back(clock.ticks());
  bool in_order = true;
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    in_order = in_order && clock.to_time(ticks[i - 1]) <= clock.to_time(ticks[i]);
  }
  CHECK(in_order);
}

TEST_CASE("TickClock: ticks read a while ago still convert to that moment", "[clock]") {
  const TickClock clock;
  const auto before = std::chrono::system_clock::now();
  const std::uint64_t ticks = clock.ticks();
  const auto after = std::chrono::system_clock::now();
  // Beyond the 100 ms after which a thread re-synchronises.
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{150};
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  const Timestamp time = clock.to_time(ticks);
  CHECK(time >= before - std::chrono::milliseconds{1});
  CHECK(time <= after + std::chrono::milliseconds{1});
}

TEST_CASE("deadline_after: never wraps", "[clock]") {
  using gossip::detail::deadline_after;
  CHECK(deadline_after(std::chrono::nanoseconds::max()) == SteadyTime::max());
  const SteadyTime before = SteadyTime{std::chrono::steady_clock::now()};
  CHECK(deadline_after(std::chrono::hours{1}) >= before + std::chrono::hours{1});
  CHECK(deadline_after(std::chrono::hours{1}) < before + std::chrono::hours{2});
}

TEST_CASE("TickClock: now never goes back", "[clock]") {
  const TickClock clock;
  SteadyTime last = clock.now();
  bool in_order = true;
  for (int i = 0; i < 10'000; ++i) {
    const SteadyTime now = clock.now();
    in_order = in_order && now >= last;
    last = now;
  }
  CHECK(in_order);
}

}  // namespace
