// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Registry: the subscriptions of a bus. Layer: dispatch.

#include <gossip/core/clock.hpp>
#include <gossip/core/event_pattern.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/rare_owner.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/lane.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/pattern_types.hpp>
#include <gossip/dispatch/quiescence.hpp>
#include <gossip/dispatch/subscriber_lists.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/queue/cache_line.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace gossip::detail {

/// Who is subscribed to what. Dispatch walks it without a lock and never waits for it; subscribing
/// and cancelling take a mutex.
///
/// Quiescence. A dispatcher announces the record it is about to call in its own thread slot, passes
/// a light fence, and looks whether anything has been cancelled since its walk began; only then it
/// has to look whether the record still has the serial that the list promises. Who cancels empties
/// the entry, takes the serial away and counts a cancellation, passes a heavy fence, and waits while
/// a slot announces the record. One of the two sees the other (Dekker; the slots are Maged Michael's
/// hazard pointers). Lists that were replaced are freed once no slot announces them.
///
/// Patterns. A subscription to a pattern is one record that stands in the list of every type that
/// the pattern matches: those that are known when it is made, and those that are admitted later, of
/// which no event can be dispatched before. So dispatch knows nothing of patterns.
///
/// Locks. TypeTable admits under its own lock, so that one is taken first; under the registry's
/// nothing is called: processors are made before and destroyed after it is held.
///
/// Thread safety: any thread.
class Registry {
 public:
  /// Told, outside the lock, when a type has lost its last subscription.
  struct Listener {
    void* context = nullptr;
    void (*ended)(void* context, TypeEntry& type) noexcept = nullptr;
  };

  explicit Registry(ThreadSlots& slots) : slots_{slots}, lists_{slots}, quiescence_{slots} {}
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  /// @pre no thread dispatches any more
  ~Registry() { clear(nullptr); }

  /// @pre nobody has subscribed yet
  void listen(Listener listener) noexcept { listener_ = listener; }

  /// True if `type` has subscriptions now.
  [[nodiscard]] bool has_subscriptions(const TypeEntry& type) const noexcept {
    const std::lock_guard lock{mutex_};
    return type.live != 0;
  }

  /// Registers `processor` for events of `type`.
  /// @param processor  taken over on success, untouched on failure
  /// @param lease      of the lane through which it is to get its events; by default none
  /// @throws std::bad_alloc
  SubscriptionId subscribe(TypeEntry& type, ErasedProcessor processor, SubscribeOptions options,
                           LaneLease lease = {}) {
    const std::lock_guard lock{mutex_};
    Owner<SubscriberArray> room = SubscriberLists::make_room(type, options.priority, lease.lane);
    SubscriptionRecord& record = vacant_record();
    record.type = &type;
    const SubscriptionId id = occupy(record, processor, std::move(options), lease);
    const bool replaces = static_cast<bool>(room);
    lists_.insert(type, record, id.serial, std::move(room));
    if (replaces) lists_.collect();
    return id;
  }

  /// The same for events of all types that `pattern` matches; `processor` is of any event.
  /// @par Complexity   linear in the number of types
  SubscriptionId subscribe(const EventPattern& pattern, ErasedProcessor processor,
                           SubscribeOptions options, LaneLease lease = {}) {
    RareOwner<EventPattern> copy{new EventPattern{pattern}};
    const std::lock_guard lock{mutex_};
    Owner<SubscriberArray> rooms = rooms_for(pattern, options.priority, lease.lane);
    SubscriptionRecord& record = vacant_record();
    record.type = nullptr;
    record.pattern = std::move(copy);
    patterns_.add(record);
    const SubscriptionId id = occupy(record, processor, std::move(options), lease);
    for_each_type_of(record, [&](TypeEntry& type) {
      Owner<SubscriberArray> room;
      if (SubscriberLists::needs_room(type, record.priority)) {
        room = std::move(rooms);
        rooms = std::move(room->next);
      }
      lists_.insert(type, record, id.serial, std::move(room));
    });
    lists_.collect();
    return id;
  }

  /// Makes a type known to the patterns. To be called once, before an event of it can be dispatched.
  /// @throws std::bad_alloc; the type is not known then
  void admit(TypeEntry& type) {
    const std::lock_guard lock{mutex_};
    patterns_.for_each_pattern(type.name, [&](SubscriptionRecord& record) {
      lists_.insert(type, record, record.serial.load(std::memory_order_relaxed),
                    SubscriberLists::make_room(type, record.priority, record.lane));
    });
    lists_.collect();
    patterns_.admit(type);
  }

  /// True if a subscribed pattern matches the name of a type.
  [[nodiscard]] bool has_pattern_for(const EventTypeName& name) const noexcept {
    const std::lock_guard lock{mutex_};
    bool found = false;
    patterns_.for_each_pattern(name, [&](const SubscriptionRecord&) { found = true; });
    return found;
  }

