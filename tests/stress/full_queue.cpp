// SPDX-License-Identifier: MIT
// Processors that publish into full queues: no deadlock, and nothing lost.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>

using gossip::BusOptions;
using gossip::Errc;
using gossip::EventBus;
using gossip::EventType;
using gossip::Statistics;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::repeat;
using gossip::test::scaled;

namespace {

constexpr EventType<int> tree{"stress.tree"};

/// How many events a tree of that depth has in which each event publishes two.
constexpr std::size_t nodes(int depth) { return (std::size_t{1} << (depth + 1)) - 1; }

/// Every event publishes two smaller ones, from all workers at once, into a queue of two.
void grow_trees(std::size_t workers, std::size_t max_nesting, bool refusals_expected) {
  constexpr int depth = 9;
  constexpr std::size_t trees = 4;
  std::atomic<std::size_t> handled{0};
  std::atomic<std::size_t> refused{0};
  std::atomic<std::size_t> lost{0};
  EventBus bus{BusOptions{.workers = workers, .capacity = 2, .max_nesting = max_nesting}};
  auto subscription = bus.subscribe(tree, [&](const int& level) {
    ++handled;
    for (int i = 0; level > 0 && i < 2; ++i) {
      const gossip::Status status = bus.publish(tree, level - 1);
      if (status == Errc::queue_full) {
        ++refused;
        lost += nodes(level - 1);
      } else if (!status.ok()) {
        std::abort();
      }
    }
  });
  on_threads(trees, [&](std::size_t) {
    if (!bus.publish(tree, depth).ok()) std::abort();
  });
  REQUIRE(bus.drain_for(patience));
  REQUIRE(handled.load() + lost.load() == trees * nodes(depth));
  REQUIRE(bus.stats().rejected == refused.load());
  REQUIRE((refused.load() != 0) == refusals_expected);
}

}  // namespace

TEST_CASE("stress: every worker publishes into the full queue at once", "[stress]") {
  repeat(60, [] {
    grow_trees(1, 256, false);
    grow_trees(2, 256, false);
    grow_trees(4, 256, false);
  });
}

TEST_CASE("stress: workers nested too deep are refused, and nothing else is lost", "[stress]") {
  repeat(60, [] {
    grow_trees(1, 2, true);
    grow_trees(1, 1, true);
  });
}

TEST_CASE("stress: two buses whose workers publish into each other's full queue", "[stress]") {
  repeat(40, [] {
    constexpr int length = 200;
    constexpr std::size_t chains = 8;
    std::atomic<std::size_t> handled{0};
    const BusOptions options{.workers = 2, .capacity = 2, .max_nesting = 256};
    EventBus left{options};
    EventBus right{options};
    auto on_left = left.subscribe(tree, [&](const int& hops) {
      ++handled;
      if (hops > 0 && !right.publish(tree, hops - 1).ok()) std::abort();
    });
    auto on_right = right.subscribe(tree, [&](const int& hops) {
      ++handled;
      if (hops > 0 && !left.publish(tree, hops - 1).ok()) std::abort();
    });
    on_threads(2, [&](std::size_t self) {
      for (std::size_t i = 0; i < chains / 2; ++i) {
        if (!(self == 0 ? left : right).publish(tree, length).ok()) std::abort();
      }
    });
    const std::size_t expected = chains * (length + 1);
    REQUIRE(gossip::test::eventually([&] { return handled.load() == expected; }));
    REQUIRE(left.drain_for(patience));
    REQUIRE(right.drain_for(patience));
    REQUIRE(left.stats().handled + right.stats().handled == expected);
  });
}
