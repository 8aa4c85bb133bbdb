// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Delivery: calls the processors that are subscribed to an event's type. Layer: dispatch.

#include <gossip/core/atomic_pointer.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/queue/asymmetric_fence.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace gossip::detail {

/// Calls a processor. Inlined: with 64 processors the call of it was a third of what each costs.
[[gnu::always_inline]] inline CallResult call_by(ErasedProcessor::Run run,
                                                 SubscriptionRecord& record, Call& call) noexcept {
  try {
    return run(record.processor.object, call);
  } catch (...) {
    call.error = status_of_current_exception();
    return failure_of(call);
  }
}

/// The steps of a delivery. What is rare, or long, is out of line, so that callers save no registers for
/// it. Made where it is needed: a Delivery whose address went to other functions would have to be in
/// memory.
struct Steps {
  ThreadSlot& slot;
  Registry& registry;
  HazardFrame& frame;

  /// After a walk, if anything has been cancelled meanwhile or somebody waits for its end.
  /// @param cancellations  when it began
  [[gnu::noinline]] void finish(std::uint64_t cancellations) const noexcept {
    if (slot.measures) {
      slot.times->end(frame.timing);
      frame.timing.wait_known = false;
    }
    registry.quiescence().called();
    // Whoever is the last to leave a processor that was cancelled from inside destroys it.
    if (slot.self_cancelled ||
        registry.cancellations().load(std::memory_order_relaxed) != cancellations) {
      registry.collect();
      if (slot.depth == 0) slot.self_cancelled = false;
    }
    if (slot.depth != 0) return;
    slot.chores = slot.measures;
    if (slot.keep_alive) {
      const auto bus = std::move(slot.keep_alive);  // may be its end, and ours
    }
  }

  /// Calls the processors of a list, and counts the calls.
  /// @param unchanged  how many cancellations there are while nothing has to be looked at
  /// @return, @throws  as Delivery::run
  [[gnu::always_inline]] std::uint64_t walk(const SubscriberArray& list, std::uint32_t count,
                                            Call& call, std::uint64_t unchanged) const {
    // In locals, since the loop calls what the compiler cannot see through.
    AtomicPointer<const SubscriptionRecord>& current = frame.current;
    const std::atomic<std::uint64_t>& cancellations = registry.cancellations();
    CounterTable& delivered = slot.delivered;
    std::uint64_t left_out = 0;
    const SubscriberArray::Entry* const end = list.entries.get() + count;
    for (const SubscriberArray::Entry* entry = list.entries.get(); entry != end; ++entry) {
      SubscriptionRecord* record = entry->record.load(std::memory_order_relaxed);
      // (4) release: ends the call before, pairs with the acquire of who waits for that
      current.store(record, std::memory_order_release);
      light_fence(true);  // Dekker with the heavy fence in Registry::cancel
      CallResult result = CallResult::ok;
      if (cancellations.load(std::memory_order_relaxed) != unchanged) [[unlikely]] {
        result = look(*record, entry->serial, call);
      }
      if (result == CallResult::ok) [[likely]]
        result = call_by(record->processor.run, *record, call);
      if (result != CallResult::ok) [[unlikely]] {
        result = settle(result, *record, entry->serial, call);
        if (was_not_made(result)) ++left_out;
        if (result != CallResult::ok) continue;
      }
      delivered.increment(record->index);
    }
    return count - left_out;
  }
  /// The same, with all registers that calls keep for itself.
  [[gnu::noinline]] std::uint64_t walk_apart(const SubscriberArray& list, std::uint32_t count,
                                             Call& call, std::uint64_t unchanged) const {
    return walk(list, count, call, unchanged);
  }

