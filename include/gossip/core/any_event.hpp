// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// AnyEvent: an event whose payload type is checked at run time. Layer: core.

#include <gossip/core/error.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>

#include <memory>
#include <string>
#include <type_traits>
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
      : AnyEvent{std::make_shared<const Event<T>>(std::move(event))} {}

  /// @throws NoDataError     the payload cannot be copied (a move-only type)
  /// @throws std::bad_alloc, and what copying the payload throws
  AnyEvent(const AnyEvent& other) : AnyEvent{other.owner_ ? other.share() : other.clone_(other)} {}
  /// Leaves `other` as it was.
  AnyEvent(AnyEvent&& other) noexcept
      : AnyEvent{other.event_, other.data_, other.info_, other.clone_, other.owner_} {}
  /// @throws as the copying constructor
  AnyEvent& operator=(AnyEvent other) noexcept {
    event_ = other.event_;
    data_ = other.data_;
    info_ = other.info_;
    clone_ = other.clone_;
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
    return info_ == &payload_info<T>() ? static_cast<const StoredPayload<T>*>(data_) : nullptr;
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

  template <class T>
  explicit AnyEvent(std::shared_ptr<const Event<T>> event)
      : AnyEvent{*event, std::shared_ptr<const void>{event}} {}

  template <class T>
  AnyEvent(const Event<T>& event, std::shared_ptr<const void> owner) noexcept
      : event_{&event},
        data_{&event.data()},
        info_{&payload_info<T>()},
        clone_{[](const AnyEvent& view) { return clone<T>(view); }},
        owner_{std::move(owner)} {}

  AnyEvent(const EventBase* event, const void* data, const PayloadInfo* info,
           AnyEvent (*cloner)(const AnyEvent&), std::shared_ptr<const void> owner) noexcept
      : event_{event}, data_{data}, info_{info}, clone_{cloner}, owner_{std::move(owner)} {}

  /// Another owner of what `this` owns.
  [[nodiscard]] AnyEvent share() const noexcept {
    return AnyEvent{event_, data_, info_, clone_, owner_};
  }

  template <class T>
  static AnyEvent clone(const AnyEvent& view) {
    if constexpr (std::is_copy_constructible_v<StoredPayload<T>>) {
      return AnyEvent{std::make_shared<const Event<T>>(static_cast<const Event<T>&>(*view.event_))};
    } else {
      throw NoDataError{"data", "a payload of type " + std::string{view.info_->name} +
                                    " cannot be copied out of the delivery"};
    }
  }

  const EventBase* event_;
  const void* data_;
  const PayloadInfo* info_;
  AnyEvent (*clone_)(const AnyEvent&);
  std::shared_ptr<const void> owner_;  ///< null in the one that refers to a delivery
};

namespace detail {

/// Makes the AnyEvent that refers to an event without owning it.
struct AnyEventAccess {
  template <class T>
  static AnyEvent refer_to(const Event<T>& event) noexcept {
    return AnyEvent{event, nullptr};
  }
};

}  // namespace detail
}  // namespace gossip
