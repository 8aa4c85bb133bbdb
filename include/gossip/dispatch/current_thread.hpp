// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the calling thread is to the buses of the process. Layer: dispatch.

#include <gossip/core/shared.hpp>
#include <gossip/dispatch/thread_slots.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace gossip::detail {

/// What came of a worker's attempt to run a queued event inside a processor that has to wait.
enum class Help : std::uint8_t {
  ran,       ///< it ran one
  no_event,  ///< there was none
  too_deep,  ///< it is nested as deep as BusOptions::max_nesting allows
};

class ProviderCall;

/// The calling thread's view. Of trivial type, so that reading it costs no more than a variable.
struct CurrentThread {
  std::uint64_t cached_bus = 0;  ///< the bus whose slot was used last; 0 for none
  ThreadSlot* cached_slot = nullptr;

  void* worker_of = nullptr;  ///< the dispatcher whose worker this thread is; null for others
  ThreadSlot* worker_slot = nullptr;        ///< on that dispatcher
  Help (*help)(void* worker_of) = nullptr;  ///< runs one of its queued events

  unsigned vacating = 0;     ///< processors that it is destroying, one inside another
  bool never_waits = false;  ///< a provider's thread: finds a full queue full, whatever the policy
  bool ending = false;       ///< its thread_local objects are being destroyed

  const ProviderCall* provider_call = nullptr;  ///< the innermost one
};

/// Its address is what the thread is known by in ThreadSlots.
inline constinit thread_local CurrentThread current_thread{};

/// While it lives, its thread is a provider's, or runs code of the user's for one: it must not wait for
/// that provider to end. Only scopes of one thread, one inside another.
class ProviderCall {
 public:
  /// @param part  of the provider: an object within it, by which it is known
  explicit ProviderCall(const void* part) noexcept
      : part_{part}, outer_{current_thread.provider_call} {
    current_thread.provider_call = this;
  }
  ProviderCall(const ProviderCall&) = delete;
  ProviderCall& operator=(const ProviderCall&) = delete;
  ~ProviderCall() { current_thread.provider_call = outer_; }

  /// True inside a call of that provider's. Another one's may be waited for.
  template <class P>
  [[nodiscard]] static bool of(const P& provider) noexcept {
    const auto begin = reinterpret_cast<std::uintptr_t>(std::addressof(provider));
    for (const ProviderCall* call = current_thread.provider_call; call != nullptr;
         call = call->outer_) {
      // What lies before it is far behind its end: the difference wraps around.
      if (reinterpret_cast<std::uintptr_t>(call->part_) - begin < sizeof(P)) return true;
    }
    return false;
  }

 private:
  const void* const part_;
  const ProviderCall* const outer_;
};

/// The slots that a thread which is no worker has acquired; gives them back when the thread ends.
class AcquiredSlots {
 public:
  AcquiredSlots() = default;
  AcquiredSlots(const AcquiredSlots&) = delete;
  AcquiredSlots& operator=(const AcquiredSlots&) = delete;
  ~AcquiredSlots() {
    current_thread.cached_bus = 0;
    current_thread.ending = true;
    while (first_ != nullptr) remove(first_);
  }

  /// A slot of a bus for this thread, to be given back when the thread ends.
  /// @throws std::bad_alloc
  ThreadSlot& acquire(const Shared<ThreadSlots>& slots) {
    for (Acquired** place = &first_; *place != nullptr;) {
      if ((*place)->slots->abandoned()) {
        remove(*place);
      } else {
        place = &(*place)->next;
      }
    }
    first_ = new Acquired{slots, nullptr, first_};
    ThreadSlot& slot = slots->acquire(&current_thread);
    first_->slot = &slot;
    return slot;
  }

  static AcquiredSlots& of_this_thread() {
    static thread_local AcquiredSlots slots;
    return slots;
  }

 private:
  struct Acquired {
    const Shared<ThreadSlots> slots;
    ThreadSlot* slot;
    Acquired* next;
  };

  static void remove(Acquired*& place) noexcept {
    Acquired* gone = place;
    place = gone->next;
    if (gone->slot != nullptr) ThreadSlots::release(*gone->slot);
    delete gone;
  }

  Acquired* first_ = nullptr;
};

/// The slots of one bus, and the way from a thread to its own.
class BusSlots {
 public:
  BusSlots() = default;
  BusSlots(const BusSlots&) = delete;
  BusSlots& operator=(const BusSlots&) = delete;
  ~BusSlots() { slots_->abandon(); }

  /// All of them.
  [[nodiscard]] ThreadSlots& all() const noexcept { return *slots_; }
  /// What CurrentThread knows the bus by; never used twice in a process.
  [[nodiscard]] std::uint64_t bus() const noexcept { return bus_; }

  /// The calling thread's slot. @throws std::bad_alloc
  /// @param dispatcher  of this bus
  ThreadSlot& mine(const void* dispatcher) {
    if (current_thread.cached_bus == bus_) [[likely]]
      return *current_thread.cached_slot;
    ThreadSlot* slot = mine_if_any(dispatcher);
    if (slot == nullptr) {
      // A thread that is ending (in an exit handler, say) keeps the slot: nobody would give it back.
      slot = current_thread.ending ? &slots_->acquire(&current_thread)
                                   : &AcquiredSlots::of_this_thread().acquire(slots_);
    }
    current_thread.cached_bus = bus_;
    current_thread.cached_slot = slot;
    return *slot;
  }

  /// The calling thread's slot, or null if it never had one.
  [[nodiscard]] ThreadSlot* mine_if_any(const void* dispatcher) const noexcept {
    if (current_thread.cached_bus == bus_) return current_thread.cached_slot;
    if (current_thread.worker_of == dispatcher) return current_thread.worker_slot;
    return slots_->find(&current_thread);
  }

 private:
  static std::uint64_t next_bus() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  const std::uint64_t bus_ = next_bus();
  const Shared<ThreadSlots> slots_{new ThreadSlots};
};

}  // namespace gossip::detail
