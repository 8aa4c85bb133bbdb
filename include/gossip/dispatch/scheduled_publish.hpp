// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ScheduledPublish: what is to be published later, and who holds on to it. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/shared.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/timer_queue.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace gossip::detail {

class Schedules;
struct ScheduledPublish;
struct TypeEntry;

/// What can be done with a ScheduledPublish, whatever it publishes.
struct ScheduledOperations {
  /// Publishes. @throws what copying the payload throws
  Status (*publish)(ScheduledPublish& self);
  /// Destroys what would be published. Called once.
  void (*discard)(ScheduledPublish& self) noexcept;
  void (*free)(ScheduledPublish* self) noexcept;
};

/// One schedule: an event, or a repeated one, that is to be published later. Held by a handle and,
/// until it has ended, by whoever has it in turn: the timer, the queue, a worker. See Schedules.
struct ScheduledPublish : Task, TimerTask {
  enum class State : std::uint8_t {
    waiting,     ///< in the timer
    due,         ///< in the queue
    publishing,  ///< a worker publishes the event
    ended,       ///< nothing will be published any more
  };

  explicit ScheduledPublish(const ScheduledOperations& how) noexcept : operations{&how} {}

  [[nodiscard]] bool repeats() const noexcept { return period.count() != 0; }

  const ScheduledOperations* const operations;
  SharedCount count;  ///< of those who hold it
  // Immutable once scheduled.
  Schedules* owner = nullptr;
  const TypeEntry* type = nullptr;
  std::chrono::nanoseconds period{};  ///< 0: once
  // Under the lock of the Schedules.
  State state = State::waiting;
  SteadyTime time{};  ///< when the next event is due

  std::atomic<bool> publishing{false};  ///< a worker is at it, whatever the state
};

/// A ScheduledPublish that calls an `F`.
template <class F>
struct ScheduledCall : ScheduledPublish {
  explicit ScheduledCall(F&& what) : ScheduledPublish{table}, call{std::move(what)} {}
  ScheduledCall(const ScheduledCall&) = delete;
  ScheduledCall& operator=(const ScheduledCall&) = delete;
  // NOLINTNEXTLINE(modernize-use-equals-default)
  ~ScheduledCall() {}  // discard() has destroyed the call

  union {
    F call;
  };

  static constexpr ScheduledOperations table{
      [](ScheduledPublish& self) -> Status { return static_cast<ScheduledCall&>(self).call(); },
      [](ScheduledPublish& self) noexcept { static_cast<ScheduledCall&>(self).call.~F(); },
      [](ScheduledPublish* self) noexcept { delete static_cast<ScheduledCall*>(self); }};
};

/// Holds on to a schedule, or to none.
class HeldSchedule {
 public:
  HeldSchedule() noexcept = default;
  explicit HeldSchedule(ScheduledPublish* item) noexcept : item_{item} {
    item_->count.add_holder();
  }
  HeldSchedule(HeldSchedule&& other) noexcept : item_{other.item_} { other.item_ = nullptr; }
  HeldSchedule& operator=(HeldSchedule&& other) noexcept {
    if (this != &other) {
      if (item_ != nullptr) release(*item_);
      item_ = other.item_;
      other.item_ = nullptr;
    }
    return *this;
  }
  ~HeldSchedule() {
    if (item_ != nullptr) release(*item_);
  }

  [[nodiscard]] ScheduledPublish* get() const noexcept { return item_; }
  [[nodiscard]] ScheduledPublish& operator*() const noexcept { return *item_; }
  [[nodiscard]] ScheduledPublish* operator->() const noexcept { return item_; }

  /// Takes one holder away; the last one frees it.
  static void release(ScheduledPublish& item) noexcept {
    if (item.count.drop_holder()) item.operations->free(&item);
  }

 private:
  ScheduledPublish* item_ = nullptr;
};

}  // namespace gossip::detail
