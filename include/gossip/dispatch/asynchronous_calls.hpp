// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// AsynchronousCalls: how workers call processors: what surrounds such a call, where its failure
/// goes, and how it is put off. Layer: dispatch.

#include <gossip/core/atomic_pointer.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/rare_owner.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/clock_view.hpp>
#include <gossip/dispatch/deferrals.hpp>
#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/envelope.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/lane.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/retained_event.hpp>
#include <gossip/dispatch/stall_report.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/dispatch/stop_signal.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/timer.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/dispatch/watchdog.hpp>

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <utility>

namespace gossip::detail {

/// Thread safety: all members from any thread; a ThreadSlot from its owner alone.
class AsynchronousCalls {
 public:
  /// The arguments outlive it.
  AsynchronousCalls(const BusOptions& options, const ClockView& clock, Registry& registry,
                    EventQueue& queue, Timer& timer, const ThreadSlots& slots)
      : options_{options},
        clock_{clock},
        registry_{registry},
        slots_{slots},
        timer_{timer},
        deferrals_{options.max_deferred, queue, timer, &run_deferral, this} {}
  AsynchronousCalls(const AsynchronousCalls&) = delete;
  AsynchronousCalls& operator=(const AsynchronousCalls&) = delete;
  ~AsynchronousCalls() = default;

  /// Sees to BusOptions::measure and BusOptions::stall_after. Apart, so that a program that gives a bus
  /// no options refers to nothing of what they take, and does not compile it. @pre nothing is called yet
  /// @throws std::bad_alloc, std::system_error  no thread is to be had for BusOptions::stall_after
  static void heed_options(AsynchronousCalls& self, ThreadSlots& slots) {
    const BusOptions& options = self.options_;
    if (options.measure == Measure::times) slots.measure_by(self.clock_);
    if (options.stall_after.count() == 0) return;
    self.watchdog_ =
        RareOwner<Watchdog>{new Watchdog{self.slots_, self.registry_, self.timer_, self.clock_}};
    self.watchdog_->start(options.stall_after, {&self, &tell_of_stall});
  }

  /// Calls the processors of an event.
  void handle(ThreadSlot& slot, TypeEntry& type, const EventBase& event) {
    if (RetainedEvent* retained = type.retained.load(std::memory_order_acquire)) [[unlikely]] {
      retained->ways.handle(*this, slot, type, event);
    } else {
      handle(slot, type, event, nullptr);
    }
  }
  /// The same, for an event of a retained type, which it keeps.
  static void handle_and_keep(AsynchronousCalls& self, ThreadSlot& slot, TypeEntry& type,
                              const EventBase& event) {
    RetainedEvent::Keeping keeping = self.keep(type, event);
    self.handle(slot, type, event, &keeping);
  }

  /// Gives an event to one subscription.
  void deliver(Delivery& delivery, SubscriptionRecord& record, std::uint64_t serial,
               const SharedEvent& event, TypeEntry& type) {
    Call call = call_for(*event, type);
    call.shared = &event;
    delivery.run_one(record, serial, call);
  }

  /// Keeps an event that is about to be dispatched, if its type is retained. If it cannot be copied
  /// the one before stays, and the error handler is told.
  RetainedEvent::Keeping keep(TypeEntry& type, const EventBase& event) {
    RetainedEvent* retained = type.retained.load(std::memory_order_acquire);
    if (retained == nullptr) [[likely]]
      return {};
    SharedEvent copy;
    try {
      copy = type.operations->share(event);
      copy.drop_receipt();
    } catch (...) {
      const Status status = status_of_current_exception();
      report({.subscription = {},
              .subscription_name = {},
              .event_type = event.type(),
              .event_id = {},
              .attempt = 1,
              .status = status});
    }
    return {*retained, std::move(copy)};
  }

