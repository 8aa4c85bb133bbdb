// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// AnyEvent: an event whose payload type is checked at run time. Layer: core.

#include <gossip/core/error.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/shared_event.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace gossip {

namespace detail {
struct AnyEventAccess;
}

/// An event of any type: what processors of patterns, dead letters and transports handle.
///
/// The one a processor is given refers to the event being delivered; a copy of it owns a copy of
/// that event and may be kept.
///
/// Thread safety: const members from any thread.
class AnyEvent {
 public:
  /// Takes the event over.
  /// @throws std::bad_alloc, and what moving or copying the payload throws
  template <Payload T>
  explicit AnyEvent(Event<T> event)
      : AnyEvent{detail::SharedEvent::of(std::move(event)), payload_info<T>(),
                 &detail::SharedEvent::copy_of<T>} {}

  /// @throws NoDataError     the payload cannot be copied (a move-only type)
  /// @throws std::bad_alloc, and what copying the payload throws
  AnyEvent(const AnyEvent& other)
      : AnyEvent{other.owner_ ? other.owner_ : other.copy(), *other.info_, other.copier_} {}
  /// Leaves `other` as it was.
  AnyEvent(AnyEvent&& other) noexcept
      // NOLINTNEXTLINE(performance-move-constructor-init)
      : event_{other.event_}, info_{other.info_}, copier_{other.copier_}, owner_{other.owner_} {}
  /// @throws as the copying constructor
  AnyEvent& operator=(AnyEvent other) noexcept {
    event_ = other.event_;
    info_ = other.info_;
    copier_ = other.copier_;
    owner_ = other.owner_;
    return *this;
  }
  ~AnyEvent() = default;

  /// As EventBase's members of the same names.
  /// @{
  [[nodiscard]] std::string_view type() const noexcept { return event_->type(); }
  [[nodiscard]] EventId id() const { return event_->id(); }
  [[nodiscard]] Timestamp timestamp() const noexcept { return event_->timestamp(); }
  [[nodiscard]] const Metadata& metadata() const noexcept { return event_->metadata(); }
  [[nodiscard]] Priority priority() const noexcept { return event_->priority(); }
  /// @}

  /// The payload's C++ type.
  [[nodiscard]] const PayloadInfo& payload() const noexcept { return *info_; }

  /// The payload, if it is a `T`; else null. @throws nothing
  template <Payload T>
  [[nodiscard]] const StoredPayload<T>* get_if() const noexcept {
    if (info_ != &payload_info<T>()) return nullptr;
    return &static_cast<const Event<T>*>(event_)->data();
  }

  /// The payload, which must be a `T`.
  /// @throws NoDataError         the event carries no data
  /// @throws TypeAssertionError  the payload is of another type; names both
  template <Payload T>
  [[nodiscard]] const StoredPayload<T>& get() const {
    if (const auto* data = get_if<T>()) return *data;
    if (info_ == &payload_info<void>()) throw NoDataError{"data", std::string{type()}};
    throw TypeAssertionError{std::string{payload_info<T>().name}, std::string{info_->name},
                             std::string{type()}};
  }

 private:
  friend struct detail::AnyEventAccess;

  /// Copies an event of the payload type that it stands for.
  using Copier = detail::SharedEvent (*)(const EventBase& event);

  AnyEvent(detail::SharedEvent owner, const PayloadInfo& info, Copier copier) noexcept
      : event_{&*owner}, info_{&info}, copier_{copier}, owner_{std::move(owner)} {}
  AnyEvent(const EventBase& event, const PayloadInfo& info, Copier copier) noexcept
      : event_{&event}, info_{&info}, copier_{copier} {}

  /// A copy of an event that is not owned.
  [[nodiscard]] detail::SharedEvent copy() const {
    if (detail::SharedEvent copied = copier_(*event_)) {
      // Nobody else knows it yet. Who keeps a copy does not put off the end of the delivery.
      detail::EventAccess::header(const_cast<EventBase&>(*copied)).receipt = {};
      return copied;
    }
    std::string message{"a payload of type "};
    message += info_->name;
    message += " cannot be copied out of the delivery";
    throw NoDataError{"data", std::move(message)};
  }

  const EventBase* event_;
  const PayloadInfo* info_;
  Copier copier_;
  detail::SharedEvent owner_;  ///< empty in the one that refers to a delivery
};

namespace detail {

/// How gossip makes an AnyEvent that refers to an event without owning it, and looks behind it.
struct AnyEventAccess {
  template <class T>
  static AnyEvent refer_to(const Event<T>& event) noexcept {
    return AnyEvent{event, payload_info<T>(), &SharedEvent::copy_of<T>};
  }
  /// @param info    of the event's payload
  /// @param copier  SharedEvent::copy_of of the event's payload
  static AnyEvent refer_to(const EventBase& event, const PayloadInfo& info,
                           SharedEvent (*copier)(const EventBase&)) noexcept {
    return AnyEvent{event, info, copier};
  }
  /// The event, without its payload's type.
  static const EventBase& base(const AnyEvent& event) noexcept { return *event.event_; }
  static const EventBase& base(const EventBase& event) noexcept { return event; }
  /// The event as what it is, if its payload is a `T`; else null.
  template <class T>
  static const Event<T>* event_if(const AnyEvent& any) noexcept {
    return any.info_ == &payload_info<T>() ? static_cast<const Event<T>*>(any.event_) : nullptr;
  }
};

}  // namespace detail
}  // namespace gossip