  /// What is to be done about a call that was not made, or failed.
  [[gnu::noinline]] CallResult settle(CallResult result, SubscriptionRecord& record,
                                      std::uint64_t serial, Call& call) const {
    if (result == CallResult::special) {
      if (record.lane != nullptr && call.asynchronous()) {
        frame.timing.serial = 0;  // not called here
        return CallResult::elsewhere;
      }
      result = call_special(record, serial, call);
    }
    if (result == CallResult::gone) frame.timing.serial = 0;
    ThreadSlot::increment(frame.settled);
    if (slot.measures) slot.times->end(frame.timing);
    if (result == CallResult::failed) count_failure(record);
    if (result == CallResult::failed || result == CallResult::denied) {
      call.failures.report(call.failures.context, call, record);
    }
    return result;
  }

  CallResult call_special(SubscriptionRecord& record, std::uint64_t serial,
                          Call& call) const noexcept {
    return record.once ? claim_and_call(record, serial, call)
                       : call_by(record.processor.special, record, call);
  }

  /// Before a call, if something has been cancelled since the walk began, or if each call has to be
  /// looked at: tells who may be waiting for the last call, and looks whether to make this one.
  [[gnu::noinline]] CallResult look(const SubscriptionRecord& record, std::uint64_t serial,
                                    Call& call) const noexcept {
    light_fence();
    registry.quiescence().called();
    if (slot.measures) slot.times->end(frame.timing);
    // (5) acquire: pairs with the release in Registry::subscribe
    if (record.serial.load(std::memory_order_acquire) != serial) return CallResult::gone;
    if (call.limited && !may_go_on(call)) {
      call.denied = true;
      return CallResult::denied;
    }
    if (slot.measures) begin_timing(record, serial, call);
    return CallResult::ok;
  }

 private:
  void count_failure(SubscriptionRecord& record) const noexcept {
    record.failed.fetch_add(1, std::memory_order_release);
    ThreadSlot::increment(slot.failed);
  }

  void begin_timing(const SubscriptionRecord& record, std::uint64_t serial,
                    const Call& call) const noexcept {
    slot.times->begin(frame.timing, serial, record.index);
    if (frame.timing.wait_known || !call.asynchronous() || call.type == nullptr) return;
    slot.times->wait(frame.timing, call.type->index, call.event.timestamp());
  }

  /// Gives a `once` subscription its event, if this is the first that its filter passes, or another
  /// attempt for it. That ends the subscription, unless yet another attempt has been arranged.
  CallResult claim_and_call(SubscriptionRecord& record, std::uint64_t serial,
                            Call& call) const noexcept {
    if (call.attempt == 1) {
      if (record.processor.ask != nullptr && !record.claimed.load(std::memory_order_relaxed)) {
        const CallResult answer = call_by(record.processor.ask, record, call);
        if (answer != CallResult::special) return answer;
      }
      if (record.claimed.exchange(true)) return CallResult::gone;
    }
    const CallResult result = call_by(record.processor.special, record, call);
    if (result != CallResult::deferred) registry.cancel({serial, record.index}, &slot);
    return result;
  }

  /// Whether the caller's deadline and stop_token allow one more call.
  static bool may_go_on(Call& call) noexcept {
    if (call.stop.stop_requested()) {
      call.error = Errc::cancelled;
      return false;
    }
    if (call.deadline != SteadyTime::max() && call.clock->now(call.clock->clock) >= call.deadline) {
      call.error = Errc::timeout;
      return false;
    }
    return true;
  }
};

/// One walk over the subscriptions of an event type, announced in the thread's slot while it lasts.
/// See Registry for why this is safe.
class Delivery {
 public:
  // Inlined, as run(), since every event goes through them.

