// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TimedPublishing: publishing later, once or again and again. Layer: bus.

#include <gossip/bus/schedule.hpp>
#include <gossip/core/causality.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/held_metadata.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/priority.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/schedules.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace gossip {

/// A point in time by the bus's clock, or by the wall clock.
class PointInTime {
 public:
  /// By the bus's clock, which by default is std::chrono::steady_clock.
  template <class Duration>
  PointInTime(  // NOLINT(google-explicit-constructor): either will do
      std::chrono::time_point<std::chrono::steady_clock, Duration> time) noexcept
      : steady_{time} {}
  /// By the wall clock. Made into a time of the bus's clock when it is used; what happens to the wall
  /// clock later changes nothing.
  template <class Duration>
  PointInTime(  // NOLINT(google-explicit-constructor): either will do
      std::chrono::time_point<std::chrono::system_clock, Duration> time) noexcept
      : wall_{time}, by_wall_{true} {}

  /// The time by `clock`; one that is past may come out as any time up to now.
  template <Clock C>
  [[nodiscard]] SteadyTime by(const C& clock) const noexcept {
    if (!by_wall_) return steady_;
    const Timestamp wall = clock.to_time(clock.ticks());
    return detail::later(clock.now(), wall_ > wall ? wall_ - wall : std::chrono::nanoseconds{});
  }

 private:
  SteadyTime steady_{};
  Timestamp wall_{};
  bool by_wall_ = false;
};

/// What an EventBus can do with time; a base of it. Everything waits in the bus's one timer, and is
/// published by a worker when it is due.
///
/// Thread safety: any thread.
template <class Bus>
class TimedPublishing {
 public:
  /// Publishes an event after `delay`, or at `time`.
  /// @par Payload    taken over, also on failure; move-only ones are welcome
  /// @par Time       a delay that is not positive, as a time that is past, stands for "now"
  /// @return         a handle for cancelling it, which may be ignored; or why it is not scheduled, see
  ///                 Schedule::status
  /// @throws         std::bad_alloc, std::system_error (no thread for the timer), what moving the
  ///                 payload throws; nothing is scheduled then
  /// @par Blocking   never longer than a short lock. When the event is due, a worker publishes it as
  ///                 EventBus::publish does, running other events while there is no space
  /// @par Failures   if that fails later, it is counted (Statistics::scheduled_failed) and told to
  ///                 BusOptions::on_error
  /// @par Shutdown   drain() waits for what is due, not for what is scheduled for later. Once the
  ///                 shutdown begins nothing becomes due any more: what is left is dropped and counted
  ///                 (ShutdownReport::dropped_scheduled)
  /// @par Complexity logarithmic in the number of schedules; one allocation
  /// @par Ordering   by time, and of equal times in the order of scheduling, events are handed to the
  ///                 workers. With one worker that is the order of publishing; what is due when it is
  ///                 scheduled may overtake
  /// @{
  template <class T>
  Schedule publish_after(const EventType<T>& type, std::type_identity_t<StoredPayload<T>> data,
                         std::chrono::nanoseconds delay, PublishOptions options = {}) {
    return once(type, std::move(data), after(delay), options);
  }
  /// An event without data.
  Schedule publish_after(const EventType<void>& type, std::chrono::nanoseconds delay,
                         PublishOptions options = {}) {
    return once(type, NoData{}, after(delay), options);
  }
  /// An event built by chaining, with metadata, say. It keeps the time stamp it has.
  template <class T>
  Schedule publish_after(Event<T> event, std::chrono::nanoseconds delay) {
    return once(std::move(event), after(delay));
  }
  /// The same at a point in time, of the bus's clock or of the wall clock.
  template <class T>
  Schedule publish_at(const EventType<T>& type, std::type_identity_t<StoredPayload<T>> data,
                      PointInTime time, PublishOptions options = {}) {
    return once(type, std::move(data), time.by(core().clock()), options);
  }
  /// An event without data.
  Schedule publish_at(const EventType<void>& type, PointInTime time, PublishOptions options = {}) {
    return once(type, NoData{}, time.by(core().clock()), options);
  }
  /// An event built by chaining.
  template <class T>
  Schedule publish_at(Event<T> event, PointInTime time) {
    return once(std::move(event), time.by(core().clock()));
  }
  /// @}

