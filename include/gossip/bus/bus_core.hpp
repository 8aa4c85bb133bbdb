// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BusCore: what a bus shares with its publishers and subscriptions. Layer: bus.

#include <gossip/bus/sync_result.hpp>
#include <gossip/core/causality.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_pattern.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/held_metadata.hpp>
#include <gossip/core/keeper.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/provider.hpp>
#include <gossip/core/rare_owner.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/subscription.hpp>
#include <gossip/dispatch/asynchronous_calls.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/dispatcher.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/synchronous_calls.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace gossip::detail {

/// A dispatcher with the provider through which events reach it. Outlives the bus while a publisher
/// or a subscription refers to it; closed by then.
template <Provider P, Clock C>
class BusCore : public Kept {
 public:
  /// @param options  see checked(); none for the defaults
  /// @param heed     null if there are none
  BusCore(RareOwner<const BusOptions> options, typename P::Options provider_options, C clock,
          decltype(&AsynchronousCalls::heed_options) heed = &AsynchronousCalls::heed_options)
      : Kept{[](Kept* self) noexcept { delete static_cast<BusCore*>(self); }},
        clock_{std::move(clock)},
        dispatcher_{std::move(options), ClockView::of(clock_),
                    driven ? Timer::Drive::run_due : Timer::Drive::own_thread, heed},
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

  /// @throws std::invalid_argument  an option is out of range; names it
  static RareOwner<const BusOptions> checked(BusOptions options) {
    if (const Status status = validate(options); !status.ok()) {
      throw std::invalid_argument{join({"BusOptions: ", status.error()->message()})};
    }
    return held(std::move(options));
  }

  // ---- For the bus and its publishers ---------------------------------------------------------

  /// Looks a type up, without throwing for a mistake of the caller's.
  /// @return  null, and why in `failure`, if meet() throws an Error
  template <Payload T>
  [[gnu::always_inline]] TypeEntry* find(const EventTypeName& name, Status& failure) {
    if (auto* entry = dispatcher_.types().template find<T>(name)) [[likely]]
      return entry;
    return find_new<T>(name, failure);
  }
  template <Payload T>
  [[gnu::noinline]] TypeEntry* find_new(const EventTypeName& name, Status& failure) {
    try {
      return &meet<T>(name);
    } catch (const Error& error) {
      failure = error;
      return nullptr;
    }
  }

  /// Counts and reports a publish that was wrong in itself. @return  why
  Status refuse(const EventTypeName& type, Status why) noexcept {
    dispatcher_.calls().refuse(type.text(), why);
    return why;
  }

  /// What the bus knows about the type of that name, made if need be. If a pattern waits for a new
  /// type, the provider is told before the type can be found.
  /// @throws TypeAssertionError  the name is in use with another payload type
  /// @throws Error               of the provider's; the bus has not met the type then, but if the
  ///                             pattern came while it did
  template <Payload T>
  TypeEntry& meet(const EventTypeName& name) {
    if (TypeEntry* entry = dispatcher_.types().template find<T>(name)) return *entry;
    const bool told = tell_of_new(name, &connect<T>);
    TypeEntry& entry = dispatcher_.template entry_of<T>(name, &connect<T>);
    tell_again(entry, told);
    return entry;
  }

  /// See EventBus::subscribe. @param options  SubscribeOptions or NoSubscribeOptions
  template <class T, class F, class Options>
  static Subscription subscribe(const KeeperOf<BusCore>& core, const EventType<T>& type,
                                F&& processor, Options options) {
    if (core->dispatcher_.closed()) throw Error{Errc::closed, "subscribe"};
    TypeEntry& entry = core->template meet<T>(type.key());
    if constexpr (TakesContext<std::decay_t<F>, T>) core->dispatcher_.calls().allow_contexts();
    const ErasedProcessor erased = erase_processor<T>(std::forward<F>(processor));
    Subscription subscription = subscribe_to(core, entry, erased, std::move(options));
    core->connect_type(entry, type);
    return subscription;
  }
  /// Registers a processor, which it takes over, whatever comes of it.
  template <class To, class Options>
  static Subscription subscribe_to(const KeeperOf<BusCore>& core, To& to, ErasedProcessor erased,
                                   Options options) {
    try {
      return {core,
              [](Kept& self, SubscriptionId gone) noexcept {
                static_cast<BusCore&>(self).dispatcher_.unsubscribe(gone);
              },
              core->dispatcher_.subscribe(to, erased, std::move(options))};
    } catch (...) {
      erased.destroy(erased.object);
      throw;
    }
  }

