// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Envelope: an event of any type as it lies in a queue slot. Layer: dispatch.

#include <gossip/core/event.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/queue/cache_line.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace gossip {

/// Payloads up to this size travel inside the queue, if moving them cannot throw and they need no
/// more than 32 bytes of alignment; others cost one allocation each. // bytes
inline constexpr std::size_t inline_payload_bytes = 96;

namespace detail {

struct TypeEntry;

/// What travels in the envelope of an event that has gone to lanes, too: it is shared with them.
struct SharedDelivery {
  SharedEvent event;
  TypeEntry* type;  ///< of the event
};

/// The event that an envelope brings.
/// @{
[[nodiscard]] inline const EventBase& brought_by(const EventBase& event) noexcept { return event; }
[[nodiscard]] inline const EventBase& brought_by(const Event<SharedDelivery>& delivery) noexcept {
  return *delivery.data().event;
}
/// @}

/// With the queue's sequence number before it, it fills two cache lines; an event of up to 32 bytes
/// lies in the first one. Plain storage: whoever takes it out of the queue calls one of the
/// operations of its type, once.
struct Envelope {
  TypeEntry* type;
  EventTime time;
  EventExtras* extras;  ///< owned; null for most
  alignas(8) std::byte payload[inline_payload_bytes];
};
static_assert(sizeof(Envelope) + sizeof(std::uint64_t) == prefetch_pair_bytes);
static_assert((offsetof(Envelope, payload) + sizeof(std::uint64_t)) % 32 == 0);
static_assert(std::is_trivially_destructible_v<Envelope>);

template <class T>
inline constexpr bool travels_inline =
    sizeof(StoredPayload<T>) <= inline_payload_bytes && alignof(StoredPayload<T>) <= 32 &&
    std::is_nothrow_move_constructible_v<StoredPayload<T>>&& std::is_nothrow_destructible_v<
        StoredPayload<T>>;

/// A payload on its way into an envelope: in the caller's hands, or, if it cannot travel inline, in
/// a box made beforehand, so that nothing can throw once a slot is claimed.
template <class T>
class Parcel {
 public:
  /// @throws nothing if the payload travels inline; else std::bad_alloc and what moving it throws
  Parcel(const EventTypeName&, StoredPayload<T>& data) noexcept requires travels_inline<T>
      : data_{&data} {}
  Parcel(const EventTypeName& name, StoredPayload<T>& data) requires(!travels_inline<T>)
      : data_{&data},
        box_{new Event<T>{
            EventAccess::make<T>(DeliveredHeader{name, EventTime{}, nullptr}, std::move(data))}} {}

  /// Moves the payload into the envelope.
  void put_into(std::byte* storage) noexcept {
    if constexpr (travels_inline<T>) {
      ::new (static_cast<void*>(storage)) StoredPayload<T>(std::move(*data_));
    } else {
      ::new (static_cast<void*>(storage)) Event<T>*(box_.release());
    }
  }

  /// Gives the payload back to the caller, since there was no space.
  void give_back() noexcept {
    if constexpr (!travels_inline<T> && std::is_nothrow_move_constructible_v<StoredPayload<T>> &&
                  std::is_nothrow_destructible_v<StoredPayload<T>>) {
      if (!box_) return;
      std::destroy_at(data_);
      std::construct_at(data_, std::move(EventAccess::data(*box_)));
    }
  }

 private:
  StoredPayload<T>* data_;
  [[no_unique_address]] std::conditional_t<travels_inline<T>, NoData, Owner<Event<T>>> box_;
};

/// Takes the event out of an envelope and gives it to `use(const Event<T>&)`.
/// @param name       of the event's type
/// @param free_slot  called once the envelope is empty, before `use`
template <class T, class FreeSlot, class Use>
void open_envelope(Envelope& envelope, const EventTypeName& name, const EventSource& source,
                   std::uint64_t ticket, FreeSlot&& free_slot, Use&& use) {
  const DeliveredHeader parts{name, envelope.time, &source, ticket, envelope.extras};
  if constexpr (travels_inline<T>) {
    auto* stored = std::launder(reinterpret_cast<StoredPayload<T>*>(envelope.payload));
    Event<T> event = EventAccess::make<T>(parts, std::move(*stored));
    stored->~StoredPayload<T>();
    free_slot();
    use(std::as_const(event));
  } else {
    const Owner<Event<T>> box{*std::launder(reinterpret_cast<Event<T>**>(envelope.payload))};
    EventAccess::header(*box) = EventHeader{parts};
    free_slot();
    use(std::as_const(*box));
  }
}

}  // namespace detail
}  // namespace gossip
