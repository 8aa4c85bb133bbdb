// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TypeTable: what a bus knows about each event type, found by name without a lock.
/// Layer: dispatch.

#include <gossip/core/atomic_pointer.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/text.hpp>
#include <gossip/dispatch/envelope.hpp>
#include <gossip/dispatch/retained_event.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/queue/cache_line.hpp>
#include <gossip/queue/mpmc_queue.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

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
  ~TypeEntry();

  struct ForLanes;
  /// Makes `for_lanes`, unless it is there. Under the registry's lock. @throws std::bad_alloc
  void prepare_lanes(const PayloadOperations& envelope_operations);

  /// Tells the provider of the bus, `core`, that the type is subscribed to.
  using Connect = Status (*)(void* core, const EventTypeName& name);

  const EventTypeName name;
  const PayloadInfo* const payload;
  const PayloadOperations* const operations;
  const std::uint32_t index;            ///< of its counter of dispatched events
  std::atomic<std::uint32_t> lanes{0};  ///< subscriptions that have one; under the registry's lock
  AtomicPointer<SubscriberArray> subscribers{nullptr};
  AtomicPointer<RetainedEvent> retained{nullptr};  ///< null for types of which none is retained
  Connect connect = nullptr;                       ///< null without a bus
  TypeEntry* admitted_before = nullptr;            ///< the registry's; does not change any more
  std::uint32_t live = 0;                          ///< subscriptions now; under the registry's lock
  std::atomic<std::uint64_t> not_handled{0};       ///< refused, dropped or abandoned // events
  TypeEntry* next = nullptr;                   ///< the one made after it; under the table's lock
  AtomicPointer<ForLanes> for_lanes{nullptr};  ///< made before `lanes` counts the first, then kept
};

/// What an event type has in addition once one of its subscriptions has a lane.
struct TypeEntry::ForLanes {
  /// The type of the envelopes that bring shared events to the subscriptions without a lane.
  TypeEntry envelopes;
  /// Events that went to lanes alone. // events
  std::atomic<std::uint64_t> lanes_only{0};
};

inline TypeEntry::~TypeEntry() {
  delete subscribers.load(std::memory_order_relaxed);
  if (RetainedEvent* kept = retained.load(std::memory_order_relaxed)) kept->destroy(kept);
  delete for_lanes.load(std::memory_order_relaxed);
}
inline void TypeEntry::prepare_lanes(const PayloadOperations& envelope_operations) {
  if (for_lanes.load(std::memory_order_relaxed) != nullptr) return;
  for_lanes.store(new ForLanes{{name, *payload, envelope_operations, index}, {}},
                  std::memory_order_release);
}

/// An open-addressing hash table that only grows. Look-up takes no lock; tables that were outgrown
/// are kept until the end, together no larger than the current one.
///
/// Thread safety: any thread. Progress: find() is wait-free; add() takes a mutex.
class TypeTable {
 public:
  /// What is done with a new entry, under the lock, before it can be found. It may throw: there is no
  /// new entry then.
  struct Preparation {
    void* context;
    void (*run)(void* context, TypeEntry& entry);
  };

  explicit TypeTable(Preparation prepare)
      : prepare_{prepare}, table_{new Table{16}}, current_{table_.get()} {}
  TypeTable(const TypeTable&) = delete;
  TypeTable& operator=(const TypeTable&) = delete;
  ~TypeTable() {
    while (first_ != nullptr) {
      const Owner<TypeEntry> entry{first_};
      first_ = entry->next;
    }
  }

  /// The entry of that name, or null. @par Complexity O(1) expected
  [[nodiscard]] TypeEntry* find(const EventTypeName& name) const noexcept {
    const Table& table = *current_.load(std::memory_order_acquire);  // (1) pairs with (3)
    // Mostly it is the first one, named by the same literal: nothing else is worth inlining.
    TypeEntry* entry = table.cell(name.hash());
    if (entry != nullptr && entry->name.is_same_text(name)) [[likely]]
      return entry;
    return find_from(table, name);
  }

