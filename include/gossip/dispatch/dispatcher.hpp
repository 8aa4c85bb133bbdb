// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Dispatcher: the queue, the workers and the registry of a bus, and how they live and end.
/// Layer: dispatch.

#include <gossip/core/causality.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/rare_owner.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/asynchronous_calls.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/envelope.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/lanes.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/ordered_publishing.hpp>
#include <gossip/dispatch/posted_tasks.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/schedules.hpp>
#include <gossip/dispatch/snapshot.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/dispatch/sticky_subscriptions.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/timer.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/dispatch/worker_pool.hpp>
#include <gossip/queue/wait_gate.hpp>

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

namespace gossip::detail {

/// The heart of a bus: workers take events from the queue and call the subscribed processors.
///
/// Ownership: shared by the bus, its handles and, while they run, its workers.
/// Thread safety: all members from any thread, but construction, start() and destruction.
class Dispatcher {
 public:
  /// @param options  valid, see validate(); none for the defaults, and `heed` null then
  /// @param clock    outlives the dispatcher
  Dispatcher(RareOwner<const BusOptions> options, const ClockView& clock, Timer::Drive drive,
             decltype(&AsynchronousCalls::heed_options) heed = &AsynchronousCalls::heed_options)
      : given_{std::move(options)},
        options_{given_ ? *given_ : default_options()},
        workers_{worker_count(options_)},
        clock_{clock},
        source_{make_origin(), clock.clock, clock.to_time},
        lanes_{{.queue = &queue_, .idle = &idle_, .maker = &calls_}, workers_},
        registry_{slots_.all()},
        queue_{options_, workers_},
        worker_slots_{workers_},
        timer_{clock, drive},
        calls_{options_, clock_, registry_, queue_, timer_, slots_.all()},
        ordered_{this, slots_, registry_, lanes_, queue_, source_} {
    if (heed != nullptr) heed(calls_, slots_.all());
  }
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher() {
    // What is left of an orphan knows of things that are about to go.
    timer_.stop();
    queue_.sweep();
    lanes_.sweep();
  }

  /// Starts the workers. @throws what WorkerPool::start throws
  /// @param keep_alive  held by each worker while it runs
  /// @param hooks       see WorkerPool::start
  void start(const Keeper& keep_alive, WorkerHooks hooks = {}) {
    for (std::size_t i = 0; i < workers_; ++i) worker_slots_[i] = &slots_.all().acquire(this);
    if (workers_ == 1) queue_.take_alone();
    pool_.start(options_, workers_, {&work, this}, keep_alive, hooks);
  }

  // ---- Types and subscriptions ----------------------------------------------------------------

  /// What the bus knows about `type`, made if need be.
  /// @param connect  see TypeEntry
  /// @throws TypeAssertionError  the name is in use with another payload type
  template <Payload T>
  TypeEntry& entry_of(const EventTypeName& name, TypeEntry::Connect connect = nullptr) {
    if (TypeEntry* entry = types_.find<T>(name)) return *entry;
    return types_.add(name, payload_info<T>(), operations_of<T>, connect);
  }
  [[nodiscard]] const TypeTable& types() const noexcept { return types_; }

  /// @param to  a TypeEntry& or a const EventPattern&. @throws as EventBus::subscribe
  template <class To>
  SubscriptionId subscribe(To& to, ErasedProcessor processor, SubscribeOptions options) {
    require_valid(options);
    calls_.allow_contexts();
    if (!wants_lane(options)) return sticky_.subscribe(to, processor, std::move(options));
    lanes_.prepare(&AsynchronousCalls::run_lane, operations_of<SharedDelivery>,
                   &OrderedPublishing::publish);
    return lanes_.settle_in(options, to, [&](LaneLease lease) {
      return registry_.subscribe(to, processor, std::move(options), lease);
    });
  }
  SubscriptionId subscribe(TypeEntry& to, ErasedProcessor processor, NoSubscribeOptions none) {
    return registry_.subscribe(to, processor, {.where = none.where});
  }
  [[nodiscard]] const Registry& registry() const noexcept { return registry_; }
  /// @pre before the first subscribe()
  void listen(Registry::Listener listener) noexcept { registry_.listen(listener); }
  bool unsubscribe(SubscriptionId id) noexcept {
    return registry_.cancel(id, slots_.mine_if_any(this));
  }
  void unsubscribe_all() noexcept { registry_.clear(slots_.mine_if_any(this)); }

