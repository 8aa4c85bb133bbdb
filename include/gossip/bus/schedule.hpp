// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Schedule: the handle of what publish_after, publish_at or publish_every have arranged. Layer: bus.

#include <gossip/core/clock.hpp>
#include <gossip/core/keeper.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/scheduled_publish.hpp>
#include <gossip/dispatch/schedules.hpp>

#include <memory>
#include <utility>

namespace gossip {

/// An event, or a repeated one, that a bus is to publish later; or why it will not. Move-only. It may
/// outlive the bus.
///
/// The destructor does not cancel, unlike that of a Subscription, and waits for nothing: what is
/// scheduled is on its way to everybody, as a published event is, and needs no owner. So the handle
/// may be ignored by whoever does not want to cancel.
///
/// Example: examples/processing/timed.cpp.
///
/// Thread safety: distinct handles from any threads; const members and cancel() of one handle from
/// any thread.
class Schedule {
 public:
  /// Empty: nothing is scheduled.
  Schedule() noexcept = default;
  /// Takes over; the other one then is empty.
  Schedule(Schedule&&) noexcept = default;
  /// Lets go of what the target held, then takes over.
  Schedule& operator=(Schedule&&) noexcept = default;
  ~Schedule() = default;

  /// Success if it was scheduled, else why not: Errc::queue_full (BusOptions::max_scheduled),
  /// Errc::closed, Errc::validation_failed (a period that is not positive),
  /// Errc::type_assertion_failed (the name is in use with another payload type).
  [[nodiscard]] const Status& status() const noexcept { return status_; }

  /// Ends the schedule. When it returns, no further event of it is published, and, if it returns true
  /// and no event was being published, what it held is destroyed. But called by a processor on a
  /// worker it does not wait: one event that another worker is publishing at that moment may still
  /// come.
  /// @return            true if this ended it: the event of publish_after or publish_at will never
  ///                    come; publish_every will not repeat. False if it had ended: its event had
  ///                    come (or was being published), it was cancelled before, or the bus shut down
  /// @throws            nothing
  /// @par Blocking      while one of its events is being published, which takes as long as there is no
  ///                    space in the queue; never on a worker
  /// @par Thread safety any thread
  /// @par Complexity    logarithmic in the number of schedules
  bool cancel() noexcept { return item_.get() != nullptr && item_->owner->cancel(*item_); }

  /// True as long as an event may still come.
  [[nodiscard]] bool active() const noexcept {
    return item_.get() != nullptr && item_->owner->active(*item_);
  }

  /// When the next event is due, by the bus's clock; SteadyTime::max() if none is to come.
  [[nodiscard]] SteadyTime next() const noexcept {
    return item_.get() != nullptr ? item_->owner->next(*item_) : SteadyTime::max();
  }

  /// For use by gossip.
  /// @{
  explicit Schedule(Status refusal) noexcept : status_{std::move(refusal)} {}
  Schedule(detail::Keeper bus, detail::HeldSchedule item) noexcept
      : bus_{std::move(bus)}, item_{std::move(item)} {}
  /// @}

 private:
  detail::Keeper bus_;  ///< keeps the item's owner alive
  detail::HeldSchedule item_;
  Status status_;
};

}  // namespace gossip
