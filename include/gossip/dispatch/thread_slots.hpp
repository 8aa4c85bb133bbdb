// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ThreadSlots: what each thread that dispatches events of a bus says about itself, written by that
/// thread alone: what it is running (hazard pointers) and what it has counted. Layer: dispatch.

#include <gossip/core/atomic_pointer.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/keeper.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/rare_owner.hpp>
#include <gossip/core/shared.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/thread_times.hpp>
#include <gossip/queue/asymmetric_fence.hpp>
#include <gossip/queue/cache_line.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace gossip::detail {

struct SubscriptionRecord;
struct SubscriberArray;

/// Counters of one thread, which alone adds to them; any thread may read. The first 256 are in the
/// table itself; more come in chunks that double, are added before a counter in them is used, and
/// never move.
class CounterTable {
 public:
  CounterTable() = default;
  CounterTable(const CounterTable&) = delete;
  CounterTable& operator=(const CounterTable&) = delete;
  ~CounterTable() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }

  /// Makes room for counter `index`. Called under the lock of the ThreadSlots. @throws std::bad_alloc
  void reserve(std::uint32_t index) {
    for (std::uint32_t k = 1; k <= Place::of(index).chunk; ++k) {
      if (chunks_[k].load(std::memory_order_relaxed) == nullptr) {
        // (1) release: whoever learns of the counter's index sees the chunk, pairs with (2)
        chunks_[k].store(new Counter[first_size << k]{}, std::memory_order_release);
      }
    }
  }

  /// Adds one. Only by the owning thread. @pre reserve() has made room
  void increment(std::uint32_t index) noexcept {
    if (index < first_size) [[likely]] {
      add_one(first_[index]);
    } else {
      add_one(*find(index));
    }
  }

  /// What counter `index` has counted.
  [[nodiscard]] std::uint64_t read(std::uint32_t index) const noexcept {
    const Counter* counter = index < first_size ? &first_[index] : find(index);
    return counter == nullptr ? 0 : counter->load(std::memory_order_acquire);  // (4)
  }

  /// The sum of all counters.
  [[nodiscard]] std::uint64_t total() const noexcept {
    std::uint64_t total = 0;
    for (const Counter& counter : first_) total += counter.load(std::memory_order_acquire);
    for (std::uint32_t k = 1; k < std::size(chunks_); ++k) {
      const Counter* chunk = chunks_[k].load(std::memory_order_acquire);
      for (std::size_t i = 0; chunk != nullptr && i < first_size << k; ++i) {
        total += chunk[i].load(std::memory_order_acquire);
      }
    }
    return total;
  }

 private:
  using Counter = std::atomic<std::uint64_t>;
  static constexpr std::size_t first_size = 256;

  static void add_one(Counter& counter) noexcept {
    // (3) release: a reader that sees the number sees what was counted, pairs with (4)
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  /// Chunk k holds first_size * 2^k counters.
  struct Place {
    std::uint32_t chunk;
    std::size_t offset;

    static constexpr Place of(std::uint32_t index) noexcept {
      const auto chunk = static_cast<std::uint32_t>(std::bit_width(index / first_size + 1)) - 1;
      return {chunk, index - first_size * ((std::size_t{1} << chunk) - 1)};
    }
  };

  /// A counter beyond the first ones; null if there is no room for it (yet).
  [[nodiscard]] Counter* find(std::uint32_t index) const noexcept {
    const Place place = Place::of(index);
    Counter* chunk = chunks_[place.chunk].load(std::memory_order_acquire);  // (2) pairs with (1)
    return chunk == nullptr ? nullptr : chunk + place.offset;
  }

  Counter first_[first_size]{};
  AtomicPointer<Counter> chunks_[25]{};  ///< 0 is not used
};

/// A call, as the watchdog saw it first.
struct SeenCall {
  const SubscriptionRecord* record = nullptr;
  std::uint64_t serial = 0;    ///< of the subscription
  std::uint64_t finished = 0;  ///< calls of the same thread, by then
  SteadyTime since{};
  bool reported = false;
};

/// What one dispatch in progress refers to. A chain: a dispatch inside a dispatch uses `inner`.
struct HazardFrame {
  HazardFrame() = default;
  HazardFrame(const HazardFrame&) = delete;
  HazardFrame& operator=(const HazardFrame&) = delete;
  ~HazardFrame() { delete inner.load(std::memory_order_relaxed); }

  AtomicPointer<const SubscriptionRecord> current{nullptr};  ///< the subscription being called
  AtomicPointer<const SubscriberArray> array{nullptr};       ///< the list being walked
  AtomicPointer<HazardFrame> inner{nullptr};                 ///< made on demand, then kept
  HazardFrame* outer = nullptr;                              ///< immutable
  std::atomic<std::uint64_t> settled{0};                     ///< calls that did not just succeed
  CallTiming timing;                                         ///< the owner's
  mutable SeenCall seen;                                     ///< the watchdog's
};

