// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// MpmcQueue: a bounded first-in first-out queue for many producers and many consumers.
/// Layer: queue.

#include <gossip/core/owner.hpp>
#include <gossip/core/text.hpp>
#include <gossip/queue/cache_line.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace gossip {

/// A ring of slots, each with a sequence number that says whose turn it is. The algorithm is Dmitry
/// Vyukov's bounded MPMC queue: one compare-and-swap to claim a slot, one store to hand it over.
/// The numbers count laps, so a producer that is preempted cannot be overtaken in its own slot and
/// the order stays first in, first out.
///
/// Values live in the slots; nothing is allocated after construction. Each value has a ticket, its
/// position in the whole history of the queue.
///
/// Thread safety: all members from any thread, but construction, destruction and try_claim_alone.
/// Progress: no operation takes a lock or waits. A claim succeeds unless another one succeeded
/// meanwhile (lock-free); but a thread preempted between claiming a slot and handing it over keeps
/// that slot, and so later ones, from the other side until it runs again: try_pop may then report
/// an empty queue, and try_push a full one. Hence the queue as a whole is not lock-free in the
/// strict sense.
template <class T>
class MpmcQueue {
  static_assert(
      std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
      "MpmcQueue<T>: moving or destroying T must not throw, since a slot is claimed by then");

  struct Slot {
    alignas(detail::cache_line_bytes) std::atomic<std::uint64_t> turn;
    alignas(T) std::byte storage[sizeof(T)];

    [[nodiscard]] T* value() noexcept { return std::launder(reinterpret_cast<T*>(storage)); }
  };

 public:
  /// @param capacity  least number of values it holds, 1 to 2^31; rounded up to a power of two,
  ///                  at least 2 // values
  /// @param first     the ticket of the first value: a multiple of 2^32, below 2^62
  /// @throws std::invalid_argument  an argument is out of range
  /// @throws std::bad_alloc
  explicit MpmcQueue(std::size_t capacity, std::uint64_t first = 0)
      : mask_{check(capacity, first) - 1},
        slots_{static_cast<std::size_t>(mask_ + 1)},
        tail_{first},
        head_seen_{first},
        head_{first},
        tail_seen_{first} {
    for (std::uint64_t i = 0; i <= mask_; ++i) {
      slots_[i].turn.store(first + i, std::memory_order_relaxed);
    }
  }
  MpmcQueue(const MpmcQueue&) = delete;
  MpmcQueue& operator=(const MpmcQueue&) = delete;
  ~MpmcQueue() {
    while (try_claim()) {
    }
  }

  /// A value that has been taken from the queue but still sits in its slot. Destroys the value and
  /// frees the slot when it goes out of scope, unless release() did so before.
  class Claim {
   public:
    Claim() noexcept = default;
    /// Takes over; `other` then is empty.
    Claim(Claim&& other) noexcept : slot_{other.slot_}, ticket_{other.ticket_}, next_{other.next_} {
      other.slot_ = nullptr;
    }
    Claim& operator=(Claim&&) = delete;
    ~Claim() { release(); }

    /// True if there is a value.
    [[nodiscard]] explicit operator bool() const noexcept { return slot_ != nullptr; }
    /// The value. @pre there is one
    [[nodiscard]] T& operator*() const noexcept { return *slot_->value(); }
    /// The value's place in the history of the queue.
    [[nodiscard]] std::uint64_t ticket() const noexcept { return ticket_; }
    /// Destroys the value and frees the slot.
    void release() noexcept {
      if (Slot* slot = slot_) {
        slot_ = nullptr;
        slot->value()->~T();
        slot->turn.store(next_, std::memory_order_release);  // (4) pairs with (1)
      }
    }

   private:
    friend class MpmcQueue;
    Claim(Slot* slot, std::uint64_t ticket, std::uint64_t next) noexcept
        : slot_{slot}, ticket_{ticket}, next_{next} {}

    Slot* slot_ = nullptr;
    std::uint64_t ticket_ = 0;
    std::uint64_t next_ = 0;
  };

  /// Puts a value made by `make` at the end. `make(void* storage)` must construct a T there and not
  /// throw; it is called only if there is space, after the slot is claimed.
  /// @return          false if the queue is full: nothing happened
  /// @throws          nothing
  /// @par Complexity  O(1); no allocation
  template <class Make>
  bool try_push_with(Make&& make) noexcept {
    return push_at_tail(std::forward<Make>(make), 0);
  }