  /// Tells the error handler.
  void report(const ErrorReport& failure) noexcept {
    if (options_.on_error) call_handler([&] { options_.on_error(failure); });
  }
  /// Counts a publish that was wrong in itself, and tells the error handler; not of what that
  /// publishes wrongly in turn.
  void refuse(std::string_view type, const Status& why) noexcept {
    refused_invalid_.fetch_add(1, std::memory_order_release);
    thread_local bool telling = false;
    if (telling) return;
    telling = true;
    report({.subscription = {},
            .subscription_name = {},
            .event_type = type,
            .event_id = {},
            .attempt = 1,
            .status = why});
    telling = false;
  }
  /// Calls those processors of a shared event that have no lane.
  void handle(ThreadSlot& slot, TypeEntry& /*envelopes*/, const Event<SharedDelivery>& shared) {
    TypeEntry& type = *shared.data().type;
    Call call = call_for(*shared.data().event, type);
    call.shared = &shared.data().event;
    RetainedEvent::Keeping keeping = keep(type, *shared.data().event);
    Delivery delivery{slot, registry_, type};
    keeping.done(delivery, shared);  // the envelope has a number, the event has none
    slot.dispatched.increment(type.index);
    delivery.run(call);
  }
  /// Calls a processor for events that wait in its lane. For LaneHost::run.
  static void run_lane(Task& task, ThreadSlot& slot) noexcept {
    auto& runner = static_cast<LaneRunner&>(task);
    Lane& lane = *runner.lane;
    auto& self = *static_cast<AsynchronousCalls*>(lane.host().maker);
    Lane::Work work;
    if (!lane.begin(runner, work)) return;
    Delivery delivery{slot, self.registry_};
    for (unsigned calls = 1;; ++calls) {
      const LaneOutcome outcome = self.call_in_lane(delivery, lane, work);
      if (!lane.next(runner, work, outcome, calls < self.calls_in_a_row_)) break;
    }
  }

  /// How many events of a lane a worker handles before it looks for what else waits.
  /// @pre nothing has been published
  void allow_in_a_row(unsigned calls) noexcept { calls_in_a_row_ = calls; }

  /// Lets processors put off calls, and hear of a stop. Apart, so that a program without a processor
  /// that takes a Context refers to nothing of what that takes.
  /// @pre    the processor has yet to be subscribed
  /// @throws std::bad_alloc
  void allow_contexts() {
    stop_.arm();
    deferring_.store(&deferring, std::memory_order_release);
  }

  /// Asks the running processors to stop.
  void request_stop() noexcept { stop_.request(); }
  /// @pre allow_contexts()
  [[nodiscard]] const std::stop_token& stop_token() const noexcept { return stop_.token(); }

  /// The calls that were put off.
  [[nodiscard]] Deferrals& deferrals() noexcept { return deferrals_; }
  [[nodiscard]] const Deferrals& deferrals() const noexcept { return deferrals_; }
  /// Fills in what concerns them.
  void describe(Statistics& statistics) const noexcept {
    statistics.refused_invalid = refused_invalid_.load();
    statistics.handler_failures = handler_failures_.load();
    statistics.stalled = stalled_.load();
    statistics.deferred = deferrals_.made();
    statistics.deferred_dropped = deferrals_.dropped();
    statistics.deferred_waiting = deferrals_.pending();
  }

 private:
  struct LaneCall : Call {
    LaneCall(const Call& call, Lane& by, const Lane::Work& job) noexcept
        : Call{call}, lane{by}, work{job} {}
    Lane& lane;
    const Lane::Work& work;
  };

  [[gnu::always_inline]] void handle(ThreadSlot& slot, TypeEntry& type, const EventBase& event,
                                     RetainedEvent::Keeping* keeping) {
    Call call = call_for(event, type);
    Delivery delivery{slot, registry_, type};
    if (keeping != nullptr) keeping->done(delivery, event);
    slot.dispatched.increment(type.index);
    if (delivery.run(call) == 0) [[unlikely]] {
      ThreadSlot::increment(slot.unmatched);
      EventAccess::header(event).receipt.fail();  // somebody else may want it
    }
  }

  Call call_for(const EventBase& event, TypeEntry& type) noexcept {
    Call call{event, stop_.token(), {&report_failure, this}};
    call.operations = &operations;
    call.clock = &clock_;
    call.timer = &timer_;
    call.type = &type;
    return call;
  }

  static AsynchronousCalls& maker_of(const ContextSupport& call) noexcept {
    return *static_cast<AsynchronousCalls*>(static_cast<const Call&>(call).failures.context);
  }

  /// The failure sink: tells the error handler.
  static void report_failure(void* self, Call& call, const SubscriptionRecord& record) {
    EventAccess::header(call.event).receipt.fail();
    static_cast<AsynchronousCalls*>(self)->report({call.subscription(), record.name,
                                                   call.event.type(), call.event.id(), call.attempt,
                                                   call.error});
  }

  /// See Context::defer.
  static bool defer(ContextSupport& call, std::chrono::nanoseconds delay) noexcept {
    const Deferring* allowed = maker_of(call).deferring_.load(std::memory_order_acquire);
    return allowed != nullptr && allowed->defer(call, delay);
  }
  static bool put_off(ContextSupport& call, std::chrono::nanoseconds delay) noexcept {
    try {
      return maker_of(call).deferrals_.defer(static_cast<const Call&>(call), delay);
    } catch (...) {  // no memory, or no copy of the payload: the failure is final, and reported
      return false;
    }
  }

