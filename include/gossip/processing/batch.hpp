// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Batch: collects events and hands many at once to one processor. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/processor.hpp>
#include <gossip/core/status.hpp>
#include <gossip/processing/background.hpp>
#include <gossip/processing/batch_call.hpp>
#include <gossip/processing/batch_core.hpp>
#include <gossip/processing/batch_executor.hpp>
#include <gossip/processing/batch_options.hpp>
#include <gossip/processing/failure.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace gossip {

namespace detail {

template <class F, class T>
concept TakesBatchAndContext = ProcessorCall<F, std::span<const Event<T>>, Context&>;
template <class F, class T>
concept TakesBatch = ProcessorCall<F, std::span<const Event<T>>>;

}  // namespace detail

/// What handles batches of events of payload `T`: callable as `(std::span<const Event<T>>, Context&)`
/// or `(std::span<const Event<T>>)`; returns void or a Status. Semantic requirements, for a `p`:
/// 1. `p` keeps no reference to the events after it returns; it may keep copies.
/// 2. Calls at once are safe, if BatchOptions::max_concurrent_flushes is more than 1; else there is
///    one call at a time, though not always on the same thread.
/// 3. `p` reports that the batch as a whole failed, by a Status or an exception: unless that is
///    not worth it (see WorthRetrying), `p` is called again with the same events.
template <class F, class T>
concept BatchProcessor = std::move_constructible<F> && std::destructible<F> &&
    (detail::TakesBatchAndContext<F, T> || detail::TakesBatch<F, T>);

/// Adds each event it is called with to a batch: what Batch::processor() returns. Copies are
/// equal; they may outlive the batch, and then answer Errc::closed.
template <Payload T>
class BatchAdder {
 public:
  /// Shown by EventBus::topology().
  static constexpr const char* middleware_name = "batch";

  /// @return  see Batch::add
  Status operator()(const Event<T>& event) const {
    Event<T> copy{event};
    // Whoever delivered the event learns what the batch's processor made of it.
    detail::EventAccess::header(copy).receipt = detail::EventAccess::header(event).receipt;
    return core_->add(copy);
  }

 private:
  template <Payload>
  friend class Batch;

  explicit BatchAdder(std::shared_ptr<detail::BatchCore<T>> core) noexcept
      : core_{std::move(core)} {}

  std::shared_ptr<detail::BatchCore<T>> core_;
};

/// Collects events and hands them to a processor, many at once: as soon as there are
/// BatchOptions::size of them (or max_bytes), when the first has waited for BatchOptions::period, on
/// flush(), and at the end. By itself, or subscribed to a bus by processor().
///
/// A batch that is full is processed by the thread that added its last event, inside add(). A batch
/// whose period is over, a retry, and a batch that was full while all flushes were in use are
/// processed by other threads: by the workers of its bus, or, without a bus, by a few threads that
/// all such batches share (detail::Background); no batch has a thread of its own.
///
/// Every event that add() accepts is handed to a call of the processor that succeeds, or, after
/// retries, to BatchOptions::dead_letter, or is counted in stats() under the reason why not.
///
/// The destructor closes the batch with BatchOptions::shutdown_timeout: it waits until the processor
/// has handled what is left. End subscriptions that add to it before, and let the bus live longer:
/// once a bus has shut down, a batch on it works on without periods and retry delays.
///
/// Example: examples/processing/batches.cpp.
///
/// Thread safety: all members from any thread at once, but construction and destruction. A processor
/// may use and even destroy its own batch.
template <Payload T>
class Batch {
 public:
  /// A batch by itself: real time, shared threads.
  /// @throws std::invalid_argument  an option is out of range; names it, its value, what is allowed
  /// @throws std::bad_alloc, and what moving the processor throws
  template <BatchProcessor<T> F>
  Batch(BatchOptions<T> options, F&& processor)
      : Batch{std::move(options), detail::Background::shared().executor(),
              erase(std::forward<F>(processor))} {}

  /// A batch on a bus: its clock, its timer, its workers.
  /// @throws as the other
  template <detail::BatchHost H, BatchProcessor<T> F>
  Batch(H& bus, BatchOptions<T> options, F&& processor)
      : Batch{std::move(options), batch_executor(bus), erase(std::forward<F>(processor))} {}

  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() { close(); }