  /// Calls `visit(TypeEntry&)` for every admitted type that the pattern matches, outside the lock.
  template <class Visit>
  void for_each_type(const EventPattern& pattern, Visit&& visit) const {
    PatternTypes::for_each_type(pattern, newest_type(), visit);
  }

  /// Ends a subscription. When it returns, the processor is not running, never will, and is
  /// destroyed. If `self`, the calling thread's slot, is inside that processor, or inside another one
  /// for which that processor waits in turn, it returns at once and the rest holds when that
  /// processor returns. If another call has ended the subscription, and the calling thread is inside
  /// a processor or destroys one, it does not wait for that other call to have destroyed this one.
  /// @return       false if there is no such subscription (any more)
  /// @par Blocking until the running calls of that processor end
  bool cancel(SubscriptionId id, ThreadSlot* self) noexcept {
    SubscriptionRecord* record = nullptr;
    TypeEntry* ended = nullptr;  // lost its last subscription
    const bool ours = take_out(id, record, ended);
    if (record == nullptr) return false;
    if (ours && record->lane != nullptr) record->lane->end(id.serial);
    if (ended != nullptr && listener_.ended != nullptr) listener_.ended(listener_.context, *ended);
    if (ours && record->pattern && listener_.ended != nullptr) tell_of_ended(*record->pattern);
    heavy_fence();  // (2) Dekker with the light fence in dispatch
    const bool quiet = quiescence_.wait_for_calls(*record, id, self);
    if (ours && quiet) vacate(*record);
    if (ours && !quiet) retire(*record, *self);
    if (!ours && quiet && Quiescence::may_wait_until_vacated(self)) {
      collect();  // it may have been left to the next who comes along
      quiescence_.wait_until_vacated(*record, id);
    }
    return ours;
  }

  /// Ends all subscriptions.
  void clear(ThreadSlot* self) noexcept {
    for (std::uint32_t index = 0;; ++index) {
      SubscriptionId id;
      {
        const std::lock_guard lock{mutex_};
        if (index >= records_.size()) break;
        if (records_[index].serial.load(std::memory_order_relaxed) == 0) continue;
        id = {records_[index].tenant.load(std::memory_order_relaxed), index};
      }
      cancel(id, self);
    }
    collect();
  }

  /// Destroys the processors that cancelled themselves and have returned.
  void collect() noexcept {
    while (SubscriptionRecord* record = take_quiet()) vacate(*record);
  }

  /// Where a subscription is, or was.
  [[nodiscard]] SubscriptionRecord& record(SubscriptionId id) noexcept {
    const std::lock_guard lock{mutex_};
    return records_[id.index];
  }

  /// How often something has been cancelled. For a dispatcher: as long as it stays the same, what
  /// a list says that was read afterwards is true.
  [[nodiscard]] const std::atomic<std::uint64_t>& cancellations() const noexcept {
    return cancellations_;
  }

  /// Where the ends of calls are waited for.
  [[nodiscard]] Quiescence& quiescence() noexcept { return quiescence_; }

  /// The name, or pattern, that a subscription is subscribed to.
  [[nodiscard]] static std::string subscribed_to(const SubscriptionRecord& record) {
    return std::string{record.pattern ? record.pattern->text() : record.type->name.text()};
  }

  /// Calls `visit(record, id, delivered)` for every subscription, under the lock; with `ended` also for
  /// those that have ended and whose processor may still run.
  template <class Visit>
  void for_each(Visit&& visit, bool ended = false) const {
    const std::lock_guard lock{mutex_};
    for (std::uint32_t index = 0; index < records_.size(); ++index) {
      const SubscriptionRecord& record = records_[index];
      if ((ended ? record.tenant : record.serial).load(std::memory_order_relaxed) == 0) continue;
      const SubscriptionId id{record.tenant.load(std::memory_order_relaxed), record.index};
      visit(record, id, count_delivered(record) - record.delivered_before);
    }
  }

 private:
  static std::uint64_t next_serial() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  [[nodiscard]] std::uint64_t count_delivered(const SubscriptionRecord& record) const noexcept {
    return slots_.sum([&](const ThreadSlot& slot) { return slot.delivered.read(record.index); });
  }

  /// Gives a vacant record to a new subscription, which can be called from then on.
  SubscriptionId occupy(SubscriptionRecord& record, ErasedProcessor processor,
                        SubscribeOptions options, LaneLease lease) noexcept {
    record.once = options.lifetime == SubscribeOptions::Lifetime::once;
    record.processor = record.once || lease.lane != nullptr ? special(processor) : processor;
    record.claimed.store(false, std::memory_order_relaxed);
    record.failed.store(0, std::memory_order_relaxed);
    record.delivered_before = count_delivered(record);
    record.describe(options);
    const std::uint64_t serial = next_serial();
    record.lane = lease.lane;
    if (lease.lane != nullptr) lease.lane->open(record, serial, *lease.terms);
    record.tenant.store(serial, std::memory_order_relaxed);
    record.serial.store(serial, std::memory_order_release);  // (1) pairs with Delivery's (5)
    return {serial, record.index};
  }

