// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SubscriberLists: keeps the lists that dispatch walks in order, grows them and frees them.
/// Layer: dispatch.

#include <gossip/core/owner.hpp>
#include <gossip/dispatch/lane.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/queue/asymmetric_fence.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace gossip::detail {

/// Changes SubscriberArrays while dispatchers walk them. An entry that comes last is appended in
/// place while there is room; else a copy takes the array's place, and the array is freed once no
/// thread slot announces it. What can fail is done beforehand, by make_room().
///
/// Thread safety: every member under the registry's lock.
class SubscriberLists {
 public:
  explicit SubscriberLists(ThreadSlots& slots) noexcept : slots_{slots} {}
  SubscriberLists(const SubscriberLists&) = delete;
  SubscriberLists& operator=(const SubscriberLists&) = delete;
  /// @pre no thread dispatches any more
  ~SubscriberLists() = default;

  /// True if an entry of that priority cannot be appended in place.
  [[nodiscard]] static bool needs_room(const TypeEntry& type, int priority) noexcept {
    const SubscriberArray* array = type.subscribers.load(std::memory_order_relaxed);
    return array == nullptr || array->count.load(std::memory_order_relaxed) == array->capacity ||
           priority > array->lowest;
  }

  /// An empty array for one entry more than `type` has; none if it needs none.
  /// @throws std::bad_alloc
  /// @param lane  of the subscription that the entry is for; null: it has none
  [[nodiscard]] static Owner<SubscriberArray> make_room(TypeEntry& type, int priority,
                                                        const Lane* lane = nullptr) {
    if (lane != nullptr) type.prepare_lanes(*lane->host().envelope_operations);
    return needs_room(type, priority) ? empty_array(type) : Owner<SubscriberArray>{};
  }

  /// Adds an entry behind those of the same or a higher priority. Publishes it: the record must be
  /// ready to be called.
  /// @param room  what make_room() gave for it
  void insert(TypeEntry& type, SubscriptionRecord& record, std::uint64_t serial,
              Owner<SubscriberArray> room) noexcept {
    ++type.live;
    if (record.lane != nullptr) type.lanes.fetch_add(1, std::memory_order_release);
    SubscriberArray* old = type.subscribers.load(std::memory_order_relaxed);
    if (!room) {
      old->append(record, serial);
      return;
    }
    bool placed = false;
    const auto place = [&] {
      if (placed) return;
      placed = true;
      room->append(record, serial);
    };
    for_each_live(old, [&](SubscriptionRecord& other, std::uint64_t other_serial) {
      if (other.priority < record.priority) place();
      room->append(other, other_serial);
    });
    place();
    replace(type, std::move(room));
  }

  /// Empties the entry of `record`.
  void remove(TypeEntry& type, const SubscriptionRecord& record) noexcept {
    --type.live;
    if (record.lane != nullptr) type.lanes.fetch_sub(1, std::memory_order_relaxed);
    SubscriberArray& array = *type.subscribers.load(std::memory_order_relaxed);
    entry_of(array, record).record.store(&SubscriberArray::nobody, std::memory_order_relaxed);
    ++array.vacant;
    const std::uint32_t count = array.count.load(std::memory_order_relaxed);
    if (array.vacant > 16 && array.vacant > count / 2) tidy(type);
  }

  /// Frees arrays that were replaced and that nobody walks. To be called after changes.
  void collect() noexcept {
    if (!replaced_) return;
    heavy_fence();  // Dekker with the light fence of those who announce a list
    Owner<SubscriberArray> rest = std::move(replaced_);
    while (rest) {
      Owner<SubscriberArray> array = std::move(rest);
      rest = std::move(array->next);
      if (!slots_.any([&](const ThreadSlot& slot) { return slot.walks(array.get()); })) continue;
      array->next = std::move(replaced_);
      replaced_ = std::move(array);
    }
  }

 private:
  static Owner<SubscriberArray> empty_array(const TypeEntry& type) {
    return Owner<SubscriberArray>{new SubscriberArray{type.live > 4 ? type.live * 2 : 8}};
  }

  template <class Visit>
  static void for_each_live(SubscriberArray* array, Visit&& visit) noexcept {
    if (array == nullptr) return;
    for (std::uint32_t i = 0; i < array->count.load(std::memory_order_relaxed); ++i) {
      SubscriptionRecord* record = array->entries[i].record.load(std::memory_order_relaxed);
      if (record != &SubscriberArray::nobody) visit(*record, array->entries[i].serial);
    }
  }

  /// The entry of `record`, which is in several arrays if it is a pattern's: its position is of the
  /// one that was changed last.
  static SubscriberArray::Entry& entry_of(SubscriberArray& array,
                                          const SubscriptionRecord& record) noexcept {
    const auto is_it = [&](const SubscriberArray::Entry& entry) {
      return entry.record.load(std::memory_order_relaxed) == &record;
    };
    const std::uint32_t count = array.count.load(std::memory_order_relaxed);
    if (record.position < count && is_it(array.entries[record.position])) {
      return array.entries[record.position];
    }
    SubscriberArray::Entry* entry = array.entries.get();
    while (!is_it(*entry)) ++entry;
    return *entry;
  }

  void replace(TypeEntry& type, Owner<SubscriberArray> array) noexcept {
    Owner<SubscriberArray> old{type.subscribers.load(std::memory_order_relaxed)};
    type.subscribers.store(array.release(), std::memory_order_release);  // pairs with Delivery
    if (!old) return;
    old->next = std::move(replaced_);
    replaced_ = std::move(old);
  }

  void tidy(TypeEntry& type) noexcept {
    try {
      Owner<SubscriberArray> copy = empty_array(type);
      for_each_live(
          type.subscribers.load(std::memory_order_relaxed),
          [&](SubscriptionRecord& record, std::uint64_t serial) { copy->append(record, serial); });
      replace(type, std::move(copy));
      collect();
    } catch (...) {  // out of memory: the list stays untidy, which costs time alone
    }
  }

  ThreadSlots& slots_;
  Owner<SubscriberArray> replaced_;
};

}  // namespace gossip::detail