  /// For deliveries to single subscriptions.
  /// @throws std::bad_alloc  only inside more nested deliveries than this thread has had before
  [[gnu::always_inline]] Delivery(ThreadSlot& slot, Registry& registry)
      : slot_{slot},
        registry_{registry},
        frame_{slot.enter()},
        // (1) acquire, before the list is read: pairs with the release in Registry::take_out
        cancellations_{registry.cancellations().load(std::memory_order_acquire)} {}
  /// For all subscriptions of a type. @throws as above
  [[gnu::always_inline]] Delivery(ThreadSlot& slot, Registry& registry, TypeEntry& type)
      : Delivery{slot, registry} {
    list_ = type.subscribers.load(std::memory_order_acquire);
    for (;;) {
      frame_.array.store(list_, std::memory_order_relaxed);
      light_fence();  // (2) Dekker with the heavy fence of who replaces a list
      const SubscriberArray* again = type.subscribers.load(std::memory_order_acquire);
      if (again == list_) break;
      list_ = again;
    }
    // (3) acquire: pairs with SubscriberArray::append
    if (list_ != nullptr) count_ = list_->count.load(std::memory_order_acquire);
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  [[gnu::always_inline]] ~Delivery() {
    slot_.leave();
    light_fence();
    if (registry_.quiescence().is_awaited() || slot_.chores ||
        registry_.cancellations().load(std::memory_order_relaxed) != cancellations_) [[unlikely]] {
      steps().finish(cancellations_);
    }
  }

  /// Calls every processor, but not asynchronously those that have a lane.
  /// @return  how many were called
  /// @throws  what the failure sink throws
  [[gnu::always_inline]] std::uint64_t run(Call& call) {
    if (count_ == 0) return 0;
    call.frame = &frame_;
    const std::uint64_t unchanged =
        call.limited || slot_.measures || !has_membarrier ? always_look : cancellations_;
    // One, as in most lists, needs no loop.
    return count_ == 1 ? steps().walk(*list_, 1, call, unchanged)
                       : steps().walk_apart(*list_, count_, call, unchanged);
  }

  /// Calls `visit(record, serial)` for every subscription; while it runs, that subscription does not
  /// end entirely, as while its processor runs.
  /// @throws  what `visit` throws
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t i = 0; i < count_; ++i) {
      const SubscriberArray::Entry& entry = list_->entries[i];
      SubscriptionRecord* record = entry.record.load(std::memory_order_relaxed);
      if (hold(*record, entry.serial)) visit(*record, entry.serial);
    }
  }

  /// Announces one subscription, which does not end entirely before this delivery then.
  /// @return  false if it has ended
  bool hold(SubscriptionRecord& record, std::uint64_t serial) noexcept {
    frame_.current.store(&record, std::memory_order_release);
    light_fence();  // Dekker with the heavy fence in Registry::cancel
    registry_.quiescence().called();
    return record.serial.load(std::memory_order_acquire) == serial;
  }

  /// Calls the processor of one subscription.
  /// @param serial  of the subscription
  /// @return        gone if it has ended
  /// @throws        what the failure sink throws
  CallResult run_one(SubscriptionRecord& record, std::uint64_t serial, Call& call) {
    call.frame = &frame_;
    frame_.current.store(&record, std::memory_order_release);
    light_fence(true);  // Dekker with the heavy fence in Registry::cancel
    frame_.timing.wait_known = call.attempt != 1;
    CallResult result = steps().look(record, serial, call);
    if (result == CallResult::ok) result = call_by(record.processor.run, record, call);
    if (result == CallResult::special) result = steps().call_special(record, serial, call);
    if (slot_.measures) slot_.times->end(frame_.timing);
    if (result != CallResult::ok) result = steps().settle(result, record, serial, call);
    if (result == CallResult::ok) slot_.delivered.increment(record.index);
    return result;
  }

 private:
  static constexpr std::uint64_t always_look = static_cast<std::uint64_t>(-1);

  [[gnu::always_inline]] Steps steps() const noexcept { return {slot_, registry_, frame_}; }

  ThreadSlot& slot_;
  Registry& registry_;
  HazardFrame& frame_;
  const std::uint64_t cancellations_;  ///< at the beginning
  const SubscriberArray* list_ = nullptr;
  std::uint32_t count_ = 0;  ///< of the entries when the walk began
};

}  // namespace gossip::detail