  SubscriptionRecord& vacant_record() {
    if (vacant_ == nullptr) {
      slots_.reserve_subscription(records_.size());
      return records_.add();
    }
    SubscriptionRecord& record = *vacant_;
    vacant_ = record.next;
    return record;
  }

  [[nodiscard]] TypeEntry* newest_type() const noexcept {
    const std::lock_guard lock{mutex_};
    return patterns_.newest();
  }
  template <class Visit>
  void for_each_type_of(const SubscriptionRecord& record, Visit&& visit) const {
    PatternTypes::for_each_type(record, patterns_.newest(), visit);
  }

  /// What the lists of all types that a new pattern matches need: an array for each that needs one.
  Owner<SubscriberArray> rooms_for(const EventPattern& of, int priority, const Lane* lane) const {
    Owner<SubscriberArray> rooms;
    Owner<SubscriberArray>* end = &rooms;
    PatternTypes::for_each_type(of, patterns_.newest(), [&](TypeEntry& type) {
      *end = SubscriberLists::make_room(type, priority, lane);
      if (*end) end = &(*end)->next;
    });
    return rooms;
  }

  /// Tells the listener which of a cancelled pattern's types have no subscription now. Another
  /// subscription that ends at the same time may tell of the same type.
  void tell_of_ended(const EventPattern& pattern) noexcept {
    for_each_type(pattern, [this](TypeEntry& type) {
      if (!has_subscriptions(type)) listener_.ended(listener_.context, type);
    });
  }

  /// Takes a subscription off the lists, unless somebody has done so.
  /// @param record  set to its record while that still belongs to it
  /// @param ended   set to its type if it was subscribed to one and was that one's last
  bool take_out(SubscriptionId id, SubscriptionRecord*& record, TypeEntry*& ended) noexcept {
    const std::lock_guard lock{mutex_};
    if (id.serial == 0 || id.index >= records_.size()) return false;
    SubscriptionRecord& found = records_[id.index];
    if (found.tenant.load(std::memory_order_relaxed) != id.serial) return false;
    record = &found;
    if (found.serial.load(std::memory_order_relaxed) == 0) return false;
    found.serial.store(0, std::memory_order_relaxed);
    for_each_type_of(found, [&](TypeEntry& type) { lists_.remove(type, found); });
    if (found.pattern) {
      patterns_.remove(found);
    } else if (found.type->live == 0) {
      ended = found.type;
    }
    // release: who reads the new number finds the entry empty, and a replaced list replaced
    cancellations_.fetch_add(1, std::memory_order_release);
    return true;
  }

  /// Leaves a record, whose processor has cancelled itself, to collect().
  void retire(SubscriptionRecord& record, ThreadSlot& self) noexcept {
    self.self_cancelled = self.chores = true;
    const std::lock_guard lock{mutex_};
    record.next = retired_;
    retired_ = &record;
  }

  /// A record that cancelled itself and has returned; null if there is none.
  SubscriptionRecord* take_quiet() noexcept {
    const std::lock_guard lock{mutex_};
    if (retired_ == nullptr) return nullptr;
    heavy_fence();
    for (SubscriptionRecord** place = &retired_; *place != nullptr; place = &(*place)->next) {
      SubscriptionRecord* record = *place;
      if (quiescence_.runs(record)) continue;
      *place = record->next;
      return record;
    }
    return nullptr;
  }

  /// Destroys the processor of a record that nobody calls, and offers the record anew.
  void vacate(SubscriptionRecord& record) noexcept {
    const ErasedProcessor processor = record.processor;
    record.processor = {};
    ++current_thread.vacating;
    processor.destroy(processor.object);
    const RareOwner<EventPattern> pattern = std::move(record.pattern);
    Lane* const lane = record.lane;
    record.lane = nullptr;
    if (lane != nullptr) lane->vacate();
    --current_thread.vacating;
    {
      const std::lock_guard lock{mutex_};
      record.name.clear();
      record.tenant.store(0, std::memory_order_release);
      record.next = vacant_;
      vacant_ = &record;
    }
    quiescence_.vacated();
  }

  alignas(prefetch_pair_bytes) std::atomic<std::uint64_t> cancellations_{0};
  alignas(prefetch_pair_bytes) ThreadSlots& slots_;
  Listener listener_;
  mutable std::mutex mutex_;
  SubscriberLists lists_;
  PatternTypes patterns_;
  RecordTable records_;
  SubscriptionRecord* vacant_ = nullptr;
  SubscriptionRecord* retired_ = nullptr;  ///< cancelled from inside, not yet returned
  Quiescence quiescence_;
};

}  // namespace gossip::detail
