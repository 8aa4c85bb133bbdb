// SPDX-License-Identifier: MIT
#include <gossip/dispatch/thread_slots.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>

using gossip::detail::CounterTable;
using gossip::detail::SubscriberArray;
using gossip::detail::SubscriptionRecord;
using gossip::detail::ThreadSlot;
using gossip::detail::ThreadSlots;

namespace {

/// Addresses to announce; nothing is ever read behind them.
const auto* record(std::uintptr_t n) { return reinterpret_cast<const SubscriptionRecord*>(n * 64); }
const auto* list(std::uintptr_t n) { return reinterpret_cast<const SubscriberArray*>(n * 64); }

}  // namespace

TEST_CASE("CounterTable: every index has a counter of its own", "[dispatch]") {
  CounterTable table;
  constexpr std::uint32_t counters = 5'000;
  table.reserve(counters - 1);
  for (std::uint32_t i = 0; i < counters; ++i) {
    for (std::uint32_t k = 0; k <= i % 3; ++k) table.increment(i);
  }
  bool right = true;
  for (std::uint32_t i = 0; i < counters; ++i) right = right && table.read(i) == i % 3 + 1;
  REQUIRE(right);
}

TEST_CASE("CounterTable: counters keep what they counted when others are added", "[dispatch]") {
  CounterTable table;
  for (std::uint32_t i = 0; i < 1'000; i += 37) {
    table.reserve(i);
    for (std::uint32_t k = 0; k <= i; ++k) table.increment(i);
  }
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < 1'000; i += 37) {
    REQUIRE(table.read(i) == i + 1);
    sum += i + 1;
  }
  REQUIRE(table.total() == sum);
  REQUIRE(table.read(100'000) == 0);
}

TEST_CASE("ThreadSlot: it runs and walks what one of its nested dispatches announces",
          "[dispatch]") {
  ThreadSlot slot;
  REQUIRE_FALSE(slot.busy());
  auto& outer = slot.enter();
  outer.current.store(record(1));
  outer.array.store(list(1));
  REQUIRE(slot.busy());
  auto& inner = slot.enter();
  REQUIRE(&inner != &outer);
  inner.current.store(record(2));
  inner.array.store(list(2));
  REQUIRE(slot.depth == 2);
  REQUIRE(slot.runs(record(1)));
  REQUIRE(slot.runs(record(2)));
  REQUIRE(slot.walks(list(1)));
  REQUIRE(slot.walks(list(2)));
  REQUIRE_FALSE(slot.runs(record(3)));
  slot.leave();
  REQUIRE(slot.runs(record(1)));
  REQUIRE_FALSE(slot.runs(record(2)));
  REQUIRE_FALSE(slot.walks(list(2)));
  REQUIRE(&slot.enter() == &inner);  // kept for the next time
  slot.leave();
  slot.leave();
  REQUIRE_FALSE(slot.runs(record(1)));
  REQUIRE_FALSE(slot.busy());
  REQUIRE(slot.depth == 0);
}

TEST_CASE("ThreadSlots: a slot that was given back is used again and keeps its counts",
          "[dispatch]") {
  ThreadSlots slots;
  slots.reserve_subscription(70);
  ThreadSlot& first = slots.acquire(&slots);
  ThreadSlot& second = slots.acquire(&slots);
  REQUIRE(&first != &second);
  first.delivered.increment(70);
  ThreadSlot::increment(first.finished);
  ThreadSlots::release(first);
  REQUIRE(&slots.acquire(&slots) == &first);
  REQUIRE(slots.sum([](const ThreadSlot& slot) { return slot.finished.load(); }) == 1);
  REQUIRE(slots.sum([](const ThreadSlot& slot) { return slot.delivered.total(); }) == 1);
}

TEST_CASE("ThreadSlots: room is made in slots of the past and of the future", "[dispatch]") {
  ThreadSlots slots;
  ThreadSlot& before = slots.acquire(&slots);
  slots.reserve_subscription(500);
  slots.reserve_type(600);
  ThreadSlot& after = slots.acquire(&slots);
  for (ThreadSlot* slot : {&before, &after}) {
    slot->delivered.increment(500);
    slot->dispatched.increment(600);
  }
  REQUIRE(slots.sum([](const ThreadSlot& slot) {
    return slot.delivered.read(500) + slot.dispatched.read(600);
  }) == 4);
  REQUIRE(slots.any([&](const ThreadSlot& slot) { return &slot == &after; }));
  REQUIRE_FALSE(slots.any([](const ThreadSlot&) { return false; }));
}