  /// Adds an event. The last event of a batch has the processor called before this returns.
  /// @param event     moved from if accepted; untouched otherwise
  /// @return          ok; Errc::queue_full: max_pending events wait, and the policy is `reject`, or
  ///                  it is `block` and this thread must not wait, since it is inside a batch's
  ///                  processor or a worker nested too deep (BusOptions::max_nesting); Errc::closed
  /// @throws          what BatchOptions::bytes_of or copying or moving the payload throws, and
  ///                  std::bad_alloc, before anything has happened; never what the processor throws
  /// @par Blocking    a mutex that is held for nanoseconds and while the payload is moved, which
  ///                  therefore must not use the batch; never while a processor runs. If the event
  ///                  completes a batch, while it is processed. With OverflowPolicy::block and
  ///                  max_pending events waiting: processes batches itself, or, if all flushes are
  ///                  in use, waits; a bus's worker runs queued events of its bus meanwhile
  /// @par Complexity  O(1), no allocation once warm, for an event without metadata
  /// @par Ordering    events of one thread stay in order within a batch; and across batches, if
  ///                  max_concurrent_flushes is 1
  /// @{
  Status add(Event<T>&& event) { return core_->add(event); }
  Status add(const Event<T>& event) {
    static_assert(std::copy_constructible<StoredPayload<T>>,
                  "the payload cannot be copied: add(std::move(event))");
    if constexpr (std::is_trivially_copyable_v<StoredPayload<T>>) {
      if (event.metadata().empty()) [[likely]] {
        const detail::BatchCopy<T> copy{event};
        return core_->add(copy);
      }
    }
    Event<T> copy{event};
    return core_->add(copy);
  }
  /// An event made from `data`, stamped with the time now.
  Status add(const EventType<T>& type, std::type_identity_t<StoredPayload<T>> data) {
    const detail::BatchExecutor& executor = core_->executor();
    Event<T> event = detail::EventAccess::make<T>(
        detail::DeliveredHeader{type.key(), executor.stamp(executor.owner.get()), executor.source},
        std::move(data));
    return core_->add(event);
  }
  /// As BatchOptions::type.
  Status add(StoredPayload<T> data) { return add(core_->options().type, std::move(data)); }
  /// @}

  /// A processor that adds a copy of each event: `bus.subscribe(type, batch.processor())`.
  [[nodiscard]] BatchAdder<T> processor() const {
    static_assert(std::copy_constructible<StoredPayload<T>>, "the payload cannot be copied");
    return BatchAdder<T>{core_};
  }

  /// Has everything that was added before processed, and waits for it, retries and their delays
  /// included. Batches may be processed on this thread.
  /// @return        true once all has been processed, dead-lettered or discarded; false if the time
  ///                was up before, or at once inside this batch's own processor: what is left is
  ///                processed all the same
  /// @par Blocking  until then; a bus's worker runs queued events meanwhile. Two batches whose
  ///                processors flush each other wait for ever
  /// @{
  bool flush() { return core_->flush(SteadyTime::max()); }
  /// @param timeout  real time; it does not interrupt a processor
  bool flush_for(std::chrono::nanoseconds timeout) { return core_->flush(after(timeout)); }
  /// @}

  /// Ends the batch: adding answers Errc::closed from now on, what is left is processed, partly on
  /// this thread, and retries follow without delay. When the time is up, the stop_token of running
  /// processors is triggered, and what has not been processed goes to the dead_letter, with the
  /// error of its last attempt, or Errc::timeout. Idempotent.
  /// @param timeout  real time
  /// @return         true if nothing was given up for want of time. False at once inside this batch's
  ///                 own processor, which it cannot wait for: the rest is done after that returns
  /// @par Blocking   until nothing is left; so at least until running processors return
  /// @{
  bool close(std::chrono::nanoseconds timeout) { return core_->close(after(timeout)); }
  bool close() { return close(core_->options().shutdown_timeout); }
  /// @}

  /// What the batch has done so far.
  /// @par Blocking  the mutex of add()
  [[nodiscard]] BatchStatistics stats() const { return core_->statistics(); }

 private:
  Batch(BatchOptions<T>&& options, detail::BatchExecutor executor, detail::BatchCall<T> call)
      : core_{std::make_shared<detail::BatchCore<T>>(
            (detail::require_valid("BatchOptions", options), std::move(options)),
            std::move(executor), std::move(call))} {}

  template <class F>
  static detail::BatchCall<T> erase(F&& processor) {
    using Stored = std::decay_t<F>;  // a function is kept as a pointer
    return {std::make_shared<Stored>(std::forward<F>(processor)), &invoke<Stored>};
  }

  template <class F>
  static Status invoke(void* object, std::span<const Event<T>> events, Context& context) {
    F& processor = *static_cast<F*>(object);
    const auto call = [&](auto&... args) -> Status {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, decltype(args)...>>) {
        std::invoke(processor, args...);
        return {};
      } else {
        return std::invoke(processor, args...);
      }
    };
    if constexpr (detail::TakesBatchAndContext<F, T>) {
      return call(events, context);
    } else {
      return call(events);
    }
  }

  static SteadyTime after(std::chrono::nanoseconds timeout) {
    return detail::later(std::chrono::steady_clock::now(), timeout);
  }

  const std::shared_ptr<detail::BatchCore<T>> core_;
};

}  // namespace gossip
