// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StickySubscriptions: subscriptions that begin with the last event of their type.
/// Layer: dispatch.

#include <gossip/core/event_pattern.hpp>
#include <gossip/core/shared.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/asynchronous_calls.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/posted_tasks.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/retained_event.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/thread_slots.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

namespace gossip::detail {

/// Registers subscriptions, also such as are to begin with the retained event. These get it from the
/// task that is posted for it or, if that comes first, from the worker that has another event for
/// them: it gives them the retained one before.
///
/// Thread safety: any thread.
class StickySubscriptions {
 public:
  /// The arguments outlive it.
  StickySubscriptions(Registry& registry, AsynchronousCalls& calls, PostedTasks& posted) noexcept
      : registry_{registry}, calls_{calls}, posted_{posted} {}
  StickySubscriptions(const StickySubscriptions&) = delete;
  StickySubscriptions& operator=(const StickySubscriptions&) = delete;
  ~StickySubscriptions() = default;

  /// See Registry::subscribe.
  SubscriptionId subscribe(TypeEntry& type, ErasedProcessor processor, SubscribeOptions options) {
    RetainedEvent* retained = nullptr;
    if (options.start == SubscribeOptions::Start::with_last_event) {
      retained = type.retained.load(std::memory_order_acquire);  // (1) pairs with (2)
    }
    if (retained == nullptr) return registry_.subscribe(type, processor, std::move(options));
    const Reference sticky{new Sticky{*this, type, processor}};
    const bool once = options.lifetime == SubscribeOptions::Lifetime::once;
    SharedEvent known;   // the last event, about which the filter has been asked
    SharedEvent next;    // a later one
    bool wanted = true;  // what that said
    unsigned asked = 0;
    bool begins = false;
    bool registered = false;
    SubscriptionId id;
    const auto begin_with = [&](const SharedEvent& last) {
      // A filter is asked without the lock, and only about what would be the one event. Where events
      // come faster than it answers, it is the next that passes.
      if (once && processor.ask != nullptr && last && (!known || &*known != &*last)) {
        if (asked < most_asked) {
          next = last;
          return;
        }
        wanted = false;
      }
      registered = true;
      begins = last && wanted;
      if (!begins) {
        id = registry_.subscribe(type, processor, std::move(options));
        return;
      }
      sticky->first = last;
      sticky->only = once;
      if (once) options.lifetime = SubscribeOptions::Lifetime::until_cancelled;
      Reference record = sticky;
      id = registry_.subscribe(type, {&run, nullptr, record.get(), &destroy, processor.layers},
                               std::move(options));
      record.keep();
    };
    for (;;) {
      retained->look(begin_with);
      if (registered) break;
      std::swap(known, next);
      next = {};  // not under the lock: it may destroy an event
      wanted = wants(processor, *known, options);
      ++asked;
    }
    if (begins) {
      sticky->id = id;
      Reference queue = sticky;
      if (posted_.post_task(*sticky)) queue.keep();
    }
    return id;
  }

  /// The same for a pattern, which has no last event.
  /// @throws ValidationError  it is to begin with one
  SubscriptionId subscribe(const EventPattern& pattern, ErasedProcessor processor,
                           SubscribeOptions options) {
    if (options.start != SubscribeOptions::Start::with_next_event) {
      refuse_option("start", "with_last_event", "with_next_event, for a pattern").throw_if_error();
    }
    return registry_.subscribe(pattern, processor, std::move(options));
  }

  /// From now on the last event of `type` is kept. Idempotent.
  /// @throws std::bad_alloc
  static void retain(TypeEntry& type, const RetainedEvent::Ways& ways) {
    if (type.retained.load(std::memory_order_acquire) != nullptr) return;
    auto* made = new RetainedEvent{ways};
    RetainedEvent* none = nullptr;
    // (2) release: pairs with (1), and with the acquire of who dispatches
    if (!type.retained.compare_exchange_strong(none, made, std::memory_order_acq_rel)) delete made;
  }

 private:
  /// A processor that is to get an event before all others, and the task that sees to it.
  struct Sticky : Task {
    Sticky(StickySubscriptions& of, TypeEntry& of_type, const ErasedProcessor& processor) noexcept
        : Task{.run = &take_up, .abandon = &give_up}, host{of}, type{of_type}, inner{processor} {}

    StickySubscriptions& host;
    TypeEntry& type;
    const ErasedProcessor inner;
    SharedCount count;                ///< held by the record and by the queue
    SubscriptionId id;                ///< set before it is posted
    SharedEvent first;                ///< belongs to who clears `pending`, but for `only`
    bool only = false;                ///< a `once` subscription: nothing but `first` is for it
    std::atomic<bool> pending{true};  ///< `first` has still to be given
  };

