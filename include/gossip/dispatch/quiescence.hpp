// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Quiescence: waiting until a processor is no longer called. Layer: dispatch.

#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/queue/wait_gate.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gossip::detail {

/// Where those wait who have ended a subscription, until the last call of its processor is over.
///
/// Processors may cancel one another: of those whose waiting would close a circle one does not wait.
///
/// Thread safety: any thread. Progress: dispatchers read one flag; who waits blocks on a mutex.
class Quiescence {
 public:
  explicit Quiescence(const ThreadSlots& slots) noexcept : slots_{slots} {}

  /// For a dispatcher, after a call and a light fence: whether somebody waits for the end of one.
  [[nodiscard]] bool is_awaited() const noexcept { return changed_.has_waiters(); }
  /// For a dispatcher, after each call and a light fence: tells those who wait for the end of one.
  void called() noexcept {
    if (changed_.has_waiters()) [[unlikely]]
      changed_.notify_all();
  }
  /// After a record has lost its tenant: the same.
  void vacated() noexcept { changed_.notify(); }

  /// True if a dispatch announces `record`.
  [[nodiscard]] bool runs(const SubscriptionRecord* record) const noexcept {
    return slots_.any([&](const ThreadSlot& slot) { return slot.runs(record); });
  }

  /// Waits until `condition()` holds, looking whenever a call or a dispatch has ended.
  /// @return  what it said last
  template <class Condition>
  bool wait_until(SteadyTime deadline, Condition&& condition) {
    return changed_.wait_until(deadline, condition);
  }

  /// Waits until no call of a cancelled subscription runs.
  /// @param self  the calling thread's slot; null if it has none
  /// @return      false if that would be for ever: such a call waits for one of this thread's
  bool wait_for_calls(const SubscriptionRecord& record, SubscriptionId id,
                      ThreadSlot* self) noexcept {
    if (self != nullptr && self->runs(&record)) return false;
    const auto quiet = [&] { return is_vacated(record, id) || !runs(&record); };
    if (quiet()) return true;
    bool circle = false;
    if (self != nullptr) {
      self->awaited_serial.store(id.serial, std::memory_order_relaxed);
      self->awaited.store(&record, std::memory_order_seq_cst);
    }
    changed_.wait_until(SteadyTime::max(), [&] {
      if (quiet()) return true;
      // Of those who close a circle, the last to look sees it: each says what it waits for first,
      // and looks under the gate's lock.
      circle = self != nullptr && waits_for(record, *self, slots_.size());
      return circle;
    });
    if (self != nullptr) self->awaited.store(nullptr, std::memory_order_relaxed);
    return !circle;
  }

  /// Whether wait_until_vacated() cannot close a circle. It may inside a processor, or in the
  /// destructor of what one captured, since somebody may wait for the end of that.
  [[nodiscard]] static bool may_wait_until_vacated(const ThreadSlot* self) noexcept {
    return (self == nullptr || self->depth == 0) && current_thread.vacating == 0;
  }
  /// Waits until whoever has ended that subscription has destroyed its processor, and called
  /// vacated().
  void wait_until_vacated(const SubscriptionRecord& record, SubscriptionId id) noexcept {
    changed_.wait_until(SteadyTime::max(), [&] { return is_vacated(record, id); });
  }

 private:
  [[nodiscard]] static bool is_vacated(const SubscriptionRecord& record,
                                       SubscriptionId id) noexcept {
    return record.tenant.load(std::memory_order_acquire) != id.serial;
  }

  /// True if a thread that runs `record` waits, directly or not, for a call that `self` is in.
  bool waits_for(const SubscriptionRecord& record, const ThreadSlot& self,
                 std::size_t depth) const noexcept {
    return depth != 0 && slots_.any([&](const ThreadSlot& slot) {
      if (&slot == &self || !slot.runs(&record)) return false;
      const SubscriptionRecord* awaited = slot.awaited.load(std::memory_order_seq_cst);
      if (awaited == nullptr) return false;
      // A record that has a new tenant is no longer awaited: its waiter has yet to wake up.
      const std::uint64_t serial = slot.awaited_serial.load(std::memory_order_relaxed);
      if (is_vacated(*awaited, {serial, 0})) return false;
      return (self.runs(awaited) || waits_for(*awaited, self, depth - 1));
    });
  }

  const ThreadSlots& slots_;
  WaitGate<> changed_;
};

}  // namespace gossip::detail
