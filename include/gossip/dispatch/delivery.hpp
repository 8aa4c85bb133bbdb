// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Delivery: calls the processors that are subscribed to an event's type. Layer: dispatch.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/queue/asymmetric_fence.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace gossip::detail {

/// One walk over the subscriptions of an event type, announced in the thread's slot while it lasts.
/// See Registry for why this is safe.
class Delivery {
 public:
  /// @throws std::bad_alloc  only inside more nested deliveries than this thread has had before
  Delivery(ThreadSlot& slot, Registry& registry, TypeEntry& type)
      : slot_{slot}, registry_{registry}, frame_{slot.enter()} {
    const SubscriberArray* list = type.subscribers.load(std::memory_order_acquire);
    for (;;) {
      frame_.array.store(list, std::memory_order_relaxed);
      light_fence();  // (1) Dekker with the heavy fence of who replaces a list
      const SubscriberArray* again = type.subscribers.load(std::memory_order_acquire);
      if (again == list) break;
      list = again;
    }
    list_ = list;
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  ~Delivery() {
    slot_.leave();
    light_fence();
    registry_.called();
    if (slot_.self_cancelled) [[unlikely]] {
      slot_.self_cancelled = slot_.depth != 0;
      registry_.collect();
    }
  }

  /// Calls every processor.
  /// @return  how many were called
  /// @throws  what the failure sink throws
  std::uint64_t run(Call& call) {
    if (list_ == nullptr) return 0;
    std::uint64_t left_out = 0;
    const bool fence_is_free = has_membarrier;
    const bool limited = call.limited;
    call.frame = &frame_;
    // (2) acquire: pairs with SubscriberArray::append
    const std::uint32_t count = list_->count.load(std::memory_order_acquire);
    const SubscriberArray::Entry* const end = list_->entries.get() + count;
    for (const SubscriberArray::Entry* entry = list_->entries.get(); entry != end; ++entry) {
      SubscriptionRecord* record = entry->record.load(std::memory_order_relaxed);
      // (3) release: ends the call before, pairs with the acquire of who waits for that
      frame_.current.store(record, std::memory_order_release);
      light_fence(fence_is_free);  // Dekker with the heavy fence in Registry::cancel
      registry_.called();
      // (4) acquire: pairs with the release in Registry::subscribe
      if (record->serial.load(std::memory_order_acquire) != entry->serial) [[unlikely]] {
        if (!take_once(*record, entry->serial)) {
          ++left_out;
          continue;
        }
      }
      if (limited && !may_go_on(call)) [[unlikely]] {
        fail(*record, call);
      } else if (call_one(*record, call) == CallResult::ok) [[likely]] {
        slot_.delivered.increment(record->place);
      } else {
        fail(*record, call);
      }
    }
    return count - left_out;
  }

 private:
  static CallResult call_one(SubscriptionRecord& record, Call& call) noexcept {
    try {
      return record.processor.run(record.processor.object, call);
    } catch (...) {
      call.error = status_of_current_exception();
      return CallResult::failed;
    }
  }

  static void fail(SubscriptionRecord& record, Call& call) {
    record.failed.fetch_add(1, std::memory_order_release);
    call.failures.report(call.failures.context, call, record);
  }

  /// Whether the record belongs to a `once` subscription whose one event this is; ends it then.
  bool take_once(SubscriptionRecord& record, std::uint64_t serial) noexcept {
    const std::uint64_t now = record.serial.load(std::memory_order_acquire);
    if (now != (serial | SubscriptionRecord::once_bit)) return false;
    return registry_.cancel({serial, record.index}, &slot_);
  }

  /// Whether the caller's deadline and stop_token allow one more call.
  static bool may_go_on(Call& call) noexcept {
    if (call.stop.stop_requested()) {
      call.error = Errc::cancelled;
      return false;
    }
    if (call.deadline != SteadyTime::max() && std::chrono::steady_clock::now() >= call.deadline) {
      call.error = Errc::timeout;
      return false;
    }
    return true;
  }

  ThreadSlot& slot_;
  Registry& registry_;
  HazardFrame& frame_;
  const SubscriberArray* list_;
};

}  // namespace gossip::detail
