// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SubscriptionRecord and SubscriberArray: where subscriptions live and how dispatch walks them.
/// Layer: dispatch.

#include <gossip/core/atomic_pointer.hpp>
#include <gossip/core/event_pattern.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/rare_owner.hpp>
#include <gossip/core/source_location.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/queue/cache_line.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::detail {

class Lane;
struct TypeEntry;

/// A place for a subscription. Records are never freed while the bus lives, only reused under a new
/// serial, so that a dispatcher may look at one that has just been vacated.
struct alignas(cache_line_bytes) SubscriptionRecord {
  std::atomic<std::uint64_t> serial{0};  ///< the subscription's; 0 while vacant or cancelled
  ErasedProcessor processor;             ///< valid while `serial` is set, or a call runs
  std::uint32_t index = 0;               ///< of this record in the registry
  std::uint32_t position = 0;            ///< of its entry in the array of its type

  // Below here nothing is touched by a successful call.
  std::atomic<std::uint64_t> tenant{0};  ///< as `serial`, but until the processor is destroyed
  bool once = false;                     ///< the subscription is for one event
  std::atomic<bool> claimed{false};      ///< which it has got
  Lane* lane = nullptr;                  ///< through which it gets its events; null for most
  TypeEntry* type = nullptr;             ///< null if it is subscribed to a pattern
  RareOwner<EventPattern> pattern{};     ///< to which it is subscribed; none if to one type
  SubscriptionRecord* next_pattern = nullptr;  ///< that was subscribed later
  std::atomic<std::uint64_t> failed{0};        ///< calls of this subscription that failed
  std::uint64_t delivered_before = 0;          ///< what was counted for former tenants
  // As in SubscribeOptions:
  int priority = 0;
  SubscribeOptions::Lifetime lifetime = SubscribeOptions::Lifetime::until_cancelled;
  Ordering::Kind ordering = Ordering::Kind::unordered;
  std::size_t max_concurrency = 0;
  SourceLocation where{};
  std::string name;
  SubscriptionRecord* next = nullptr;  ///< in a list of the registry

  /// Takes over what a new tenant is known by.
  void describe(SubscribeOptions& options) noexcept {
    priority = options.priority;
    lifetime = options.lifetime;
    ordering = options.ordering.kind();
    max_concurrency = options.max_concurrency;
    where = options.where;
    name = std::move(options.name);
  }
};

/// Records by index. They never move, and are freed with the table.
class RecordTable {
 public:
  RecordTable() noexcept = default;
  RecordTable(const RecordTable&) = delete;
  RecordTable& operator=(const RecordTable&) = delete;
  ~RecordTable() {
    for (SubscriptionRecord* chunk : chunks_) delete[] chunk;
  }

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  /// @pre index < size()
  [[nodiscard]] SubscriptionRecord& operator[](std::uint32_t index) const noexcept {
    const std::uint32_t chunk = chunk_of(index);
    return chunks_[chunk][index - first_of(chunk)];
  }
  /// Adds a record. @throws std::bad_alloc
  SubscriptionRecord& add() {
    const std::uint32_t chunk = chunk_of(size_);
    if (chunks_[chunk] == nullptr) chunks_[chunk] = new SubscriptionRecord[first_chunk << chunk];
    SubscriptionRecord& record = (*this)[size_];
    record.index = size_++;
    return record;
  }

 private:
  /// Chunk k holds first_chunk * 2^k records.
  static constexpr std::uint32_t first_chunk = 16;
  static std::uint32_t chunk_of(std::uint32_t index) noexcept {
    return static_cast<std::uint32_t>(std::bit_width(index / first_chunk + 1)) - 1;
  }
  static std::uint32_t first_of(std::uint32_t chunk) noexcept {
    return ((std::uint32_t{1} << chunk) - 1) * first_chunk;
  }

  SubscriptionRecord* chunks_[28]{};
  std::uint32_t size_ = 0;
};

inline SubscriptionId Call::subscription() const noexcept {
  const SubscriptionRecord* record = frame->current.load(std::memory_order_relaxed);
  return {record->tenant.load(std::memory_order_relaxed), record->index};
}

inline std::string_view Call::name(const ContextSupport& self) noexcept {
  return static_cast<const Call&>(self).frame->current.load(std::memory_order_relaxed)->name;
}

/// The subscriptions of one event type, by descending priority, those of one priority in the order
/// of subscribing. Grows at the end while there is room; otherwise a copy takes its place (see
/// SubscriberLists). An entry whose subscription ended is emptied.
///
/// Written under the registry's lock, walked by dispatchers without one.
struct SubscriberArray {
  struct Entry {
    AtomicPointer<SubscriptionRecord> record{&nobody};
    std::uint64_t serial = 0;  ///< the record must still have it; written before `count` covers it
  };

  /// What an emptied entry refers to: a subscription that is gone.
  static inline SubscriptionRecord nobody{};

  explicit SubscriberArray(std::uint32_t room) : capacity{room}, entries{room} {}

  const std::uint32_t capacity;
  std::atomic<std::uint32_t> count{0};           ///< entries in use, emptied ones included
  std::uint32_t vacant = 0;                      ///< emptied ones among them
  int lowest = std::numeric_limits<int>::max();  ///< priority that was appended last
  const Owner<Entry[]> entries;
  Owner<SubscriberArray> next{};  ///< for SubscriberLists, once it was replaced

  /// Adds an entry. @pre count < capacity
  void append(SubscriptionRecord& record, std::uint64_t serial) noexcept {
    const std::uint32_t at = count.load(std::memory_order_relaxed);
    entries[at].serial = serial;
    entries[at].record.store(&record, std::memory_order_relaxed);
    record.position = at;
    lowest = record.priority;
    count.store(at + 1, std::memory_order_release);  // (1) pairs with the acquire in dispatch
  }
};

}  // namespace gossip::detail
