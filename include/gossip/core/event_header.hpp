// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// EventHeader: the part of an event that does not depend on its payload. Layer: core.

#include <gossip/core/clock.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/held_metadata.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/priority.hpp>
#include <gossip/core/receipt.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace gossip::detail {

/// Lends meaning to the raw numbers in the events that a bus delivers; outlives the delivery.
struct EventSource {
  std::uint64_t origin = 0;                                    ///< of the ids of its events
  const void* clock = nullptr;                                 ///< given to `to_time`
  Timestamp (*to_time)(const void*, std::uint64_t) = nullptr;  ///< converts its ticks
};

/// What metadata() of an event without any refers to; never destroyed.
inline const Metadata& no_metadata() {
  static const Metadata& none = *new Metadata;
  return none;
}

/// An id that exists once somebody has asked for it.
class LazyEventId {
 public:
  LazyEventId() noexcept = default;
  explicit LazyEventId(EventId id) noexcept : id_{id}, state_{made} {}
  LazyEventId(const LazyEventId& other) : LazyEventId{other.get()} {}
  LazyEventId(LazyEventId&& other) noexcept : id_{other.id_}, state_{other.peek()} {}
  LazyEventId& operator=(LazyEventId other) noexcept {
    id_ = other.id_;
    state_.store(other.peek(), std::memory_order_relaxed);
    return *this;
  }
  ~LazyEventId() = default;

  [[nodiscard]] EventId get() const {
    if (state_.load(std::memory_order_acquire) == made) return id_;  // (1) pairs with (3)
    const EventId fresh = make_event_id();
    std::uint8_t expected = unmade;
    // (2) one thread writes the id; others wait for (3), a few instructions away
    if (state_.compare_exchange_strong(expected, making, std::memory_order_acquire)) {
      id_ = fresh;
      state_.store(made, std::memory_order_release);  // (3) pairs with (1) and (4)
    }
    while (state_.load(std::memory_order_acquire) != made) {  // (4) pairs with (3)
    }
    return id_;
  }

  /// True if somebody has asked.
  [[nodiscard]] bool exists() const noexcept { return peek() == made; }

 private:
  static constexpr std::uint8_t unmade = 0;
  static constexpr std::uint8_t making = 1;
  static constexpr std::uint8_t made = 2;

  [[nodiscard]] std::uint8_t peek() const noexcept {
    return state_.load(std::memory_order_acquire);
  }

  mutable EventId id_;
  mutable std::atomic<std::uint8_t> state_{unmade};
};

/// What few events have; allocated for those alone.
struct EventExtras {
  LazyEventId own_id;
  HeldMetadata metadata;
  Receipt receipt;
};

/// A moment: ticks of the delivering bus's clock, or, with the top bit set, nanoseconds since the
/// Unix epoch. 0 is "no time".
class EventTime {
 public:
  constexpr EventTime() noexcept = default;
  constexpr explicit EventTime(std::uint64_t raw) noexcept : raw_{raw} {}

  [[nodiscard]] static EventTime at(Timestamp time) noexcept {
    const std::int64_t ns = time.time_since_epoch().count();
    return EventTime{ns > 0 ? static_cast<std::uint64_t>(ns) | absolute : 0};
  }

  [[nodiscard]] Timestamp resolve(const EventSource* source) const noexcept {
    if (raw_ == 0) return Timestamp{};
    if ((raw_ & absolute) != 0 || source == nullptr) {
      return Timestamp{std::chrono::nanoseconds{static_cast<std::int64_t>(raw_ & ~absolute)}};
    }
    return source->to_time(source->clock, raw_);
  }

  [[nodiscard]] constexpr std::uint64_t raw() const noexcept { return raw_; }

 private:
  static constexpr std::uint64_t absolute = std::uint64_t{1} << 63U;

  std::uint64_t raw_ = 0;
};

/// In place of a number, of an event that no source has numbered: its id is made when asked for. It
/// tells the priority, too, even one that there is not.
[[nodiscard]] constexpr std::uint64_t unnumbered_with(Priority priority) noexcept {
  return ~(static_cast<std::uint64_t>(priority) ^ static_cast<std::uint64_t>(Priority::normal));
}
inline constexpr std::uint64_t unnumbered = unnumbered_with(Priority::normal);
[[nodiscard]] constexpr bool is_numbered(std::uint64_t sequence) noexcept {
  return sequence >> 63U == 0;
}

/// A bus numbers the events of each priority from here on, so the number tells the priority.
[[nodiscard]] constexpr std::uint64_t first_ticket(Priority priority) noexcept {
  switch (priority) {
    case Priority::high: return std::uint64_t{1} << 60U;
    case Priority::low: return std::uint64_t{2} << 60U;
    case Priority::normal: break;
  }
  return 0;
}

