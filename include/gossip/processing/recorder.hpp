// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Recorder: keeps the last events of chosen types and replays them. Layer: processing.

#include <gossip/core/any_event.hpp>
#include <gossip/core/any_processor.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/late.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/processor.hpp>
#include <gossip/core/shared.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/processing/failure.hpp>
#include <gossip/processing/recording.hpp>

#include <concepts>
#include <cstddef>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gossip {

/// What can be chosen for a Recorder.
struct RecorderOptions {
  /// How many events are kept, 1 to 1000000; an older one makes way for each further one. // events
  std::size_t capacity = 1000;
  /// How long an event is kept, from its recording; 0: for ever; not negative.
  std::chrono::nanoseconds max_age{0};
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const RecorderOptions& options) {
  if (options.capacity < 1 || options.capacity > 1'000'000) {
    return detail::refuse_option("capacity", std::to_string(options.capacity), "1 to 1000000");
  }
  if (options.max_age < std::chrono::nanoseconds::zero()) {
    std::string age = std::to_string(options.max_age.count());
    age += " ns";
    return detail::refuse_option("max_age", age, "0 or more");
  }
  return {};
}

namespace detail {

// clang-format off
template <class B, class T>
concept Publishes = requires(B& bus, const Event<T>& event) {
  { bus.publish(event) } -> std::same_as<Status>;
};
// clang-format on

}  // namespace detail

/// What came of a replay.
struct ReplayResult {
  std::size_t replayed = 0;  ///< handed over with success // events
  std::size_t skipped = 0;   ///< before the end, of types that were not asked for // events
  Status status = {};        ///< why the replay ended early; success if it did not

  /// True if it did not end early.
  [[nodiscard]] bool ok() const noexcept { return status.ok(); }
};

/// Records each event it is called with: what Recorder::processor() returns. Fits events of every type
/// whose payload can be copied, and AnyEvent. Copies are equal and may outlive the recorder.
class RecorderAdder {
 public:
  /// Shown by EventBus::topology().
  static constexpr const char* middleware_name = "recorder";

  /// Keeps a copy.
  /// @{
  template <Payload T>
    requires std::copy_constructible<StoredPayload<T>>
  void operator()(const Event<T>& event) const { recording_->add(AnyEvent{Event<T>{event}}); }
  void operator()(const AnyEvent& event) const { recording_->add(AnyEvent{event}); }
  /// @}

 private:
  friend class Recorder;

  explicit RecorderAdder(const detail::Shared<detail::Recording>& recording) noexcept
      : recording_{recording} {}

  detail::Shared<detail::Recording> recording_;
};

