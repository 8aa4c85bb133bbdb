// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// snapshot: the Statistics of a bus, added up from its parts. Layer: dispatch.

#include <gossip/dispatch/asynchronous_calls.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/lanes.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/thread_times.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gossip::detail {

/// The parts of a bus that count.
struct CountingParts {
  const ThreadSlots& slots;
  const TypeTable& types;
  const Registry& registry;
  const EventQueue& queue;
  const AsynchronousCalls& calls;
  const Lanes& lanes;

  /// The sum of a counter over all threads.
  [[nodiscard]] std::uint64_t sum(std::atomic<std::uint64_t> ThreadSlot::*counter) const noexcept {
    return slots.sum([counter](const ThreadSlot& slot) {
      return (slot.*counter).load(std::memory_order_acquire);
    });
  }
};

// What these fill depends on a parameter, so that only their users compile its vectors' members.

/// What has happened to the events of each type.
/// @return  how many events, of all types, went to lanes alone
/// @throws  std::bad_alloc
template <class Whole>
std::uint64_t count_types(const CountingParts& parts, Whole& statistics) {
  std::uint64_t lanes_only = 0;
  parts.types.for_each([&](const TypeEntry& type) {
    typename decltype(Whole::types)::value_type counts{type.name.text()};
    counts.dispatched =
        parts.slots.sum([&](const ThreadSlot& slot) { return slot.dispatched.read(type.index); });
    counts.not_handled = type.not_handled.load();
    parts.slots.for_each([&](const ThreadSlot& slot) {
      if (slot.times) {
        slot.times->waited.add_to(counts.waited, type.index, ThreadTimes::any_tenant);
      }
    });
    if (const TypeEntry::ForLanes* more = type.for_lanes.load(std::memory_order_acquire)) {
      const std::uint64_t count = more->lanes_only.load(std::memory_order_acquire);
      lanes_only += count;
      counts.dispatched += count;
      counts.not_handled += more->envelopes.not_handled.load();
    }
    statistics.types.push_back(counts);
  });
  return lanes_only;
}

/// @param abandoned  events that a shutdown found in the queue
/// @throws std::bad_alloc
template <class Whole = Statistics>
Whole snapshot(const CountingParts& parts, std::uint64_t abandoned) {
  const EventQueue& queue = parts.queue;
  Whole statistics;
  statistics.handled = parts.sum(&ThreadSlot::finished);
  statistics.unmatched = parts.sum(&ThreadSlot::unmatched);
  statistics.delivered =
      parts.slots.sum([](const ThreadSlot& slot) { return slot.delivered.total(); });
  statistics.failed = parts.sum(&ThreadSlot::failed);
  statistics.rejected = queue.rejected();
  statistics.refused_closed = queue.refused_closed();
  statistics.dropped_oldest = queue.dropped_oldest();
  statistics.dropped_newest = queue.dropped_newest();
  statistics.abandoned = abandoned;
  parts.calls.describe(statistics);
  const auto gone = statistics.handled + statistics.dropped_oldest + abandoned;
  const std::uint64_t taken = queue.taken();
  statistics.published = queue.published();
  statistics.depth = static_cast<std::size_t>(statistics.published - taken);
  statistics.in_flight = static_cast<std::size_t>(taken > gone ? taken - gone : 0);
  statistics.capacity = queue.capacity();
  statistics.lanes = parts.lanes.totals();
  const std::uint64_t lanes_only = count_types(parts, statistics);
  statistics.published += lanes_only;
  statistics.handled += lanes_only;
  parts.registry.for_each(
      [&](const SubscriptionRecord& record, SubscriptionId id, std::uint64_t delivered) {
        statistics.subscriptions.push_back(
            {id,
             record.name,
             Registry::subscribed_to(record),
             delivered,
             record.failed.load(),
             record.lane != nullptr ? record.lane->statistics() : LaneStatistics{},
             {}});
        auto& took = statistics.subscriptions.back().took;
        parts.slots.for_each([&](const ThreadSlot& slot) {
          if (slot.times) slot.times->took.add_to(took, record.index, id.serial);
        });
      });
  return statistics;
}

}  // namespace gossip::detail