/// What one thread says about itself on one bus.
struct alignas(prefetch_pair_bytes) ThreadSlot {
  HazardFrame outermost;
  HazardFrame* innermost = nullptr;  ///< the owner's: of the dispatch it is in
  std::size_t depth = 0;             ///< the owner's: dispatches it is inside of
  std::size_t helping = 0;           ///< the owner's: see Nested
  bool self_cancelled = false;       ///< the owner's: it left a record to Registry::collect
  bool chores = false;               ///< the owner's: the end of a dispatch leaves something to do
  bool measures = false;             ///< does not change once others see the slot
  std::uint32_t turn = 0;            ///< the owner's: see WorkQueue::take
  AtomicPointer<const SubscriptionRecord> awaited{nullptr};  ///< whose calls it waits for
  std::atomic<std::uint64_t> awaited_serial{0};              ///< for which tenant of that record
  Keeper keep_alive;             ///< the owner's: a bus that it destroyed from inside a dispatch
  RareOwner<ThreadTimes> times;  ///< if it `measures`; else null
  std::atomic<std::uint64_t> finished{0};    ///< queued events handled // events
  std::atomic<std::uint64_t> failed{0};      ///< failed calls // calls
  std::atomic<std::uint64_t> unmatched{0};   ///< events that no subscription wanted // events
  CounterTable delivered;                    ///< successful calls, by subscription index
  CounterTable dispatched;                   ///< events, by event type index
  AtomicPointer<const void> owner{nullptr};  ///< the thread's mark; null while nobody owns the slot
  std::atomic<int> worker{-1};               ///< index of the worker that owns it; -1: of none
  ThreadSlot* next = nullptr;                ///< immutable once the slot is in the list