/// Keeps copies of the last events, of whatever types it is fed with, and hands them on later: to a
/// processor, or to a bus, that need not be the one they came from. Bounded by number, and by age if
/// wanted.
///
/// A replay works on what is there when it begins: what is recorded meanwhile, be it by the replay
/// itself, is not part of it. Replayed events keep their ids, times, metadata and priorities; nothing
/// marks them as replayed.
///
/// Example: examples/processing/recorder.cpp.
///
/// Thread safety: all members from any thread at once, but construction and destruction. No user code
/// runs under its lock.
class Recorder {
 public:
  /// @param clock  where ages come from: a bus's own clock, say
  /// @throws std::invalid_argument  an option is out of range; names it, its value, what is allowed
  /// @throws std::bad_alloc
  template <Clock C = TickClock>
  explicit Recorder(const RecorderOptions& options = {}, C clock = {})
      : recording_{
            new detail::RecordingRing<C>{detail::require_valid("RecorderOptions", options).capacity,
                                         options.max_age, std::move(clock)}} {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder() = default;

  /// A processor that records: `bus.subscribe(type, recorder.processor())`, for as many types, or
  /// patterns, as are wanted.
  [[nodiscard]] RecorderAdder processor() const noexcept { return RecorderAdder{recording_}; }

  /// Records a copy of an event, or the event itself if it is given as an rvalue.
  /// @throws NoDataError     an AnyEvent whose payload cannot be copied
  /// @throws std::bad_alloc, and what copying or moving the payload throws
  /// @par Blocking    a mutex, for a moment
  /// @par Complexity  O(1) amortised; one or two allocations
  /// @{
  template <Payload T>
  void record(Event<T>&& event) {
    recording_->add(AnyEvent{std::move(event)});
  }
  template <Payload T>
    requires std::copy_constructible<StoredPayload<T>>
  void record(const Event<T>& event) { processor()(event); }
  // NOLINTNEXTLINE(readability-make-member-function-const)
  void record(const AnyEvent& event) { processor()(event); }
  /// @}

  /// The events that are kept, oldest first. They share what the recorder holds.
  /// @tparam E  left to its default, so that only who asks compiles a vector of them
  /// @throws std::bad_alloc
  template <std::same_as<AnyEvent> E = AnyEvent>
  [[nodiscard]] std::vector<E> events() const {
    std::vector<E> copies;
    recording_->copy_to(copies);
    return copies;
  }
  /// How many events are kept. // events
  [[nodiscard]] std::size_t size() const { return recording_->size(); }
  /// True if none is.
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Forgets all events.
  void clear() { recording_->clear(); }

  /// Calls `processor` with each event, oldest first, on this thread, until one call fails.
  /// @param processor  an AnyProcessor; what it throws becomes its Status
  /// @throws           std::bad_alloc, before the first call
  template <AnyProcessor F>
  ReplayResult replay(F&& processor) const {
    return each([&](const AnyEvent& event, Context& context, Status& status) {
      status = detail::handle_caught(processor, event, context);
      return true;
    });
  }

  /// The same with the events of one type, and a processor of its payload.
  template <class T, Processor<T> F>
  ReplayResult replay(const EventType<T>& type, F&& processor) const {
    return each([&](const AnyEvent& event, Context& context, Status& status) {
      const Event<T>* typed = match(type, event);
      if (typed != nullptr) status = detail::handle_caught(processor, *typed, context);
      return typed != nullptr;
    });
  }

  /// Publishes a copy of each event of the given types, oldest first, until one is refused:
  /// `recorder.replay(bus, user_created, order_placed)`.
  /// @param bus    has `publish(const Event<T>&)`, as EventBus
  /// @param types  with their payloads, which a recording of any types does not know
  /// @throws       as publish; what was accepted before stays accepted
  template <class Bus, class... T>
    requires(sizeof...(T) > 0 && (detail::Publishes<Bus, T> && ...))
  ReplayResult replay(Bus& bus, const EventType<T>&... types)
  const {
    return each([&](const AnyEvent& event, Context&, Status& status) {
      const auto publish = [&](const auto* typed) {
        if (typed != nullptr) status = bus.publish(*typed);
        return typed != nullptr;
      };
      return (publish(match(types, event)) || ...);
    });
  }

 private:
  /// The event as what it is, if it is of that type; else null.
  template <class T>
  static const Event<T>* match(const EventType<T>& type, const AnyEvent& event) noexcept {
    const Event<T>* typed = detail::AnyEventAccess::event_if<T>(event);
    return typed != nullptr && typed->type() == type.name() ? typed : nullptr;
  }

  /// @param step  hands one event on; false if it is of no interest
  template <class Step>
  ReplayResult each(Step&& step) const {
    const std::stop_token none;
    Context context{none};
    ReplayResult result;
    for (const AnyEvent& event : events<detail::Late<AnyEvent, Step>>()) {
      if (!step(event, context, result.status)) {
        ++result.skipped;
      } else if (result.status.ok()) {
        ++result.replayed;
      } else {
        break;
      }
    }
    return result;
  }

  detail::Shared<detail::Recording> recording_;
};

}  // namespace gossip