  /// Tells the provider that a type has got a subscription. Not before that was registered: what the
  /// provider then reads at once would find nobody.
  /// @throws Error  of the provider's
  template <Payload T>
  void connect_type(const TypeEntry& entry, const EventType<T>& type) {
    provider_.subscribe(*this, type).throw_if_error();
    disconnect_if_unwanted(entry);
  }
  /// Tells it of the types, met so far, that a new pattern matches.
  /// @throws Error  of the provider's
  void connect_all(const EventPattern& pattern) {
    dispatcher_.registry().for_each_type(pattern, [this](const TypeEntry& type) {
      type.connect(this, type.name).throw_if_error();
      disconnect_if_unwanted(type);
    });
  }

  /// Publishes an event of a type that has been looked up.
  /// @param data  moved from on success, untouched on failure
  template <Payload T>
  Status publish(TypeEntry& entry, StoredPayload<T>& data) {
    return send<T>(entry, data, Priority::normal, extras_of_cause());
  }
  template <Payload T>
  Status publish(TypeEntry& entry, StoredPayload<T>& data, Priority priority) {
    return publish<T>(entry, data, priority, extras_of_cause());
  }
  /// @param extras  what it has beside its payload, null: nothing; what nobody took stays the caller's
  template <Payload T>
  Status publish(TypeEntry& entry, StoredPayload<T>& data, Priority priority,
                 Owner<EventExtras>&& extras) {
    if (!is_valid(priority)) [[unlikely]]
      return refuse(entry.name, refuse_priority(priority));
    return send<T>(entry, data, priority, std::move(extras));
  }

  /// Publishes an event that a user has built.
  template <Payload T>
  Status publish(TypeEntry& entry, Event<T>& event) {
    if (const Priority priority = event.priority(); !is_valid(priority)) [[unlikely]]
      return refuse(entry.name, refuse_priority(priority));
    LentExtras lent{EventAccess::header(event)};
    Outgoing<T> outgoing{entry.name,       entry,       EventAccess::data(event),
                         lent.header.time, lent.extras, event.priority()};
    return provider_.publish(*this, outgoing);
  }

  /// See EventBus::publish_sync. @param result  a SyncResult, whose members only its users compile
  template <class Result>
  [[gnu::noinline]] void call_now(TypeEntry& entry, const EventBase& event, SyncOptions& options,
                                  Result& result) {
    const auto collect = [](void* list, Call& call, const SubscriptionRecord& record) {
      static_cast<Result*>(list)->errors.push_back(
          {call.subscription(), record.name, std::move(call.error)});
    };
    Call call{event, options.stop, {collect, &result}, options.deadline};
    call.operations = &synchronous_calls<>;
    call.limited = options.deadline != SteadyTime::max() || options.stop.stop_possible();
    if (!dispatcher_.call_now(entry, call, result.calls)) result.refused = Errc::closed;
  }

  /// See EventBus::shutdown. The provider is closed once, after the workers have ended.
  ShutdownReport shutdown(std::chrono::nanoseconds timeout) {
    return dispatcher_.shutdown(
        timeout, [this](SteadyTime deadline) { provider_.close(deadline); }, !inside_provider());
  }
  /// True on this thread while the provider calls the user.
  [[nodiscard]] bool inside_provider() const noexcept { return ProviderCall::of(provider_); }

  [[nodiscard]] Dispatcher& dispatcher() noexcept { return dispatcher_; }
  [[nodiscard]] P& provider() noexcept { return provider_; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }

  // ---- The provider's inbox -------------------------------------------------------------------

