// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RetainedEvent: the last event of a type, for subscriptions that begin with it. Layer: dispatch.

#include <gossip/core/event.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/shared_event.hpp>

#include <cstdint>
#include <mutex>
#include <utility>

namespace gossip::detail {

class AsynchronousCalls;
class Delivery;
class Dispatcher;
struct Call;
struct ThreadSlot;
struct TypeEntry;

/// The last event of one type. Of two events of one priority the one published later counts as later,
/// else the one that is dispatched later.
///
/// Its lock joins two steps into one: a dispatch keeps its event and fixes whom it goes to; a new
/// subscription looks what is kept and gets onto the list. So an event is either kept before the
/// subscription looks, and does not go to it by itself; or it goes to it.
///
/// Thread safety: any thread; nothing is copied or destroyed under the lock.
class RetainedEvent {
 public:
  /// Keeps an event while it is being dispatched. As default: does nothing.
  class Keeping {
   public:
    Keeping() noexcept = default;
    /// @param retained  of the event's type
    /// @param copy      of the event, to be kept; empty: nothing will be
    Keeping(RetainedEvent& retained, SharedEvent copy)
        : retained_{&retained}, event_{std::move(copy)}, lock_{retained.mutex_} {}

    /// Keeps it, and lets others go on.
    /// @param delivery  has fixed whom the event goes to: asked for so that it is there
    /// @param by        the event, or what brought it
    void done([[maybe_unused]] const Delivery& delivery, const EventBase& by) noexcept {
      if (retained_ == nullptr) return;
      if (event_) retained_->keep(event_, EventAccess::header(by).sequence);
      lock_.unlock();
    }

   private:
    RetainedEvent* retained_ = nullptr;
    SharedEvent event_;  ///< then the one before; destroyed without the lock
    std::unique_lock<std::mutex> lock_;
  };

  /// How an event of the type is kept and its processors are called. Known from who retains a type, as
  /// what destroys this is, so that a program that retains none does not compile it.
  struct Ways {
    /// By a worker; see AsynchronousCalls::handle.
    void (*handle)(AsynchronousCalls& calls, ThreadSlot& slot, TypeEntry& type,
                   const EventBase& event) = nullptr;
    /// By the publisher; see Dispatcher::call_now.
    bool (*call_now)(Dispatcher& dispatcher, TypeEntry& type, Call& call,
                     std::uint64_t& calls) = nullptr;
  };

  RetainedEvent() noexcept : RetainedEvent{Ways{}} {}
  explicit RetainedEvent(const Ways& dispatch_ways) noexcept
      : ways{dispatch_ways}, destroy{[](RetainedEvent* self) noexcept { delete self; }} {}
  RetainedEvent(const RetainedEvent&) = delete;
  RetainedEvent& operator=(const RetainedEvent&) = delete;
  ~RetainedEvent() = default;

  const Ways ways;
  void (*const destroy)(RetainedEvent* self) noexcept;

  /// Calls `visit(event)` with the event that is kept, maybe none; meanwhile none is being kept, and of
  /// no event of the type it is being fixed whom it goes to.
  /// @throws what `visit` throws
  template <class Look>
  void look(Look&& visit) {
    const std::lock_guard lock{mutex_};
    visit(last_);
  }

 private:
  void keep(SharedEvent& event, std::uint64_t number) noexcept {
    const bool comparable =
        is_numbered(number) && is_numbered(number_) && priority_of(number) == priority_of(number_);
    if (comparable && number < number_) return;
    std::swap(last_, event);
    number_ = number;
  }

  std::mutex mutex_;
  SharedEvent last_;
  std::uint64_t number_ = unnumbered;  ///< of `last_`
};

}  // namespace gossip::detail
