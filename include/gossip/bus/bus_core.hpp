// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BusCore: what a bus shares with its publishers and subscriptions. Layer: bus.

#include <gossip/core/clock.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/core/provider.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/dispatcher.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace gossip::detail {

/// A dispatcher with the provider through which events reach it. Outlives the bus while a publisher
/// or a subscription refers to it; closed by then.
template <Provider P, Clock C>
class BusCore {
 public:
  BusCore(BusOptions options, typename P::Options provider_options, C clock)
      : clock_{std::move(clock)},
        dispatcher_{checked(options), ClockView::of(clock_),
                    driven ? Timer::Drive::run_due : Timer::Drive::own_thread},
        provider_{std::move(provider_options)} {
    dispatcher_.listen({this, [](void* self, TypeEntry& type) noexcept {
                          auto& core = *static_cast<BusCore*>(self);
                          core.provider_.unsubscribe(core, type.name);
                        }});
    if constexpr (driven) {
      follower_ = clock_.follow([this] { dispatcher_.timer().run_due(); });
    }
    provider_.open(*this).throw_if_error();
  }

  // ---- For the bus and its publishers ---------------------------------------------------------

  /// Publishes an event of a type that has been looked up.
  /// @param data  moved from on success, untouched on failure
  template <Payload T>
  Status publish(TypeEntry& entry, StoredPayload<T>& data) {
    std::unique_ptr<EventExtras> extras;
    Outgoing<T> event{entry.name, entry, data, dispatcher_.stamp(clock_), extras};
    return provider_.publish(*this, event);
  }

  /// Publishes an event that a user has built.
  template <Payload T>
  Status publish(TypeEntry& entry, Event<T>& event) {
    EventHeader& header = EventAccess::header(event);
    std::unique_ptr<EventExtras> extras;
    if (header.metadata || header.own_id.exists() || header.priority != Priority::normal) {
      extras = std::make_unique<EventExtras>();
      extras->own_id = std::move(header.own_id);
      extras->metadata = std::move(header.metadata);
      extras->priority = header.priority;
    }
    Outgoing<T> outgoing{entry.name, entry, EventAccess::data(event), header.time, extras};
    Status status = provider_.publish(*this, outgoing);
    if (!status.ok() && extras) {
      header.own_id = std::move(extras->own_id);
      header.metadata = std::move(extras->metadata);
    }
    return status;
  }

  [[nodiscard]] Dispatcher& dispatcher() noexcept { return dispatcher_; }
  [[nodiscard]] P& provider() noexcept { return provider_; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }

  // ---- The provider's inbox -------------------------------------------------------------------

  template <Payload T>
  Status accept(Outgoing<T>& event) noexcept(travels_inline<T>) {
    return dispatcher_.template accept<T>(event.entry, event.data, event.time, event.extras);
  }
  [[nodiscard]] bool has_subscriptions(const EventTypeName& type) const noexcept {
    return dispatcher_.has_subscriptions(type);
  }

 private:
  static constexpr bool driven = std::same_as<C, ManualClock>;

  static const BusOptions& checked(const BusOptions& options) {
    if (const Status status = validate(options); !status.ok()) {
      throw std::invalid_argument{"BusOptions: " + status.error()->message()};
    }
    return options;
  }

  const C clock_;
  Dispatcher dispatcher_;
  P provider_;
  std::shared_ptr<void> follower_;  ///< of a manual clock, for the timer
};

}  // namespace gossip::detail