  // ---- Events ---------------------------------------------------------------------------------

  /// Puts an event into the queue; see EventQueue::accept.
  template <Payload T>
  Status accept(TypeEntry& type, StoredPayload<T>& data, EventTime time, Owner<EventExtras>& extras,
                Priority priority = Priority::normal) noexcept(travels_inline<T>) {
    if (type.lanes.load(std::memory_order_acquire) != 0) [[unlikely]] {
      Status ordered;
      if (ordered_.offer<T>(type, data, time, extras, priority, ordered)) return ordered;
    }
    Status status = queue_.accept<T>(type, data, time, extras, priority, this);
    // It may have dropped the last event before it found the queue closed.
    if (!status.ok()) [[unlikely]]
      idle_.notify();
    return status;
  }

  /// Calls the processors of an event on this thread. Inlined: a further function on the way to them
  /// was a fifth of a publish_sync.
  /// @param keeping  for an event of a retained type, that of retain()
  /// @return  false if the bus is closed: nothing was called
  /// @throws  std::bad_alloc, what the failure sink throws
  [[gnu::always_inline]] bool call_now(TypeEntry& type, Call& call, std::uint64_t& calls,
                                       RetainedEvent::Keeping* keeping = nullptr) {
    RetainedEvent* retained = type.retained.load(std::memory_order_acquire);
    if (keeping == nullptr && retained != nullptr) [[unlikely]]
      return retained->ways.call_now(*this, type, call, calls);
    call.clock = &clock_;
    call.timer = &timer_;
    call.type = &type;
    ThreadSlot& slot = slots_.mine(this);
    Delivery delivery{slot, registry_, type};
    // (1) after the announcement and its fence: a shutdown sees it, or this sees the closed queue
    if (closed_to_this_thread()) return false;
    if (keeping != nullptr) keeping->done(delivery, call.event);
    slot.dispatched.increment(type.index);
    calls = delivery.run(call);
    if (calls == 0 && !call.denied) ThreadSlot::increment(slot.unmatched);
    return true;
  }
  /// From now on the last event of `type` is kept. Idempotent. @throws std::bad_alloc
  template <class = void>  // as snapshot()
  static void retain(TypeEntry& type) {
    const auto keep_and_call = [](Dispatcher& self, TypeEntry& of, Call& call,
                                  std::uint64_t& calls) {
      RetainedEvent::Keeping keeping = self.calls_.keep(of, call.event);
      return self.call_now(of, call, calls, &keeping);
    };
    StickySubscriptions::retain(type, {&AsynchronousCalls::handle_and_keep, keep_and_call});
  }

  /// The time of an event published now, if events are stamped.
  template <Clock C>
  [[nodiscard]] EventTime stamp(const C& clock) const noexcept {
    return stamps_ ? EventTime{clock.ticks()} : EventTime{};
  }
  [[nodiscard]] const EventSource& source() const noexcept { return source_; }
  [[nodiscard]] Timer& timer() noexcept { return timer_; }
  [[nodiscard]] PostedTasks& posted() noexcept { return posted_; }
  [[nodiscard]] Schedules& schedules() noexcept { return schedules_; }
  [[nodiscard]] AsynchronousCalls& calls() noexcept { return calls_; }
  [[nodiscard]] const BusOptions& options() const noexcept { return options_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return queue_.capacity(); }

  // ---- Life -----------------------------------------------------------------------------------

  /// Waits until the queue is empty and nothing that came from it is being handled.
  /// @return  false if the time came first, if a shutdown has abandoned events, or if called from one
  ///          of the bus's own workers
  bool drain(SteadyTime deadline) {
    if (on_own_worker()) return false;
    bool handled = false;
    idle_.wait_until(deadline, [&] {
      handled = all_handled();
      return handled || stage_.load() == Stage::stopped;
    });
    return handled;
  }