  /// One holder of a Sticky.
  class Reference {
   public:
    explicit Reference(Sticky* sticky) noexcept : sticky_{sticky} { sticky_->count.add_holder(); }
    Reference(const Reference& other) noexcept : Reference{other.sticky_} {}
    Reference& operator=(const Reference&) = delete;
    ~Reference() {
      if (sticky_ != nullptr) drop(*sticky_);
    }
    [[nodiscard]] Sticky* get() const noexcept { return sticky_; }
    [[nodiscard]] Sticky& operator*() const noexcept { return *sticky_; }
    [[nodiscard]] Sticky* operator->() const noexcept { return sticky_; }
    /// Leaves it to somebody else to drop it.
    void keep() noexcept { sticky_ = nullptr; }
    static void drop(Sticky& sticky) noexcept {
      if (sticky.count.drop_holder()) delete &sticky;
    }

   private:
    Sticky* sticky_;
  };

  /// Asks the filter of a processor. If that throws the error handler is told, and the answer is no.
  bool wants(const ErasedProcessor& processor, const EventBase& event,
             const SubscribeOptions& options) noexcept {
    Call call{event, calls_.stop_token(), {nullptr, nullptr}};
    try {
      return processor.ask(processor.object, call) == CallResult::special;
    } catch (...) {
      calls_.report({.subscription = {},
                     .subscription_name = options.name,
                     .event_type = event.type(),
                     .event_id = {},
                     .attempt = 1,
                     .status = status_of_current_exception()});
      return false;
    }
  }

  static constexpr unsigned most_asked = 100;

  // ---- The task -------------------------------------------------------------------------------

  static void take_up(Task& task, ThreadSlot& slot) noexcept {
    auto& sticky = static_cast<Sticky&>(task);
    StickySubscriptions& self = sticky.host;
    {
      SubscriptionRecord& record = self.registry_.record(sticky.id);
      Delivery delivery{slot, self.registry_};
      if (delivery.hold(record, sticky.id.serial)) {
        self.begin(sticky, record, sticky.id.serial, delivery);
      }
    }
    give_up(task);
  }
  static void give_up(Task& task) noexcept {
    auto& sticky = static_cast<Sticky&>(task);
    PostedTasks& posted = sticky.host.posted_;
    Reference::drop(sticky);
    posted.done();
  }

  /// Gives a subscription the event that it begins with, unless that has been done.
  /// @param delivery  holds the subscription
  void begin(Sticky& sticky, SubscriptionRecord& record, std::uint64_t serial,
             Delivery& delivery) noexcept {
    if (!sticky.pending.exchange(false, std::memory_order_acq_rel)) return;
    const SharedEvent event = sticky.only ? sticky.first : std::move(sticky.first);
    calls_.deliver(delivery, record, serial, event, sticky.type);
  }

  // ---- The processor --------------------------------------------------------------------------

  static CallResult run(void* object, Call& call) {
    auto& sticky = *static_cast<Sticky*>(object);
    if (sticky.only) return run_only(sticky, call);
    if (sticky.pending.load(std::memory_order_acquire) && call.asynchronous()) {
      auto& record =
          const_cast<SubscriptionRecord&>(*call.frame->current.load(std::memory_order_relaxed));
      const std::uint64_t serial = record.tenant.load(std::memory_order_relaxed);
      try {
        Delivery delivery{*current_thread.worker_slot, sticky.host.registry_};
        sticky.host.begin(sticky, record, serial, delivery);
      } catch (const std::bad_alloc&) {  // of the delivery: then the task will do
      }
      if (record.serial.load(std::memory_order_acquire) != serial) return CallResult::gone;
    }
    return sticky.inner.run(sticky.inner.object, call);
  }

  /// Ends the subscription after the call, unless another attempt has been arranged.
  static CallResult run_only(Sticky& sticky, Call& call) {
    if (&call.event != &*sticky.first) return CallResult::gone;
    struct End {
      ~End() {
        if (!call.deferred) sticky.host.registry_.cancel(sticky.id, current_thread.worker_slot);
      }
      Sticky& sticky;
      const Call& call;
    };
    const End end{sticky, call};
    return sticky.inner.run(sticky.inner.object, call);
  }

  static void destroy(void* object) noexcept {
    auto& sticky = *static_cast<Sticky*>(object);
    sticky.inner.destroy(sticky.inner.object);
    Reference::drop(sticky);
  }

  Registry& registry_;
  AsynchronousCalls& calls_;
  PostedTasks& posted_;
};

}  // namespace gossip::detail