  /// As try_push_with, but also after close(): for the few who may still push while a closed queue
  /// is being emptied.
  template <class Make>
  bool try_push_with_if_closed(Make&& make) noexcept {
    return push_at_tail(std::forward<Make>(make), closed_bit);
  }

  /// From now on every push reports a full queue. What was claimed before is still handed over.
  /// @throws nothing
  void close() noexcept { tail_.fetch_or(closed_bit, std::memory_order_acq_rel); }
  /// True after close().
  [[nodiscard]] bool closed() const noexcept {
    return (tail_.load(std::memory_order_acquire) & closed_bit) != 0;
  }

  /// Moves `value` to the end of the queue.
  /// @param value  moved from on success, untouched on failure
  /// @return       false if the queue is full
  bool try_push(T&& value) noexcept {
    return try_push_with([&](void* storage) { ::new (storage) T(std::move(value)); });
  }
  /// Copies `value` to the end of the queue.
  /// @return  false if the queue is full
  /// @throws  what copying throws, before anything happened
  bool try_push(const T& value) requires std::is_copy_constructible_v<T> {
    return try_push(T(value));
  }

  /// Takes the first value, leaving it in its slot until the claim is released.
  /// @return          an empty claim if the queue is empty
  /// @throws          nothing
  /// @par Complexity  O(1)
  [[nodiscard]] Claim try_claim() noexcept {
    std::uint64_t ticket = head_.load(std::memory_order_relaxed);
    for (;;) {
      Slot& slot = slots_[ticket & mask_];
      const std::uint64_t turn = slot.turn.load(std::memory_order_acquire);  // (3) pairs with (2)
      const auto lead = static_cast<std::int64_t>(turn - (ticket + 1));
      if (lead == 0) {
        // (5) seq_cst, as (6)
        if (head_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)) {
          return claimed(slot, ticket);
        }
      } else if (lead < 0) {
        return Claim{};
      } else {
        ticket = head_.load(std::memory_order_relaxed);
      }
    }
  }

  /// As try_claim(), for a thread beside which nobody takes values. A locked instruction waits until
  /// everything that was stored before it has reached the cache; this has none. What head() tells then
  /// changes by plain stores.
  /// @return          an empty claim if the queue is empty
  /// @throws          nothing
  /// @pre             nobody else claims or pops meanwhile
  /// @par Complexity  O(1); wait-free
  [[nodiscard]] Claim try_claim_alone() noexcept {
    const std::uint64_t ticket = head_.load(std::memory_order_relaxed);
    Slot& slot = slots_[ticket & mask_];
    if (slot.turn.load(std::memory_order_acquire) != ticket + 1) return Claim{};  // as (3)
    head_.store(ticket + 1, std::memory_order_release);  // for who looks at head(): see SpaceGate
    return claimed(slot, ticket);
  }

  /// Takes the first value out of the queue; nothing if the queue is empty. @throws nothing
  [[nodiscard]] std::optional<T> try_pop() noexcept {
    std::optional<T> value;
    if (Claim claim = try_claim()) value.emplace(std::move(*claim));
    return value;
  }

  /// True if try_claim would have found a value at some moment during the call.
  /// @param ahead  so that many had to be taken before that one, less than capacity() // values
  [[nodiscard]] bool ready(std::uint64_t ahead = 0) const noexcept {
    const std::uint64_t ticket = head_.load(std::memory_order_relaxed) + ahead;
    const std::uint64_t turn = slots_[ticket & mask_].turn.load(std::memory_order_acquire);
    return static_cast<std::int64_t>(turn - (ticket + 1)) >= 0;
  }

  /// The ticket of the first value that is left: how many were ever taken, if tickets begin at 0.
  [[nodiscard]] std::uint64_t head() const noexcept {
    return head_.load(std::memory_order_seq_cst);  // see (6)
  }
  /// The ticket of the next value: how many were ever pushed, if tickets begin at 0.
  [[nodiscard]] std::uint64_t tail() const noexcept {
    return tail_.load(std::memory_order_seq_cst) & ~closed_bit;  // see (6)
  }
  /// Number of values, exact while nobody pushes or pops. // values
  [[nodiscard]] std::size_t size() const noexcept {
    const std::uint64_t first = head();
    const std::uint64_t size = tail() - first;
    return static_cast<std::size_t>(size > mask_ ? mask_ + 1 : size);
  }
  /// How many values it holds at most. // values
  [[nodiscard]] std::size_t capacity() const noexcept {
    return static_cast<std::size_t>(mask_ + 1);
  }

 private:
  /// In the tail, so that closing and claiming are ordered by one variable. It makes every slot
  /// look a whole lap behind, which the ordinary path takes for "full" without a further test.
  static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 62U;

  /// @param expected  the state of closed_bit in which to push
  template <class Make>
  bool push_at_tail(Make&& make, std::uint64_t expected) noexcept {
    std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t ticket = tail ^ expected;
      Slot& slot = slots_[ticket & mask_];
      const std::uint64_t turn = slot.turn.load(std::memory_order_acquire);  // (1) pairs with (4)
      const auto lead = static_cast<std::int64_t>(turn - ticket);
      if (lead == 0) {
        // (6) seq_cst: whoever claims a slot and then looks whether somebody sleeps, and whoever says
        // that it sleeps and then looks at head() and tail(), do not miss each other
        if (tail_.compare_exchange_weak(tail, tail + 1, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)) {
          std::forward<Make>(make)(static_cast<void*>(slot.storage));
          slot.turn.store(ticket + 1, std::memory_order_release);  // (2) pairs with (3)
          fetch_ahead(ticket, head_, head_seen_, mask_ + 1);
          return true;
        }
      } else if (lead < 0) {
        return false;
      } else {
        tail = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  Claim claimed(Slot& slot, std::uint64_t ticket) noexcept {
    fetch_ahead(ticket, tail_, tail_seen_, 0);
    return Claim{&slot, ticket, ticket + mask_ + 1};
  }

  /// Asks for the slot that this side will need a few operations later, if the other side is
  /// already done with it. Each event moves a cache line from core to core and back; without this,
  /// every compare-and-swap waits for the line of the slot before.
  /// @param limit  where the other side is
  /// @param seen   this side's memory of `limit`, renewed at every sixteenth ticket if it is too old
  /// @param lap    what to add to `limit` to get the first ticket that must not be touched
  void fetch_ahead(std::uint64_t ticket, const std::atomic<std::uint64_t>& limit,
                   std::atomic<std::uint64_t>& seen, std::uint64_t lap) noexcept {
    const std::uint64_t wanted = ticket + fetch_distance;
    std::uint64_t end = seen.load(std::memory_order_relaxed) + lap;
    if (static_cast<std::int64_t>(end - wanted) <= 0) {
      if (ticket % fetch_distance != 0) return;
      end = (limit.load(std::memory_order_relaxed) & ~closed_bit) + lap;
      seen.store(end - lap, std::memory_order_relaxed);
      if (static_cast<std::int64_t>(end - wanted) <= 0) return;
    }
    detail::prefetch_for_writing(&slots_[wanted & mask_]);
  }

  static constexpr std::uint64_t fetch_distance = 16;

  static std::uint64_t check(std::size_t capacity, std::uint64_t first) {
    if (capacity < 1 || capacity > (std::size_t{1} << 31U)) {
      throw std::invalid_argument{detail::join(
          {"MpmcQueue: capacity is ", detail::Decimal{capacity}, "; allowed: 1 to 2147483648"})};
    }
    if (first % (std::uint64_t{1} << 32U) != 0 || first >= closed_bit) {
      throw std::invalid_argument{detail::join({"MpmcQueue: first is ", detail::Decimal{first},
                                                "; allowed: multiples of 2^32 below 2^62"})};
    }
    return std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity);
  }

  const std::uint64_t mask_;
  const detail::Owner<Slot[]> slots_;
  // Each side's position with its memory of the other side's; what follows is kept off both.
  alignas(detail::prefetch_pair_bytes) std::atomic<std::uint64_t> tail_;
  std::atomic<std::uint64_t> head_seen_;
  alignas(detail::prefetch_pair_bytes) std::atomic<std::uint64_t> head_;
  std::atomic<std::uint64_t> tail_seen_;
  [[maybe_unused]] std::byte padding_[detail::prefetch_pair_bytes - 2 * sizeof(std::uint64_t)];
};

}  // namespace gossip
