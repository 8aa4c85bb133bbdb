// SPDX-License-Identifier: MIT
// A program of its own, run once per case, because the global bus begins once in a process and its
// end is the process's end.
#include <gossip/bus/global_bus.hpp>
#include <gossip/config.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr gossip::EventType<int> number{"test.number"};
constexpr int passed = 0;
constexpr int failed = 1;
constexpr int never_checked = 3;  // what main returns where the check runs at exit

int check(bool holds, const char* sentence) {
  if (holds) return passed;
  std::fprintf(stderr, "failed: %s\n", sentence);
  return failed;
}

/// Outlives every function that runs at exit.
std::atomic<int>& handled() {
  static std::atomic<int>& count = *new std::atomic<int>{0};
  return count;
}

/// Registered before the bus begins, so it runs after the bus has ended.
void check_at_exit() {
  const int result =
      check(handled() == 100, "every event published before main returned was handled") |
      check(gossip::global_bus().publish(number, 1) == gossip::Errc::closed,
            "publishing after the end answers closed") |
      check(gossip::global_bus().stats().refused_closed == 1, "and is counted");
  std::_Exit(result);
}

int events_published_before_main_returns_are_handled() {
  if (std::atexit(&check_at_exit) != 0) return failed;
  gossip::EventBus<>& bus = gossip::global_bus();
  bus.subscribe(number, [](int) { ++handled(); }).detach();
  for (int i = 0; i < 100; ++i) {
    if (!bus.publish(number, i).ok()) return failed;
  }
  return never_checked;
}

int the_first_init_wins() {
  const bool first = gossip::init_global_bus({.workers = 1, .capacity = 16});
  const bool second = gossip::init_global_bus({.workers = 2, .capacity = 64});
  const auto statistics = gossip::global_bus().stats();
  return check(first && !second, "the first call alone makes the bus") |
         check(statistics.workers == 1 && statistics.capacity == 16, "with its options") |
         check(&gossip::global_bus() == &gossip::global_bus(), "there is one bus");
}

int use_without_init_takes_the_defaults() {
  const auto statistics = gossip::global_bus().stats();
  return check(statistics.capacity == gossip::BusOptions{}.capacity, "default options") |
         check(!gossip::init_global_bus({.workers = 1}), "init comes too late");
}

int a_failed_init_leaves_no_bus() {
  bool thrown = false;
  try {
    gossip::init_global_bus({.workers = 5000});
  } catch (const std::invalid_argument&) {
    thrown = true;
  }
  return check(thrown, "invalid options are refused") |
         check(gossip::init_global_bus({.workers = 1, .capacity = 32}), "and can be corrected") |
         check(gossip::global_bus().stats().capacity == 32, "the corrected ones count");
}

int threads_that_begin_at_once_get_one_bus() {
  constexpr std::size_t threads = 4;
  std::vector<gossip::EventBus<>*> seen(threads);
  std::atomic<int> made{0};
  std::latch start{threads};
  {
    std::vector<std::jthread> pool;
    for (std::size_t i = 0; i < threads; ++i) {
      pool.emplace_back([&, i] {
        start.arrive_and_wait();
        made += gossip::init_global_bus({.workers = 1}) ? 1 : 0;
        seen[i] = &gossip::global_bus();
      });
    }
  }
  return check(made == 1, "one call makes the bus") |
         check(seen == std::vector<gossip::EventBus<>*>(threads, seen[0]), "all get it");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc == 2 ? argv[1] : "";
  if (name == "exit") return events_published_before_main_returns_are_handled();
  if (name == "first") return the_first_init_wins();
  if (name == "defaults") return use_without_init_takes_the_defaults();
  if (name == "failed") return a_failed_init_leaves_no_bus();
  if (name == "threads") return threads_that_begin_at_once_get_one_bus();
  std::fprintf(stderr, "usage: global_bus exit|first|defaults|failed|threads\n");
  return 2;
}