  /// See EventBus::shutdown. `last(deadline)` is called once, after the workers have ended.
  /// @param may_wait  false where that would wait for the caller: then it only closes the bus
  template <class Last>
  ShutdownReport shutdown(std::chrono::nanoseconds timeout, Last&& last, bool may_wait = true) {
    const SteadyTime deadline = deadline_after(timeout);
    queue_.close();
    lanes_.wake_who_waits();
    if (!may_wait || on_own_worker()) return report();
    std::uint32_t expected = Stage::running;
    if (stage_.compare_exchange_strong(expected, Stage::stopping)) {
      stop(deadline, last);
    } else {
      stopped_.wait_until(deadline, [this] { return stage_.load() == Stage::stopped; });
    }
    return report();
  }

  /// For a bus that its own worker destroys: each ends at an empty queue, the last frees the bus.
  void orphan() noexcept {
    queue_.close();
    orphaned_.store(true, std::memory_order_release);
    queue_.release_workers();
    pool_.detach();
  }

  /// For a bus that a processor destroys inside call_now(), here: `bus` lives until that is over.
  void keep_alive_while_inside(Keeper bus) noexcept {
    ThreadSlot* slot = slots_.mine_if_any(this);
    if (slot == nullptr || slot->depth == 0) return;
    slot->keep_alive = std::move(bus);
    slot->chores = true;
  }

  [[nodiscard]] bool closed() const noexcept { return queue_.closed(); }
  [[nodiscard]] bool on_own_worker() const noexcept { return current_thread.worker_of == this; }
  /// True, and counted, if what this thread publishes is refused. A closed bus still serves the
  /// processors that its own workers run.
  [[nodiscard]] bool closed_to_this_thread() noexcept {
    if (!queue_.closed() || (on_own_worker() && !ended())) [[likely]]
      return false;
    queue_.count_refused();
    return true;
  }

  template <class = void>  // as snapshot()
  [[nodiscard]] Statistics statistics() const {
    Statistics statistics =
        snapshot({slots_.all(), types_, registry_, queue_, calls_, lanes_}, abandoned_);
    schedules_.describe(statistics);
    statistics.workers = workers_;
    return statistics;
  }

 private:
  friend class CallerDrive;  // in place of workers

  enum Stage : std::uint32_t { running, stopping, stopped };

  template <class T>
  static void run_envelope(Dispatcher& self, ThreadSlot& slot, EventQueue::Ring::Claim& claim) {
    TypeEntry& type = *(*claim).type;
    open_envelope<T>(
        *claim, type.name, self.source_, claim.ticket(),
        [&] {
          claim.release();
          self.queue_.slot_freed(claim.ticket());
        },
        [&](const Event<T>& event) { self.calls_.handle(slot, type, event); });
  }

  template <class T>
  static constexpr PayloadOperations operations_of{&run_envelope<T>, &discard_event<T>,
                                                   &SharedEvent::copy_of<T>};

  /// Before a new type can be found: counters have room, and the patterns know it.
  static void prepare_type(void* dispatcher, TypeEntry& type) {
    auto& self = *static_cast<Dispatcher*>(dispatcher);
    self.slots_.all().reserve_type(type.index);
    self.registry_.admit(type);
  }

  static void work(void* dispatcher, std::size_t index) {
    auto& self = *static_cast<Dispatcher*>(dispatcher);
    ThreadSlot& slot = *self.worker_slots_[index];
    slot.owner.store(&current_thread, std::memory_order_relaxed);
    slot.worker.store(static_cast<int>(index), std::memory_order_relaxed);
    current_thread = {self.slots_.bus(), &slot, &self, &slot, &help};
    for (EventQueue::Waiting waiting; !self.ended();) {
      if (self.run_one(slot)) continue;
      self.idle_.notify();
      if (self.orphaned_.load(std::memory_order_acquire)) break;
      if (self.queue_.spin_for_event(waiting, slot.finished.load())) continue;
      self.registry_.collect();
      self.queue_.park(index);
    }
    // The last worker of a bus that nobody owns any more: a processor may hold on to the bus.
    if (self.running_.fetch_sub(1) == 1 && self.orphaned_.load()) self.registry_.clear(&slot);
    current_thread = {};
    ThreadSlots::release(slot);
  }

  /// Handles the event or the task that is next, if there is one.
  bool run_one(ThreadSlot& slot) {
    return queue_.take(
        slot.turn,
        [&](EventQueue::Ring::Claim& claim) {
          (*claim).type->operations->run(*this, slot, claim);
          ThreadSlot::increment(slot.finished);
        },
        [&](Task& task) { task.run(task, slot); });
  }