  /// Publishes an event again and again, first after one `period`, each time with a copy of the
  /// payload, until the schedule is cancelled or the bus shuts down. The times are `period` apart, and
  /// do not drift. A worker that is late publishes once, and skips the times that are past by then
  /// (Statistics::scheduled_skipped): there are never bursts, nor two at once.
  /// @param period  positive; else nothing is scheduled, and status() is a ValidationError
  /// @return        as publish_after, and so is all the rest. Copying the payload may fail, as publishing
  ///                may; the next is tried all the same
  /// @{
  template <class T>
    requires std::copy_constructible<StoredPayload<T>> Schedule
    publish_every(const EventType<T>& type, std::type_identity_t<StoredPayload<T>> data,
                  std::chrono::nanoseconds period, PublishOptions options = {}) {
      auto extras = detail::extras_of_cause();
      return repeat<T>(type.key(), std::move(data),
                       extras ? std::move(extras->metadata) : detail::HeldMetadata{},
                       options.priority, period);
    }
  /// An event without data.
  Schedule publish_every(const EventType<void>& type, std::chrono::nanoseconds period,
                         PublishOptions options = {}) {
    return publish_every(type, NoData{}, period, options);
  }
  /// Each copy is an event of its own, with its own id and time stamp, and the same metadata.
  template <class T>
    requires std::copy_constructible<StoredPayload<T>> Schedule
    publish_every(Event<T> event, std::chrono::nanoseconds period) {
      detail::EventHeader& header = detail::EventAccess::header(event);
      remember_cause(header);
      return repeat<T>(header.type, std::move(detail::EventAccess::data(event)),
                       std::move(header.metadata), header.priority(), period);
    }
  /// @}

 private:
  friend Bus;
  TimedPublishing() noexcept = default;
  ~TimedPublishing() = default;

  [[nodiscard]] auto& core() noexcept { return *static_cast<Bus&>(*this).core_; }
  [[nodiscard]] SteadyTime after(std::chrono::nanoseconds delay) noexcept {
    return detail::later(core().clock().now(), delay);
  }

  /// An event is caused by what is being processed when it is scheduled, not when it is published.
  static void remember_cause(detail::EventHeader& header) {
    if (detail::current_cause == nullptr) return;
    if (!header.metadata) header.metadata = detail::HeldMetadata{Metadata{}};
    detail::add_cause(*header.metadata);
  }

  template <class T>
  Schedule once(const EventType<T>& type, StoredPayload<T>&& data, SteadyTime time,
                PublishOptions options) {
    return arrange<T>(type.key(), options.priority, time, {}, [&](auto& core, auto& entry) {
      return [&core, &entry, data = std::move(data), extras = detail::extras_of_cause(),
              options]() mutable {
        return core.template publish<T>(entry, data, options.priority, std::move(extras));
      };
    });
  }
  template <class T>
  Schedule once(Event<T>&& event, SteadyTime time) {
    remember_cause(detail::EventAccess::header(event));
    const EventTypeName type = detail::EventAccess::header(event).type;
    return arrange<T>(type, event.priority(), time, {}, [&](auto& core, auto& entry) {
      return [&core, &entry, event = std::move(event)]() mutable {
        return core.publish(entry, event);
      };
    });
  }
  template <class T>
  Schedule repeat(const EventTypeName& type, StoredPayload<T>&& data, detail::HeldMetadata metadata,
                  Priority priority, std::chrono::nanoseconds period) {
    if (period <= std::chrono::nanoseconds::zero()) {
      std::string value = std::to_string(period.count());
      value += " ns";
      core().dispatcher().schedules().count_refused();
      return Schedule{detail::refuse_option("period", value, "more than 0 ns")};
    }
    return arrange<T>(type, priority, after(period), period, [&](auto& core, auto& entry) {
      return [&core, &entry, data = std::move(data), metadata = std::move(metadata), priority] {
        StoredPayload<T> copy(data);
        detail::Owner<detail::EventExtras> extras;
        if (metadata) {
          extras.reset(new detail::EventExtras);
          extras->metadata = metadata;
        }
        return core.template publish<T>(entry, copy, priority, std::move(extras));
      };
    });
  }

  /// @param period  0: once
  /// @param make    makes what publishes, from the bus's core and the type's entry
  template <class T, class Make>
  Schedule arrange(const EventTypeName& type, Priority priority, SteadyTime time,
                   std::chrono::nanoseconds period, Make&& make) {
    Status status;
    detail::TypeEntry* entry = core().template find<T>(type, status);
    if (!detail::is_valid(priority)) status = detail::refuse_priority(priority);
    if (!status.ok()) {
      core().dispatcher().schedules().count_refused();
      return Schedule{std::move(status)};
    }
    detail::HeldSchedule made;
    status =
        core().dispatcher().schedules().begin(*entry, time, period, make(core(), *entry), made);
    if (!status.ok()) return Schedule{std::move(status)};
    return {static_cast<Bus&>(*this).core_, std::move(made)};
  }
};

}  // namespace gossip
