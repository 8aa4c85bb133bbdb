// SPDX-License-Identifier: MIT
// What batches allocate once they have warmed up.
#include <gossip/gossip.hpp>

#include "support/counting_allocator.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <thread>

using gossip::Batch;
using gossip::BatchOptions;
using gossip::BusOptions;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::test::allocations;
using gossip::test::patience;

namespace {

struct Block {
  std::array<std::byte, 200> bytes{};
};
constexpr EventType<Block> block{"allocations.block"};
using Blocks = std::span<const Event<Block>>;

constexpr std::size_t events = 1'000;

/// What `events` calls of `add` and a flush cost, after as many for warming up.
template <class Add>
std::size_t cost(Batch<Block>& batch, Add&& add) {
  bool all = true;
  const auto run = [&] {
    for (std::size_t i = 0; i < events; ++i) all = add().ok() && all;
    all = batch.flush() && all;
  };
  run();
  const std::size_t before = allocations();
  run();
  const std::size_t result = allocations() - before;
  REQUIRE(all);
  return result;
}

}  // namespace

TEST_CASE("allocations: adding to a batch and flushing it costs none", "[batch]") {
  std::size_t handled = 0;
  Batch<Block> batch{{.size = 100}, [&](Blocks some) { handled += some.size(); }};
  Event<Block> event{block, {}};
  (void)event.id();
  CHECK(cost(batch, [&] { return batch.add(event); }) == 0);
  CHECK(cost(batch, [&] { return batch.add(Event<Block>{block, {}}); }) == 0);
  CHECK(cost(batch, [&] { return batch.add(Block{}); }) == 0);
  CHECK(cost(batch, [&, add = batch.processor()] { return add(event); }) == 0);
  CHECK(handled == 8 * events);
}

TEST_CASE("allocations: flushing 100 events by hand costs none", "[batch]") {
  Batch<Block> batch{{.size = 1'000}, [](Blocks) {}};
  const auto run = [&] {
    bool all = true;
    for (int i = 0; i < 100; ++i) all = batch.add(Block{}).ok() && all;
    return batch.flush() && all;
  };
  REQUIRE(run());
  const std::size_t before = allocations();
  const bool done = run();
  CHECK(allocations() - before == 0);
  CHECK(done);
}

TEST_CASE("allocations: dropped events cost none", "[batch]") {
  gossip::test::Door inside;
  gossip::test::Door leave;
  Batch<Block> batch{{.size = 10, .max_pending = 50, .overflow = OverflowPolicy::drop_oldest},
                     [&](Blocks) {
                       inside.open();
                       leave.wait();
                     }};
  std::thread blocked{[&] {
    for (int i = 0; i < 10; ++i) (void)batch.add(Block{}).ok();
  }};
  bool all = inside.wait();
  for (int i = 0; i < 200; ++i) all = batch.add(Block{}).ok() && all;
  const std::size_t before = allocations();
  for (std::size_t i = 0; i < events; ++i) all = batch.add(Block{}).ok() && all;
  const std::size_t result = allocations() - before;
  leave.open();
  blocked.join();
  CHECK(all);
  CHECK(result == 0);
}

TEST_CASE("allocations: a batch fed by a bus costs none of its own", "[batch]") {
  EventBus bus{BusOptions{.workers = 1, .capacity = 64}};
  struct Small {
    std::array<std::byte, 32> bytes{};
  };
  constexpr EventType<Small> small{"allocations.small"};
  std::atomic<std::size_t> handled{0};
  Batch<Small> batch{
      bus, {.size = 100}, [&](std::span<const Event<Small>> some) { handled += some.size(); }};
  auto subscription = bus.subscribe(small, batch.processor());
  bool all = true;
  const auto run = [&] {
    for (std::size_t i = 0; i < events; ++i) all = bus.publish(small, {}).ok() && all;
    all = bus.drain_for(patience) && all;
  };
  run();
  const std::size_t before = allocations();
  run();
  CHECK(allocations() - before == 0);
  CHECK(all);
  CHECK(handled == 2 * events);
}