  /// The same, for an event of a lane. Its key waits for that attempt.
  static bool defer_in_lane(ContextSupport& support, std::chrono::nanoseconds delay) noexcept {
    const auto& call = static_cast<const LaneCall&>(support);
    try {
      return call.lane.may_retry(call.work.serial) &&
             maker_of(call).deferrals_.defer(call, delay, &call.lane, call.work.taken.key);
    } catch (...) {  // as above
      return false;
    }
  }

  /// Delivers what a lane has given out, and destroys the event.
  LaneOutcome call_in_lane(Delivery& delivery, Lane& lane, Lane::Work& work) noexcept {
    auto* deferral = static_cast<Deferral*>(work.taken.retry);
    const SharedEvent& event = deferral != nullptr ? deferral->event : work.taken.event;
    LaneCall call{call_for(*event, deferral != nullptr ? *deferral->type : *work.taken.type), lane,
                  work};
    call.operations = &lane_operations;
    call.shared = &event;
    if (deferral != nullptr) call.attempt = deferral->attempt;
    const CallResult result = delivery.run_one(*work.record, work.serial, call);
    if (result == CallResult::gone) EventAccess::header(*event).receipt.fail();
    work.taken.event = {};
    if (deferral != nullptr) settle(*deferral, result);
    if (result == CallResult::gone) return LaneOutcome::gone;
    return call.deferred ? LaneOutcome::deferred : LaneOutcome::handled;
  }

  void settle(Deferral& deferral, CallResult result) noexcept {
    if (result == CallResult::gone) {
      deferrals_.drop(deferral);
    } else {
      deferrals_.retire(deferral);
    }
  }

  static void run_deferral(Task& task, ThreadSlot& slot) noexcept {
    auto& self = *static_cast<AsynchronousCalls*>(static_cast<Deferral&>(task).maker);
    self.deferring_.load(std::memory_order_acquire)->run(task, slot);
  }
  static void deliver_again(Task& task, ThreadSlot& slot) noexcept {
    auto& deferral = static_cast<Deferral&>(task);
    auto& self = *static_cast<AsynchronousCalls*>(deferral.maker);
    if (deferral.lane != nullptr) {
      if (!deferral.lane->resume(deferral.serial, deferral.lane_key, deferral)) {
        self.deferrals_.drop(deferral);
      }
      return;
    }
    Call call = self.call_for(*deferral.event, *deferral.type);
    call.shared = &deferral.event;
    call.attempt = deferral.attempt;
    CallResult result = CallResult::gone;
    {
      Delivery delivery{slot, self.registry_};
      result = delivery.run_one(*deferral.record, deferral.serial, call);
    }
    self.settle(deferral, result);
  }

  static void tell_of_stall(void* context, const StallReport& report) noexcept {
    auto& self = *static_cast<AsynchronousCalls*>(context);
    self.stalled_.fetch_add(1, std::memory_order_release);
    if (self.options_.on_stall) self.call_handler([&] { self.options_.on_stall(report); });
  }

  /// Calls a handler of the user's.
  template <class Handler>
  void call_handler(Handler&& handler) noexcept {
    try {
      handler();
    } catch (...) {
      handler_failures_.fetch_add(1, std::memory_order_release);
    }
  }

  static const ContextOperations operations;
  /// What is reached through allow_contexts() alone.
  struct Deferring {
    bool (*defer)(ContextSupport& call, std::chrono::nanoseconds delay) noexcept;
    void (*run)(Task& task, ThreadSlot& slot) noexcept;
  };
  static const Deferring deferring;
  static const ContextOperations lane_operations;

  const BusOptions& options_;
  const ClockView& clock_;
  Registry& registry_;
  const ThreadSlots& slots_;
  Timer& timer_;
  unsigned calls_in_a_row_ = 16;
  StopSignal stop_;
  AtomicPointer<const Deferring> deferring_;  ///< see allow_contexts()
  std::atomic<std::uint64_t> refused_invalid_{0};
  std::atomic<std::uint64_t> handler_failures_{0};
  std::atomic<std::uint64_t> stalled_{0};
  Deferrals deferrals_;
  RareOwner<Watchdog> watchdog_;  ///< if BusOptions::stall_after asks for it
};

inline constexpr ContextOperations AsynchronousCalls::operations{.now = &Call::now,
                                                                 .defer = &AsynchronousCalls::defer,
                                                                 .timer = &Call::timer_of,
                                                                 .name = &Call::name};
inline constexpr AsynchronousCalls::Deferring AsynchronousCalls::deferring{
    .defer = &AsynchronousCalls::put_off, .run = &AsynchronousCalls::deliver_again};
inline constexpr ContextOperations AsynchronousCalls::lane_operations{
    .now = &Call::now,
    .defer = &AsynchronousCalls::defer_in_lane,
    .timer = &Call::timer_of,
    .name = &Call::name};

}  // namespace gossip::detail