  /// For a worker that has to wait inside a processor.
  static Help help(void* self) {
    auto& dispatcher = *static_cast<Dispatcher*>(self);
    ThreadSlot& slot = *current_thread.worker_slot;
    if (slot.nesting() >= dispatcher.options_.max_nesting) return Help::too_deep;
    try {
      slot.next_frame();  // nothing can fail once an event has been taken
    } catch (const std::bad_alloc&) {
      return Help::too_deep;
    }
    const CauseScope unrelated{nullptr};
    const ThreadSlot::Nested nested{slot};
    return dispatcher.run_one(slot) ? Help::ran : Help::no_event;
  }

  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }

  /// True if every event that was ever accepted has been handled. What is handled is read first: it
  /// cannot exceed what is accepted, so if the two are equal nothing was under way in between.
  [[nodiscard]] bool all_handled() const noexcept {
    const std::uint64_t gone = slots_.all().sum([](const ThreadSlot& slot) {
      return slot.finished.load(std::memory_order_acquire);
    }) + queue_.dropped_oldest();
    // What an event leaves pending is counted before the event is finished, and what that publishes
    // before it is no longer pending; so this is read in between. Of what is pending, an event in a
    // lane may leave a task behind, and the other way round.
    const std::uint64_t tasks = posted_.made();
    return calls_.deferrals().pending() == 0 && posted_.pending() == 0 && schedules_.due() == 0 &&
           lanes_.pending() == 0 && posted_.made() == tasks && gone == queue_.published();
  }

  template <class Last>
  void stop(SteadyTime deadline, Last&& last) {
    heavy_fence();  // Dekker with Lanes::Intent, after the queue was closed
    idle_.wait_until(deadline, [this] { return all_handled(); });
    queue_.close_for_workers();
    ended_.store(true, std::memory_order_release);  // first: who sees the stop takes nothing more
    calls_.request_stop();
    queue_.release_workers();
    timer_.stop();
    pool_.join();
    abandoned_.fetch_add(queue_.sweep(), std::memory_order_release);
    lanes_.sweep();
    abandoned_attempts_.store(calls_.deferrals().drop_all(), std::memory_order_release);
    const ThreadSlot* self = slots_.mine_if_any(this);
    registry_.quiescence().wait_until(deadline, [this, self] {  // for others inside call_now()
      return !slots_.all().any(
          [self](const ThreadSlot& slot) { return &slot != self && slot.busy(); });
    });
    last(deadline);
    stage_.store(Stage::stopped);
    stopped_.notify_all();
    idle_.notify_all();
  }

  [[nodiscard]] ShutdownReport report() const noexcept {
    return {stage_.load() == Stage::stopped, abandoned_.load(), lanes_.abandoned(),
            abandoned_attempts_.load(), schedules_.dropped()};
  }

  const RareOwner<const BusOptions> given_;
  const BusOptions& options_;  ///< `given_`, or the defaults
  const std::size_t workers_;  // threads
  const bool stamps_{options_.timestamps == Timestamps::on};
  const ClockView clock_;
  const EventSource source_;
  BusSlots slots_;
  TypeTable types_{{this, &prepare_type}};
  Lanes lanes_;
  Registry registry_;
  EventQueue queue_;
  WaitGate<> idle_;                             ///< for all_handled()
  WaitGate<> stopped_;                          ///< for Stage::stopped
  std::atomic<std::size_t> running_{workers_};  ///< workers // threads
  std::atomic<bool> ended_{false};
  std::atomic<bool> orphaned_{false};
  std::atomic<std::uint32_t> stage_{Stage::running};
  std::atomic<std::uint64_t> abandoned_{0};
  std::atomic<std::uint64_t> abandoned_attempts_{0};
  const Owner<ThreadSlot*[]> worker_slots_;
  Timer timer_;
  AsynchronousCalls calls_;
  OrderedPublishing ordered_;
  PostedTasks posted_{queue_};
  StickySubscriptions sticky_{registry_, calls_, posted_};
  Schedules schedules_{options_, clock_, registry_, queue_, timer_, calls_};
  WorkerPool pool_;
};

}  // namespace gossip::detail
