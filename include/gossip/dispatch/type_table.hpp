// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TypeTable: what a bus knows about each event type, found by name without a lock.
/// Layer: dispatch.

#include <gossip/core/error.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/dispatch/envelope.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/queue/cache_line.hpp>
#include <gossip/queue/mpmc_queue.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gossip::detail {

class Dispatcher;

/// What can be done with an event of some payload type while it lies in an envelope.
struct PayloadOperations {
  /// Takes the first event that `claim` holds, frees its slot and calls the processors.
  void (*run)(Dispatcher& dispatcher, ThreadSlot& slot,
              MpmcQueue<Envelope>::Claim& claim) = nullptr;
  /// Takes the event that `claim` holds, frees its slot and destroys it.
  void (*discard)(MpmcQueue<Envelope>::Claim& claim) noexcept = nullptr;
  /// A copy of an event of the type; empty if its payload cannot be copied.
  SharedEvent (*share)(const EventBase& event) = nullptr;
};

/// One event type on one bus. Lives as long as the bus.
struct alignas(cache_line_bytes) TypeEntry {
  TypeEntry(const EventTypeName& type_name, const PayloadInfo& payload_type,
            const PayloadOperations& payload_operations, std::uint32_t number)
      : name{type_name}, payload{&payload_type}, operations{&payload_operations}, index{number} {}

  TypeEntry(const TypeEntry&) = delete;
  TypeEntry& operator=(const TypeEntry&) = delete;
  ~TypeEntry() { delete subscribers.load(std::memory_order_relaxed); }

  const EventTypeName name;
  const PayloadInfo* const payload;
  const PayloadOperations* const operations;
  const std::uint32_t index;  ///< of its counter of dispatched events
  std::atomic<SubscriberArray*> subscribers{nullptr};
  std::uint32_t live = 0;                     ///< subscriptions now; under the registry's lock
  std::atomic<std::uint64_t> not_handled{0};  ///< refused, dropped or abandoned // events
};

/// An open-addressing hash table that only grows. Look-up takes no lock; tables that were outgrown
/// are kept until the end, together no larger than the current one.
///
/// Thread safety: any thread. Progress: find() is wait-free; add() takes a mutex.
class TypeTable {
 public:
  TypeTable() {
    tables_.push_back(std::make_unique<Table>(16));
    current_ = tables_.back().get();
  }

  /// The entry of that name, or null. @par Complexity O(1) expected
  [[nodiscard]] TypeEntry* find(const EventTypeName& name) const noexcept {
    const Table& table = *current_.load(std::memory_order_acquire);  // (1) pairs with (3)
    for (std::uint64_t at = name.hash();; ++at) {
      // (2) acquire, pairs with (4)
      TypeEntry* entry = table.cells[at & table.mask].load(std::memory_order_acquire);
      if (entry == nullptr || entry->name == name) return entry;
    }
  }

  /// The entry of that name and payload, made if need be.
  /// @param prepare  called with the index of a new entry, before it can be found
  /// @throws TypeAssertionError  the name is in use with another payload; names both types
  /// @throws std::bad_alloc
  template <class Prepare>
  TypeEntry& add(const EventTypeName& name, const PayloadInfo& payload,
                 const PayloadOperations& operations, Prepare&& prepare) {
    const std::lock_guard lock{mutex_};
    if (TypeEntry* entry = find(name)) {
      require_payload(*entry, payload);
      return *entry;
    }
    const auto index = static_cast<std::uint32_t>(entries_.size());
    prepare(index);
    reserve(entries_.size() + 1);
    entries_.push_back(std::make_unique<TypeEntry>(name, payload, operations, index));
    place(*tables_.back(), *entries_.back());
    return *entries_.back();
  }

  /// @throws TypeAssertionError  `entry` is in use with another payload; names both types
  static void require_payload(const TypeEntry& entry, const PayloadInfo& payload) {
    if (entry.payload == &payload) return;
    throw TypeAssertionError{
        std::string{entry.payload->name}, std::string{payload.name},
        "event type " + std::string{entry.name.text()} + " is in use with another payload type"};
  }

  /// Calls `visit(TypeEntry&)` for every entry, in the order of their making, under the lock.
  template <class Visit>
  void for_each(Visit&& visit) const {
    const std::lock_guard lock{mutex_};
    for (const auto& entry : entries_) visit(*entry);
  }

 private:
  struct Table {
    explicit Table(std::size_t size)
        : mask{size - 1}, cells{std::make_unique<std::atomic<TypeEntry*>[]>(size)} {}

    const std::uint64_t mask;
    const std::unique_ptr<std::atomic<TypeEntry*>[]> cells;
  };

  static void place(Table& table, TypeEntry& entry) noexcept {
    std::uint64_t at = entry.name.hash();
    while (table.cells[at & table.mask].load(std::memory_order_relaxed) != nullptr) ++at;
    table.cells[at & table.mask].store(&entry, std::memory_order_release);  // (4) pairs with (2)
  }

  /// Keeps the table at most half full.
  void reserve(std::size_t entries) {
    if (entries * 2 <= tables_.back()->mask + 1) return;
    tables_.push_back(std::make_unique<Table>((tables_.back()->mask + 1) * 2));
    for (const auto& entry : entries_) place(*tables_.back(), *entry);
    current_.store(tables_.back().get(), std::memory_order_release);  // (3) pairs with (1)
  }

  std::atomic<const Table*> current_{nullptr};
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<std::unique_ptr<TypeEntry>> entries_;
};

}  // namespace gossip::detail