  template <Payload T>
  Status accept(Outgoing<T>& event) noexcept(travels_inline<T>) {
    return dispatcher_.template accept<T>(event.entry, event.data, event.time, event.extras,
                                          event.priority);
  }
  [[nodiscard]] bool has_subscriptions(const EventTypeName& type) const noexcept {
    const TypeEntry* entry = dispatcher_.types().find(type);
    return entry != nullptr && dispatcher_.registry().has_subscriptions(*entry);
  }
  template <Payload T>
  [[nodiscard]] TypeEntry& entry_of(const EventTypeName& type) {
    return dispatcher_.template entry_of<T>(type, &connect<T>);
  }
  [[nodiscard]] bool closed_to_this_thread() noexcept {
    return dispatcher_.closed_to_this_thread();
  }
  [[nodiscard]] Timestamp timestamp_of(EventTime time) const noexcept {
    return time.resolve(&dispatcher_.source());
  }

 private:
  /// See TypeEntry.
  template <Payload T>
  static Status connect(void* core, const EventTypeName& name) {
    auto& self = *static_cast<BusCore*>(core);
    return self.provider_.subscribe(self, EventTypeAccess::typed<T>(name));
  }

  template <Payload T>
  Status send(TypeEntry& entry, StoredPayload<T>& data, Priority priority,
              Owner<EventExtras>&& extras) {
    Outgoing<T> event{entry.name, entry, data, dispatcher_.stamp(clock_), extras, priority};
    return provider_.publish(*this, event);
  }

  /// A subscription that has ended by now did so before the provider was told of it, maybe.
  void disconnect_if_unwanted(const TypeEntry& type) noexcept {
    if (!dispatcher_.registry().has_subscriptions(type)) provider_.unsubscribe(*this, type.name);
  }

  /// Tells the provider of a type that the bus is about to meet, if a pattern waits for it.
  /// @return  whether it did
  bool tell_of_new(const EventTypeName& name, TypeEntry::Connect connect_to) {
    if (dispatcher_.types().find(name) != nullptr || !dispatcher_.registry().has_pattern_for(name))
      return false;
    connect_to(this, name).throw_if_error();
    return true;
  }
  /// Does so if a pattern came in between, and takes it back if the last one went.
  void tell_again(const TypeEntry& type, bool told) {
    if (!told && type.connect != nullptr && dispatcher_.registry().has_pattern_for(type.name)) {
      type.connect(this, type.name).throw_if_error();
      told = true;
    }
    if (told) disconnect_if_unwanted(type);
  }

  /// What an event has beside its payload, on its way; what nobody took goes back.
  struct LentExtras {
    explicit LentExtras(EventHeader& from) : header{from} {
      if (!from.metadata && !from.own_id.exists() && current_cause == nullptr) return;
      extras.reset(new EventExtras);
      if (current_cause != nullptr) [[unlikely]] {
        // Into a copy, so that an event that nobody takes stays as it was.
        HeldMetadata metadata = from.metadata ? from.metadata : HeldMetadata{Metadata{}};
        add_cause(*metadata);
        original = std::move(from.metadata);
        from.metadata = std::move(metadata);
        augmented = true;
      }
      extras->own_id = std::move(from.own_id);
      extras->metadata = std::move(from.metadata);
    }
    LentExtras(const LentExtras&) = delete;
    LentExtras& operator=(const LentExtras&) = delete;
    ~LentExtras() {
      if (!extras) return;
      header.own_id = std::move(extras->own_id);
      header.metadata = std::move(augmented ? original : extras->metadata);
    }

    EventHeader& header;
    Owner<EventExtras> extras;
    HeldMetadata original;   ///< if `augmented`
    bool augmented = false;  ///< the cause was added
  };

  static constexpr bool driven = std::same_as<C, ManualClock>;

  const C clock_;
  Dispatcher dispatcher_;
  P provider_;
  std::conditional_t<driven, std::shared_ptr<void>, std::nullptr_t>
      follower_{};  ///< of a manual clock, for the timer
};

}  // namespace gossip::detail
