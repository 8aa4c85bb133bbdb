// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Event: a payload with its type, id, time stamp, metadata and priority. Layer: core.

#include <gossip/core/clock.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/held_metadata.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/priority.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gossip {

namespace detail {
struct EventAccess;
}

/// What every event has, whatever its payload. Immutable once published.
///
/// Thread safety: const members from any thread.
class EventBase {
 public:
  /// The name of the event's type; lives for ever.
  [[nodiscard]] std::string_view type() const noexcept { return header_.type.text(); }
  /// The event's identity. Made when first asked for, so it costs nothing when unused.
  /// @throws std::system_error  the operating system has no source of randomness
  [[nodiscard]] EventId id() const { return header_.id(); }
  /// When the event was created, by the bus's clock, and the epoch if that has Timestamps::off; one
  /// that was built by hand has its time from the system's clock, whatever bus publishes it.
  [[nodiscard]] Timestamp timestamp() const noexcept { return header_.timestamp(); }
  /// Named values that travel with the event.
  [[nodiscard]] const Metadata& metadata() const noexcept {
    return header_.metadata ? *header_.metadata : detail::no_metadata();
  }
  /// How urgent the event is.
  [[nodiscard]] Priority priority() const noexcept { return header_.priority(); }

 protected:
  /// For Event.
  /// @{
  explicit EventBase(const EventTypeName& type) noexcept : header_{type} {}
  [[gnu::always_inline]] explicit EventBase(const detail::DeliveredHeader& parts) noexcept
      : header_{parts} {}

  EventBase(const EventBase& other, detail::EventTime time, EventId id) noexcept
      : header_{other.header_, time, id} {}

  template <class Value>
  void set_metadata(std::string_view key, Value value) {
    if (!header_.metadata) header_.metadata = detail::HeldMetadata{Metadata{}};
    header_.metadata->set(std::string{key}, std::move(value));
  }

  detail::EventHeader header_;
  /// @}

 private:
  friend struct detail::EventAccess;
};

/// An event with a payload of type `T`. Built by chaining, then published, then immutable:
///
/// @code
/// bus.publish(gossip::Event{user_created, {.id = "123"}}.with_metadata("request_id", "req-1"));
/// @endcode
///
/// A copy is independent of the bus that delivered the original.
template <Payload T>
class Event : public EventBase {
 public:
  /// What its data are, as in EventType.
  using payload_type = T;

  /// @param type  the event's type
  /// @param data  moved in; the time stamp is set now, by the system's clock: no bus is known yet
  Event(const EventType<T>& type, std::type_identity_t<StoredPayload<T>> data) noexcept(
      std::is_nothrow_move_constructible_v<StoredPayload<T>>)
      : EventBase{type.key()}, data_(std::move(data)) {}

  /// An event without data.
  explicit Event(const EventType<T>& type) noexcept requires std::is_void_v<T>
      : EventBase{type.key()} {}

  /// The payload.
  [[nodiscard]] const StoredPayload<T>& data() const noexcept { return data_; }

  /// Sets a metadata entry. Of a temporary event makes the event with that entry, so that
  /// `const auto& event = Event{...}.with_metadata(...)` is one to keep.
  /// @throws std::bad_alloc, and what moving the payload throws
  /// @{
  Event& with_metadata(std::string_view key, MetadataValue value) & {
    set_metadata(key, std::move(value));
    return *this;
  }
  [[nodiscard]] Event with_metadata(std::string_view key, MetadataValue value) && {
    set_metadata(key, std::move(value));
    return std::move(*this);
  }
  /// @}

  /// Sets the priority. Of a temporary event makes the event with that priority.
  /// @{
  Event& with_priority(Priority priority) & noexcept {
    header_.set_priority(priority);
    return *this;
  }
  [[nodiscard]] Event with_priority(Priority priority) && noexcept(
      std::is_nothrow_move_constructible_v<StoredPayload<T>>) {
    header_.set_priority(priority);
    return std::move(*this);
  }
  /// @}

 private:
  friend struct detail::EventAccess;

  /// Inlined, since what is known of the parts takes most of it away.
  [[gnu::always_inline]] Event(
      const detail::DeliveredHeader& parts,
      StoredPayload<T>&& data) noexcept(std::is_nothrow_move_constructible_v<StoredPayload<T>>)
      : EventBase{parts}, data_(std::move(data)) {}

  Event(const Event& other, detail::EventTime time, EventId id)
      : EventBase{other, time, id}, data_(other.data_) {}

  StoredPayload<T> data_;
};

/// `Event{user_created, data}` has the payload type of `user_created`.
/// @{
template <class T>
Event(EventType<T>, std::type_identity_t<T>) -> Event<T>;
template <class T>
Event(EventType<T>) -> Event<T>;
/// @}

namespace detail {

/// How the bus takes events apart and puts them together.
struct EventAccess {
  static EventHeader& header(EventBase& event) noexcept { return event.header_; }
  static const EventHeader& header(const EventBase& event) noexcept { return event.header_; }
  template <class T>
  static StoredPayload<T>& data(Event<T>& event) noexcept {
    return event.data_;
  }
  template <class T>
  static Event<T> make(const DeliveredHeader& parts, StoredPayload<T>&& data) noexcept(
      std::is_nothrow_move_constructible_v<StoredPayload<T>>) {
    return Event<T>{parts, std::move(data)};
  }
  /// As EventHeader's constructor of these parameters.
  template <class T>
  static Event<T> copy(const Event<T>& event, EventTime time, EventId id) {
    return Event<T>{event, time, id};
  }
};

}  // namespace detail
}  // namespace gossip
