// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// EventBus: publish once, and everyone who cares is told. Layer: bus.

#include <gossip/bus/batch_host.hpp>
#include <gossip/bus/bus_core.hpp>
#include <gossip/bus/inspection.hpp>
#include <gossip/bus/pattern_subscribing.hpp>
#include <gossip/bus/payload_range.hpp>
#include <gossip/bus/publisher.hpp>
#include <gossip/bus/sync_result.hpp>
#include <gossip/bus/timed_publishing.hpp>
#include <gossip/config.hpp>
#include <gossip/core/causality.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/keeper.hpp>
#include <gossip/core/late.hpp>
#include <gossip/core/processor.hpp>
#include <gossip/core/provider.hpp>
#include <gossip/core/shared_processor.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/subscription.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/processing/batch_executor.hpp>
#include <gossip/processing/filter.hpp>
#include <gossip/provider/in_memory_provider.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace gossip {

/// A bus: typed events published from any thread reach the processors of every subscription, on a
/// fixed pool of workers.
///
/// Owns its queue, its workers and its provider. Handles that it gave out may outlive it. The
/// destructor shuts down with BusOptions::shutdown_timeout, so it waits for queued events and for
/// running processors; then it destroys all processors.
///
/// Example: examples/tour/main.cpp.
///
/// Thread safety: all members from any thread at once, but construction and destruction.
template <Provider P = InMemoryProvider, Clock C = TickClock>
class EventBus : public PatternSubscribing<EventBus<P, C>>,
                 public TimedPublishing<EventBus<P, C>>,
                 public Inspection<EventBus<P, C>> {
 public:
  using provider_type = P;  ///< how events travel

  /// Starts the workers.
  /// @param options           see BusOptions
  /// @param provider_options  see the provider
  /// @param clock             where time stamps, and the time for what is due, come from; see Clock
  /// @throws std::invalid_argument  an option is out of range; names it, its value, what is allowed
  /// @throws std::system_error      no thread, or no randomness, is to be had
  /// @throws Error                  the provider cannot be opened
  /// @throws what BusOptions::on_worker_start throws, std::bad_alloc
  /// @{
  explicit EventBus()
      : core_{
            new Core{detail::RareOwner<const BusOptions>{}, typename P::Options{}, C{}, nullptr}} {
    core_->dispatcher().start(core_);
  }
  explicit EventBus(const BusOptions& options, typename P::Options provider_options = {},
                    C clock = C{})
      : core_{new Core{Core::checked(options), std::move(provider_options), std::move(clock)}} {
    core_->dispatcher().start(core_, detail::WorkerHooks::of_options());
  }
  /// @}
  EventBus(const EventBus&) = delete;
  EventBus& operator=(const EventBus&) = delete;
  /// Shuts down. Destroyed by one of its own processors, it cannot wait for it: the workers then
  /// handle what is queued and end by themselves.
  /// @pre not in a callback of its provider's: what called that goes on
  ~EventBus() {
    GOSSIP_ASSERT(!core_->inside_provider(), "a callback of its provider's destroys the bus");
    if (core_->dispatcher().on_own_worker()) {
      core_->dispatcher().orphan();
    } else {
      shutdown();
      core_->dispatcher().unsubscribe_all();
      core_->dispatcher().keep_alive_while_inside(core_);
    }
  }

  // ---- Subscribing ----------------------------------------------------------------------------

  using PatternSubscribing<EventBus>::subscribe;  // to patterns

  /// Registers a processor for events of `type`.
  /// @param processor  see Processor; moved or copied in; called by several workers at once
  /// @return           the handle that keeps it registered
  /// @throws TypeAssertionError  the name, or the options' key function, has another payload
  /// @throws std::invalid_argument  an option is out of range; names it
  /// @throws Error               Errc::closed, or the provider refuses
  /// @throws std::bad_alloc, and what moving the processor throws
  /// @par Blocking       a mutex that is held for a microsecond, never while user code runs
  /// @par Complexity     O(1) amortised, whatever the number of subscriptions; linear in the number
  ///                     of the type's where it must come before others (SubscribeOptions::priority)
  /// @par Ordering       events published after it returns reach the processor; of those published
  ///                     before, the ones that no worker has begun do too. Processors of one event
  ///                     are called in the order of subscribing, but see SubscribeOptions
  /// @{
  template <class T, Processor<T> F>
  Subscription subscribe(const EventType<T>& type, F&& processor, SubscribeOptions options) {
    return Core::subscribe(core_, type, std::forward<F>(processor), std::move(options));
  }
  template <class T, Processor<T> F>
  Subscription subscribe(const EventType<T>& type, F&& processor,
                         detail::NoSubscribeOptions none = SourceLocation::current()) {
    return Core::subscribe(core_, type, std::forward<F>(processor), none);
  }
  template <class T, class F>
    requires(!Processor<F, T>)
  Subscription subscribe(const EventType<T>& type, F&& processor,  // takes const T&; see Processor
                         SubscribeOptions options = {})
  = delete;
  /// @}

  /// Registers a processor for those events of `type` that `filter` passes, as
  /// `subscribe(type, filtered(filter, processor), options)` does.
  /// @param filter  see Filter; moved or copied in; asked by several workers at once, and for the
  ///                event of a Lifetime::once subscription twice
  template <class T, class W, Processor<T> F>
    requires(Filter<std::decay_t<W>, Event<T>>)
  Subscription subscribe(const EventType<T>& type, W&& filter, F&& processor,
                         SubscribeOptions options = {}) {
    return subscribe(type, filtered(std::forward<W>(filter), std::forward<F>(processor)),
                     std::move(options));
  }

  /// Keeps the last event of `type` from now on, for subscriptions that begin with it; see
  /// SubscribeOptions::Start. Idempotent; for the life of the bus. It is, of the events that workers
  /// have begun to hand to processors and those of publish_sync, the one published last (of events of
  /// different priorities: begun last).
  ///
  /// Example: examples/processing/timed.cpp.
  /// @throws TypeAssertionError  the name is in use on this bus with another payload type
  /// @throws std::bad_alloc
  /// @par Complexity  costs each event of this type a copy, an allocation and a lock; others nothing.
  ///                  An event that cannot be copied is not kept, and BusOptions::on_error is told
  template <class T>
    requires std::copy_constructible<StoredPayload<T>>
  void retain(const EventType<T>& type) {
    detail::Dispatcher::retain(core_->template entry_of<T>(type.key()));
  }

  /// Registers one processor for several types; they share it.
  /// @return  the handles, in the order of the types
  /// @throws  as subscribe; nothing is registered then
  template <class T, Processor<T> F>
  [[nodiscard]] std::vector<Subscription> subscribe_all(std::initializer_list<EventType<T>> types,
                                                        F&& processor,
                                                        const SubscribeOptions& options = {}) {
    const detail::SharedProcessor<T, std::decay_t<F>> shared{
        std::make_shared<std::decay_t<F>>(std::forward<F>(processor))};
    std::vector<detail::Late<Subscription, T>> handles;
    handles.reserve(types.size());
    for (const EventType<T>& type : types) handles.push_back(subscribe(type, shared, options));
    return handles;
  }

  /// Ends a subscription; see Subscription::cancel.
  /// @return  false if it had ended already, or is of another bus
  bool unsubscribe(SubscriptionId id) noexcept { return core_->dispatcher().unsubscribe(id); }

  /// Ends several subscriptions. @return  how many there were
  std::size_t unsubscribe_all(std::span<const SubscriptionId> ids) noexcept {
    std::size_t count = 0;
    for (const SubscriptionId& id : ids) count += unsubscribe(id) ? 1 : 0;
    return count;
  }

  // ---- Publishing -----------------------------------------------------------------------------

  /// Publishes an event; the workers call the processors.
  /// @par Payload        moved from on success; untouched on failure, if it can be moved without
  ///                     throwing
  /// @return             ok; Errc::queue_full (OverflowPolicy::reject, or a worker nested deeper than
  ///                     BusOptions::max_nesting); Errc::closed; a TypeAssertionError (the name is
  ///                     in use with another payload type) or a ValidationError (the priority is
  ///                     none), of which BusOptions::on_error is told as well; what the provider
  ///                     reports; where a subscription of the type has a lane, also what
  ///                     SubscribeOptions says
  /// @throws             nothing, if the payload travels inline and is given as an rvalue and the bus
  ///                     has met the type; else std::bad_alloc and what copying or moving the payload
  ///                     throws, before anything has happened
  /// @par Blocking       never, but with OverflowPolicy::block while the queue, or a lane, is full; a
  ///                     worker then runs queued events meanwhile. Else a mutex, to wake a worker
  /// @par Progress       as MpmcQueue
  /// @par Complexity     O(1), no allocation if the payload travels inline (inline_payload_bytes)
  /// @par Ordering       events of one thread and one priority are taken in the order of publishing;
  ///                     with several workers they are handled at the same time
  /// @{
  template <class T>
  Status publish(const EventType<T>& type, std::type_identity_t<StoredPayload<T>>&& data) {
    Status failure;
    detail::TypeEntry* entry = core_->template find<T>(type.key(), failure);
    if (entry == nullptr) [[unlikely]]
      return core_->refuse(type.key(), std::move(failure));
    return core_->template publish<T>(*entry, data);
  }
  template <class T>
  Status publish(const EventType<T>& type, std::type_identity_t<StoredPayload<T>>&& data,
                 PublishOptions options) {
    Status failure;
    detail::TypeEntry* entry = core_->template find<T>(type.key(), failure);
    if (entry == nullptr) [[unlikely]]
      return core_->refuse(type.key(), std::move(failure));
    return core_->template publish<T>(*entry, data, options.priority);
  }
  template <class T>
    requires std::copy_constructible<StoredPayload<T>> Status
    publish(const EventType<T>& type, const std::type_identity_t<StoredPayload<T>>& data,
            PublishOptions options = {}) {
      return publish(type, StoredPayload<T>(data), options);
    }
  Status publish(const EventType<void>& type, PublishOptions options = {}) {
    return publish(type, NoData{}, options);
  }
  /// An event built by chaining. Metadata, and an id that was asked for, cost an allocation.
  template <class T>
  Status publish(Event<T>&& event) {
    Status failure;
    detail::TypeEntry* entry =
        core_->template find<T>(detail::EventAccess::header(event).type, failure);
    if (entry == nullptr) [[unlikely]]
      return core_->refuse(detail::EventAccess::header(event).type, std::move(failure));
    return core_->publish(*entry, event);
  }
  template <class T>
  Status publish(const Event<T>& event) {
    return publish(Event<T>{event});
  }
  /// @}

  /// Publishes an event whose payload is made from `args`.
  template <class T, class... Args>
    requires PayloadArguments<T, Args...> Status emplace(const EventType<T>& type, Args&&... args) {
      return publish(type, make_payload<T>(std::forward<Args>(args)...));
    }

  /// Publishes every element of a range, in order, and stops at the first that is refused. Elements
  /// of an rvalue container are moved from; those of a view, of which others see the elements, are
  /// copied. See PayloadRange.
  /// @throws  as publish; what was accepted before stays accepted
  template <class T, PayloadRange<T> Range>
  BatchResult publish_batch(const EventType<T>& type, Range&& range, PublishOptions options = {}) {
    BatchResult result;
    detail::TypeEntry* entry = core_->template find<T>(type.key(), result.status);
    if (entry == nullptr) {
      core_->refuse(type.key(), result.status);
      return result;
    }
    for (auto&& element : range) {
      if constexpr (detail::GivesAway<Range, T>) {
        result.status = core_->template publish<T>(*entry, element, options.priority);
      } else {
        StoredPayload<T> data = static_cast<decltype(element)>(element);
        result.status = core_->template publish<T>(*entry, data, options.priority);
      }
      if (!result.status.ok()) break;
      ++result.published;
    }
    return result;
  }

  /// Calls every processor of `type` on this thread and waits for all.
  /// @return          every failure with its subscription
  /// @throws          std::bad_alloc
  /// @par Blocking    while the processors run; takes no lock
  /// @par Complexity  linear in the number of subscriptions; no allocation unless one fails
  /// @{
  // Inlined, so that the payload is made inside its event. If it came through memory, wide loads of it
  // would wait for the narrow stores that have just written it: 8 of 21 ns.
  template <class T>
  [[gnu::always_inline]] SyncResult publish_sync(const EventType<T>& type,
                                                 std::type_identity_t<StoredPayload<T>> data,
                                                 SyncOptions options = {}) {
    SyncResult result;
    detail::TypeEntry* entry = core_->template find<T>(type.key(), result.refused);
    if (entry == nullptr) [[unlikely]]
      return result;
    const Event<T> event = detail::EventAccess::make<T>(
        detail::DeliveredHeader{.type = entry->name,
                                .time = core_->dispatcher().stamp(core_->clock()),
                                .source = &core_->dispatcher().source(),
                                .extras = detail::extras_of_cause().release()},
        std::move(data));
    core_->call_now(*entry, event, options, result);
    return result;
  }
  SyncResult publish_sync(const EventType<void>& type, SyncOptions options = {}) {
    return publish_sync(type, NoData{}, std::move(options));
  }
  template <class T>
  SyncResult publish_sync(const Event<T>& event, SyncOptions options = {}) {
    SyncResult result;
    detail::TypeEntry* entry =
        core_->template find<T>(detail::EventAccess::header(event).type, result.refused);
    if (entry != nullptr) core_->call_now(*entry, event, options, result);
    return result;
  }
  /// @}

  /// A handle that publishes events of `type` without looking the type up each time.
  /// @throws TypeAssertionError  the name is in use on this bus with another payload type
  template <class T>
  [[nodiscard]] Publisher<T, P, C> publisher(const EventType<T>& type) {
    return {core_, core_->template meet<T>(type.key())};
  }

  // ---- Life -----------------------------------------------------------------------------------

  /// Waits until every accepted event has been handled, also those that processors publish
  /// meanwhile. While other threads keep publishing it may wait for ever.
  /// @return  false if a shutdown has abandoned events, or if called by one of the bus's own
  ///          processors on a worker: it would wait for itself
  bool drain() { return core_->dispatcher().drain(SteadyTime::max()); }
  /// @return  false if the time was up first, too
  bool drain_for(std::chrono::nanoseconds timeout) {
    return core_->dispatcher().drain(detail::deadline_after(timeout));
  }

  /// Waits until the provider knows that everything which was published before has arrived: over a
  /// network, that the server has answered. In memory there is nothing to wait for.
  /// @return  ok, Errc::timeout, or what the provider reports
  Status flush(std::chrono::nanoseconds timeout) {
    return core_->provider().flush(detail::deadline_after(timeout));
  }

  /// Ends the bus: publishing from outside answers Errc::closed from now on; what is queued, and
  /// what processors on the workers publish because of it, is handled until the time is up; then a
  /// stop is requested (Context::stop_requested), running processors are waited for, the workers
  /// end, and what is still queued is counted as abandoned. Idempotent.
  /// @return             what was left. Not `complete` if another thread is still shutting down when
  ///                     the time is up, or if called by one of the bus's own processors on a
  ///                     worker, or by a callback of its provider's on whatever thread: then it only
  ///                     closes the bus, and a shutdown from elsewhere, or the destructor, does the
  ///                     rest
  /// @par Blocking       up to the timeout for queued events, then until running processors return
  /// @par Thread safety  any thread, any number at once
  /// @{
  ShutdownReport shutdown(std::chrono::nanoseconds timeout) { return core_->shutdown(timeout); }
  ShutdownReport shutdown() { return shutdown(core_->dispatcher().options().shutdown_timeout); }
  /// @}

  /// What a Batch on this bus goes by.
  friend detail::BatchExecutor batch_executor(EventBus& bus) {
    return detail::lend_to_batch(bus.core_);
  }

 protected:
  /// A bus without workers.
  explicit EventBus(detail::KeeperOf<detail::BusCore<P, C>> core) : core_{std::move(core)} {}

 private:
  friend class PatternSubscribing<EventBus>;
  friend class TimedPublishing<EventBus>;
  friend class Inspection<EventBus>;
  using Core = detail::BusCore<P, C>;

  detail::KeeperOf<Core> core_;
};

}  // namespace gossip