  /// The same, or null if it has another payload than `T`.
  template <Payload T>
  [[nodiscard]] TypeEntry* find(const EventTypeName& name) const noexcept {
    TypeEntry* entry = find(name);
    return entry != nullptr && entry->payload == &payload_info<T>() ? entry : nullptr;
  }

  /// The entry of that name and payload, made if need be.
  /// @param connect  of a new entry, see TypeEntry
  /// @throws TypeAssertionError  the name is in use with another payload; names both types
  /// @throws std::bad_alloc, what the preparation throws
  TypeEntry& add(const EventTypeName& name, const PayloadInfo& payload,
                 const PayloadOperations& operations, TypeEntry::Connect connect = nullptr) {
    const std::lock_guard lock{mutex_};
    if (TypeEntry* entry = find(name)) {
      require_payload(*entry, payload);
      return *entry;
    }
    reserve(size_ + 1);
    Owner<TypeEntry> made{new TypeEntry{name, payload, operations, size_}};
    made->connect = connect;
    prepare_.run(prepare_.context, *made);
    TypeEntry* entry = made.release();
    (last_ != nullptr ? last_->next : first_) = entry;
    last_ = entry;
    ++size_;
    place(*table_, *entry);
    return *entry;
  }

  /// @throws TypeAssertionError  `entry` is in use with another payload; names both types
  static void require_payload(const TypeEntry& entry, const PayloadInfo& payload) {
    if (entry.payload == &payload) return;
    throw TypeAssertionError{
        join({entry.payload->name}), join({payload.name}),
        join({"event type ", entry.name.text(), " is in use with another payload type"})};
  }

  /// Calls `visit(TypeEntry&)` for every entry, in the order of their making, under the lock.
  template <class Visit>
  void for_each(Visit&& visit) const {
    const std::lock_guard lock{mutex_};
    for (TypeEntry* entry = first_; entry != nullptr; entry = entry->next) visit(*entry);
  }

 private:
  struct Table {
    explicit Table(std::size_t size) : mask{size - 1}, cells{size} {}

    [[nodiscard]] TypeEntry* cell(std::uint64_t at) const noexcept {
      return cells[at & mask].load(std::memory_order_acquire);  // (2) pairs with (4)
    }

    const std::uint64_t mask;
    const Owner<AtomicPointer<TypeEntry>[]> cells;
    Owner<Table> older{};  ///< outgrown, but perhaps in use
  };

  [[gnu::noinline]] static TypeEntry* find_from(const Table& table,
                                                const EventTypeName& name) noexcept {
    for (std::uint64_t at = name.hash();; ++at) {
      TypeEntry* entry = table.cell(at);
      if (entry == nullptr || entry->name == name) return entry;
    }
  }

  static void place(Table& table, TypeEntry& entry) noexcept {
    std::uint64_t at = entry.name.hash();
    while (table.cells[at & table.mask].load(std::memory_order_relaxed) != nullptr) ++at;
    table.cells[at & table.mask].store(&entry, std::memory_order_release);  // (4) pairs with (2)
  }

  /// Keeps the table at most half full.
  void reserve(std::size_t entries) {
    if (entries * 2 <= table_->mask + 1) return;
    Owner<Table> larger{new Table{(table_->mask + 1) * 2}};
    for (TypeEntry* entry = first_; entry != nullptr; entry = entry->next) place(*larger, *entry);
    larger->older = std::move(table_);
    table_ = std::move(larger);
    current_.store(table_.get(), std::memory_order_release);  // (3) pairs with (1)
  }

  const Preparation prepare_;
  Owner<Table> table_;
  AtomicPointer<const Table> current_;  ///< `table_`, for find()
  mutable std::mutex mutex_;
  TypeEntry* first_ = nullptr;
  TypeEntry* last_ = nullptr;
  std::uint32_t size_ = 0;
};

}  // namespace gossip::detail