  /// Adds one to a counter that this thread alone writes.
  static void increment(std::atomic<std::uint64_t>& counter) noexcept {
    // release: pairs with the acquire of whoever reads the counter to learn that the work is done
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  /// While it lives, the owner runs what is queued inside something else that was.
  class Nested {
   public:
    explicit Nested(ThreadSlot& slot) noexcept : slot_{slot} { ++slot_.helping; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    ~Nested() { --slot_.helping; }

   private:
    ThreadSlot& slot_;
  };
  /// How deep the owner is in what it runs: events, and tasks, which need not dispatch any.
  [[nodiscard]] std::size_t nesting() const noexcept { return depth > helping ? depth : helping; }

  /// The frame for a dispatch inside whatever the owner is doing. @throws std::bad_alloc
  HazardFrame& next_frame() {
    if (innermost == nullptr) return outermost;
    HazardFrame* frame = innermost->inner.load(std::memory_order_relaxed);
    if (frame == nullptr) {
      frame = new HazardFrame;
      frame->outer = innermost;
      innermost->inner.store(frame, std::memory_order_release);  // pairs with any_frame()
    }
    return *frame;
  }
  /// Begins a dispatch. @throws std::bad_alloc, but not after next_frame()
  HazardFrame& enter() {
    innermost = innermost == nullptr ? &outermost : &next_frame();
    ++depth;
    return *innermost;
  }
  /// Ends the dispatch begun last.
  void leave() noexcept {
    HazardFrame& frame = *innermost;
    frame.current.store(nullptr, std::memory_order_release);
    frame.array.store(nullptr, std::memory_order_release);
    innermost = frame.outer;
    --depth;
  }

  /// True if a dispatch of this slot announces `record`.
  [[nodiscard]] bool runs(const SubscriptionRecord* record) const noexcept {
    return any_frame([record](const HazardFrame& frame) {
      // acquire: pairs with the release by which the runner moves on
      return frame.current.load(std::memory_order_acquire) == record;
    });
  }
  /// True if a dispatch of this slot walks `list`.
  [[nodiscard]] bool walks(const SubscriberArray* list) const noexcept {
    return any_frame([list](const HazardFrame& frame) {
      return frame.array.load(std::memory_order_acquire) == list;
    });
  }
  /// True if a dispatch of this slot walks any list.
  [[nodiscard]] bool busy() const noexcept {
    return outermost.array.load(std::memory_order_acquire) != nullptr;
  }

 private:
  template <class Predicate>
  [[nodiscard]] bool any_frame(Predicate&& predicate) const noexcept {
    for (const HazardFrame* frame = &outermost; frame != nullptr;
         frame = frame->inner.load(std::memory_order_acquire)) {
      if (predicate(*frame)) return true;
    }
    return false;
  }
};

/// The slots of a bus: a list that only grows, whose slots are handed from thread to thread.
///
/// Thread safety: any thread. Progress: walking is wait-free; the rest takes a mutex.
class ThreadSlots {
 public:
  SharedCount count;  ///< held by the bus, and by the threads that are to give a slot back

  ThreadSlots() = default;
  ThreadSlots(const ThreadSlots&) = delete;
  ThreadSlots& operator=(const ThreadSlots&) = delete;
  ~ThreadSlots() {
    for (ThreadSlot* slot = first_.load(std::memory_order_relaxed); slot != nullptr;) {
      ThreadSlot* next = slot->next;
      delete slot;
      slot = next;
    }
  }

  /// Makes the slots measure. @pre there is none yet
  /// @param clock  outlives them
  void measure_by(const ClockView& clock) noexcept {
    clock_ = &clock;
    make_times_ = [](const ClockView& by) { return RareOwner<ThreadTimes>{new ThreadTimes{by}}; };
  }

  /// A slot for a thread.
  /// @param owner  what the thread is known by while it lives; not null
  /// @throws std::bad_alloc
  ThreadSlot& acquire(const void* owner) {
    const std::lock_guard lock{mutex_};
    for (ThreadSlot* slot = first_.load(std::memory_order_relaxed); slot != nullptr;
         slot = slot->next) {
      // (1) acquire, pairs with (2): the former owner's writes come before ours
      if (slot->owner.load(std::memory_order_acquire) == nullptr) {
        slot->owner.store(owner, std::memory_order_relaxed);
        return *slot;
      }
    }
    Owner<ThreadSlot> slot{new ThreadSlot};
    slot->delivered.reserve(subscriptions_);
    slot->dispatched.reserve(types_);
    if (clock_ != nullptr) slot->times = make_times_(*clock_);
    slot->chores = slot->measures = clock_ != nullptr;
    slot->owner.store(owner, std::memory_order_relaxed);
    slot->next = first_.load(std::memory_order_relaxed);
    first_.store(slot.get(), std::memory_order_release);  // (3) pairs with (4)
    return *slot.release();
  }

  /// The bus is gone: threads that have a slot may let go of it.
  void abandon() noexcept { abandoned_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool abandoned() const noexcept {
    return abandoned_.load(std::memory_order_relaxed);
  }

  /// The slot that `owner` has; null if there is none.
  [[nodiscard]] ThreadSlot* find(const void* owner) const noexcept {
    for (ThreadSlot* slot = first_.load(std::memory_order_acquire); slot != nullptr;
         slot = slot->next) {
      if (slot->owner.load(std::memory_order_relaxed) == owner) return slot;
    }
    return nullptr;
  }

  /// Gives a slot back; its counts stay.
  static void release(ThreadSlot& slot) noexcept {
    slot.owner.store(nullptr, std::memory_order_release);  // (2) pairs with (1)
  }

  /// Makes room in every slot, present and future. @throws std::bad_alloc
  /// @{
  void reserve_subscription(std::uint32_t index) {
    reserve(subscriptions_, index, &ThreadSlot::delivered);
  }
  void reserve_type(std::uint32_t index) { reserve(types_, index, &ThreadSlot::dispatched); }
  /// @}

  /// Calls `visit(const ThreadSlot&)` for every slot.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const ThreadSlot* slot = first(); slot != nullptr; slot = slot->next) visit(*slot);
  }

  /// The sum of `read(slot)` over all slots.
  template <class Read>
  [[nodiscard]] std::uint64_t sum(Read&& read) const noexcept {
    std::uint64_t total = 0;
    for (const ThreadSlot* slot = first(); slot != nullptr; slot = slot->next) total += read(*slot);
    return total;
  }

  /// How many there are. // slots
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t slots = 0;
    for (const ThreadSlot* slot = first(); slot != nullptr; slot = slot->next) ++slots;
    return slots;
  }

  /// True if `predicate(slot)` for some slot.
  template <class Predicate>
  [[nodiscard]] bool any(Predicate&& predicate) const noexcept {
    for (const ThreadSlot* slot = first(); slot != nullptr; slot = slot->next) {
      if (predicate(*slot)) return true;
    }
    return false;
  }

 private:
  [[nodiscard]] const ThreadSlot* first() const noexcept {
    return first_.load(std::memory_order_acquire);  // (4) pairs with (3)
  }
  void reserve(std::uint32_t& limit, std::uint32_t index, CounterTable ThreadSlot::*table) {
    const std::lock_guard lock{mutex_};
    if (index <= limit) return;
    for (ThreadSlot* slot = first_.load(std::memory_order_relaxed); slot != nullptr;
         slot = slot->next) {
      (slot->*table).reserve(index);
    }
    limit = index;
  }

  std::mutex mutex_;
  const ClockView* clock_ = nullptr;  ///< to measure by; null: nothing is measured
  RareOwner<ThreadTimes> (*make_times_)(const ClockView& by) = nullptr;
  std::atomic<bool> abandoned_{false};
  std::uint32_t subscriptions_ = 0;  ///< highest index with room
  std::uint32_t types_ = 0;          ///< highest index with room
  AtomicPointer<ThreadSlot> first_{nullptr};
};

}  // namespace gossip::detail
