// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SharedEvent: an event of any type that several owners keep. Layer: core.

#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace gossip::detail {

/// Owns an immutable event together with its copies. Empty as default. One allocation per event; a
/// pointer's worth of std::shared_ptr without what that costs to compile for every payload.
///
/// Thread safety: as a std::shared_ptr.
class SharedEvent {
 public:
  SharedEvent() noexcept = default;
  SharedEvent(const SharedEvent& other) noexcept : box_{other.box_} {
    if (box_ != nullptr) box_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  SharedEvent(SharedEvent&& other) noexcept : box_{other.box_} { other.box_ = nullptr; }
  SharedEvent& operator=(SharedEvent other) noexcept {
    Box* mine = box_;
    box_ = other.box_;
    other.box_ = mine;
    return *this;
  }
  ~SharedEvent() {
    // acq_rel: the last owner sees what the others did with the event
    if (box_ != nullptr && box_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      box_->destroy(box_);
    }
  }

  /// A copy of `event`, an Event<T>, that holds its receipt too; empty if a T cannot be copied.
  /// @throws std::bad_alloc, and what copying the payload throws
  template <class T>
  static SharedEvent copy_of(const EventBase& event) {
    if constexpr (std::is_copy_constructible_v<StoredPayload<T>>) {
      auto* box = new BoxOf<T>{static_cast<const Event<T>&>(event)};
      EventAccess::header(box->boxed).receipt = EventAccess::header(event).receipt;
      return SharedEvent{box};
    } else {
      return {};
    }
  }
  /// Takes `event` over.
  /// @throws std::bad_alloc, and what moving the payload throws
  template <class T>
  static SharedEvent of(Event<T>&& event) {
    return SharedEvent{new BoxOf<T>{std::move(event)}};
  }

  /// An event made of a header and a payload.
  /// @throws std::bad_alloc, then `data` is untouched; and what moving the payload throws
  template <class T>
  static SharedEvent make(const DeliveredHeader& header, StoredPayload<T>&& data) {
    return SharedEvent{new BoxOf<T>{header, std::move(data)}};
  }

  /// For a copy whose fate nobody waits for. @pre not empty, nobody else has it
  void drop_receipt() noexcept { EventAccess::header(*box_->event).receipt = {}; }

  [[nodiscard]] explicit operator bool() const noexcept { return box_ != nullptr; }
  /// @pre not empty
  [[nodiscard]] const EventBase& operator*() const noexcept { return *box_->event; }
  /// The event, as long as it has not been shared. @pre there is no other owner
  [[nodiscard]] EventBase& sole() noexcept { return *box_->event; }

 private:
  struct Box {
    std::atomic<std::uint32_t> owners{1};
    EventBase* event;
    void (*destroy)(Box* box) noexcept;
  };
  template <class T>
  struct BoxOf : Box {
    template <class E>
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload)
    explicit BoxOf(E&& from)
        : Box{.event = &boxed,
              .destroy = [](Box* box) noexcept { delete static_cast<BoxOf*>(box); }},
          boxed{std::forward<E>(from)} {}
    BoxOf(const DeliveredHeader& header, StoredPayload<T>&& data)
        : Box{.event = &boxed,
              .destroy = [](Box* box) noexcept { delete static_cast<BoxOf*>(box); }},
          boxed{EventAccess::make<T>(header, std::move(data))} {}
    Event<T> boxed;
  };

  explicit SharedEvent(Box* box) noexcept : box_{box} {}

  Box* box_ = nullptr;
};

}  // namespace gossip::detail