/// The priority of an event with that number, or with what is in its place.
[[nodiscard]] constexpr Priority priority_of(std::uint64_t sequence) noexcept {
  if (!is_numbered(sequence)) {
    return static_cast<Priority>(static_cast<std::uint8_t>(~sequence) ^
                                 static_cast<std::uint8_t>(Priority::normal));
  }
  switch (sequence >> 60U) {
    case 1: return Priority::high;
    case 2: return Priority::low;
    default: return Priority::normal;
  }
}
static_assert(priority_of(first_ticket(Priority::high)) == Priority::high);
static_assert(priority_of(first_ticket(Priority::low)) == Priority::low);
static_assert(priority_of(unnumbered_with(Priority::high)) == Priority::high);
static_assert(priority_of(unnumbered_with(Priority::low)) == Priority::low);
static_assert(unnumbered == static_cast<std::uint64_t>(-1));

/// What a copy of an event has in place of that number, or of what is in its place.
[[nodiscard]] constexpr std::uint64_t without_number(std::uint64_t sequence) noexcept {
  const std::uint64_t lane = sequence >> 60U;
  return is_numbered(sequence) ? ~(lane | lane >> 1U) : sequence;
}
static_assert(without_number(first_ticket(Priority::high)) == unnumbered_with(Priority::high));
static_assert(without_number(first_ticket(Priority::normal)) == unnumbered);
static_assert(without_number(first_ticket(Priority::low)) == unnumbered_with(Priority::low));

/// What the header of a delivered event is made from.
struct DeliveredHeader {
  const EventTypeName& type;
  EventTime time;
  const EventSource* source;
  std::uint64_t sequence = unnumbered;  ///< the source's number for the event
  EventExtras* extras = nullptr;        ///< taken over
};

/// Everything an event has but its payload. While a bus delivers the event, `source` is set and
/// the id and the time are numbers that it can explain; a copy holds the explained ones.
struct EventHeader {
  /// For an event that a user builds: stamped with the time now.
  explicit EventHeader(const EventTypeName& name) noexcept
      : type{name}, time{EventTime::at(SystemClock{}.to_time(SystemClock{}.ticks()))} {}

  /// For an event that a bus delivers; inlined, since every event goes through it.
  [[gnu::always_inline]] explicit EventHeader(const DeliveredHeader& parts) noexcept
      : type{parts.type}, time{parts.time}, source{parts.source}, sequence{parts.sequence} {
    if (parts.extras != nullptr) [[unlikely]]
      take(Owner<EventExtras>{parts.extras});
  }

  EventHeader(const EventHeader& other)
      : type{other.type},
        time{EventTime::at(other.timestamp())},
        sequence{without_number(other.sequence)},
        own_id{other.id()},
        metadata{other.metadata} {}
  /// A copy of one without metadata, whose time and id have been asked for before.
  EventHeader(const EventHeader& other, EventTime when, EventId id) noexcept
      : type{other.type}, time{when}, sequence{without_number(other.sequence)}, own_id{id} {}
  EventHeader(EventHeader&&) noexcept = default;
  EventHeader& operator=(EventHeader other) noexcept {
    type = other.type;
    time = other.time;
    source = other.source;
    sequence = other.sequence;
    own_id = std::move(other.own_id);
    metadata = std::move(other.metadata);
    receipt = std::move(other.receipt);
    return *this;
  }
  ~EventHeader() = default;

  /// Out of line, so that what every event does stays short.
  [[gnu::noinline]] void take(Owner<EventExtras> extras) noexcept {
    own_id = std::move(extras->own_id);
    metadata = std::move(extras->metadata);
    receipt = std::move(extras->receipt);
  }

  [[nodiscard]] Timestamp timestamp() const noexcept { return time.resolve(source); }

  [[nodiscard]] EventId id() const {
    if (is_numbered(sequence) && !own_id.exists()) return {source->origin, sequence};
    return own_id.get();
  }

  [[nodiscard]] Priority priority() const noexcept { return priority_of(sequence); }
  /// @pre not numbered
  void set_priority(Priority priority) noexcept { sequence = unnumbered_with(priority); }

  EventTypeName type;
  EventTime time;
  const EventSource* source = nullptr;
  std::uint64_t sequence = unnumbered;  ///< tells the priority
  LazyEventId own_id;
  HeldMetadata metadata;
  Receipt receipt;  ///< not copied with the event
};

}  // namespace gossip::detail
