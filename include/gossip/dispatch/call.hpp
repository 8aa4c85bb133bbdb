// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Call: one event on its way through the processors of its type, and the boundary at which the
/// types of processors are erased. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/processor.hpp>
#include <gossip/core/processor_layers.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/clock_view.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string_view>
#include <utility>

namespace gossip::detail {

/// What one call of a processor came to.
enum class CallResult : std::uint8_t {
  ok,        ///< the processor succeeded
  failed,    ///< it reported an error, which is in Call::error
  deferred,  ///< the same, but another attempt has been arranged
  special,   ///< no plain subscription: `once`, or with a lane; see ErasedProcessor::special
  // The call was not made:
  gone,       ///< there is no subscription any more
  elsewhere,  ///< the subscription gets the event through its lane
  denied,     ///< the publisher's deadline or stop_token did not allow the call; see Call::error
};
[[nodiscard]] constexpr bool was_not_made(CallResult result) noexcept {
  return result >= CallResult::gone;
}

struct Call;
struct HazardFrame;
class SharedEvent;
struct SubscriptionRecord;
struct TypeEntry;

/// Where the failures of a Call's processors go: to the error handler, or to a caller's list.
struct FailureSink {
  void (*report)(void* context, Call& call, const SubscriptionRecord& record);
  void* context;
};

/// One event being dispatched, with what its processors may ask.
struct Call : ContextSupport {
  Call(const EventBase& dispatched, const std::stop_token& stop_by, FailureSink sink,
       SteadyTime done_by = SteadyTime::max()) noexcept
      : ContextSupport{&basics},
        event{dispatched},
        stop{stop_by},
        failures{sink},
        deadline{done_by} {}

  const EventBase& event;
  const std::stop_token& stop;
  FailureSink failures;
  SteadyTime deadline = SteadyTime::max();
  unsigned attempt = 1;
  const ClockView* clock = nullptr;     ///< of the deadline; set if `limited`, null: steady clock
  bool limited = false;                 ///< look at the deadline and the stop before each call
  bool denied = false;                  ///< there was one who could not be called for that
  Timer* timer = nullptr;               ///< that goes by the clock
  TypeEntry* type = nullptr;            ///< of the event
  const SharedEvent* shared = nullptr;  ///< the event's owner, if it can be kept without copying
  const HazardFrame* frame = nullptr;   ///< announces whose processor is being called
  Status error = {};                    ///< of the call that failed last

  /// The subscription whose processor is being called.
  [[nodiscard]] SubscriptionId subscription() const noexcept;

  /// The time by the bus's clock.
  static SteadyTime now(const ContextSupport& self) noexcept {
    const ClockView* clock = static_cast<const Call&>(self).clock;
    return clock != nullptr ? clock->now(clock->clock) : std::chrono::steady_clock::now();
  }
  /// The name of the subscription whose processor is being called.
  static std::string_view name(const ContextSupport& self) noexcept;
  static Timer* timer_of(const ContextSupport& self) noexcept {
    return static_cast<const Call&>(self).timer;
  }
  /// True if the call need not be made at once, and another attempt can be arranged.
  [[nodiscard]] bool asynchronous() const noexcept { return operations->defer != nullptr; }
  /// What every call can do.
  static const ContextOperations basics;
};
inline constexpr ContextOperations Call::basics{
    .now = &Call::now, .timer = &Call::timer_of, .name = &Call::name};

/// A processor whose type has been erased. Owned by a SubscriptionRecord. As default: none.
struct ErasedProcessor {
  using Run = CallResult (*)(void* object, Call& call);
  using Destroy = void (*)(void* object) noexcept;

  Run run = [](void*, Call&) { return CallResult::gone; };
  Run special = nullptr;  ///< makes the call where `run` only answers CallResult::special
  void* object = nullptr;
  Destroy destroy = nullptr;
  const ProcessorLayer* layers = nullptr;  ///< what it is composed of; null if it does not say
  Run ask = nullptr;  ///< `special` for events that it wants, `ok` for others; null: wants all
};

/// What a call that failed came to.
inline CallResult failure_of(const Call& call) noexcept {
  return call.deferred ? CallResult::deferred : CallResult::failed;
}

/// Calls an `F` for an event of payload `T`.
/// @throws what the processor throws
template <class T, class F>
CallResult run_processor(void* object, Call& call) {
  auto& processor = *static_cast<F*>(object);
  const auto& event = static_cast<const Event<T>&>(call.event);
  Status status;
  call.deferred = false;
  if constexpr (TakesContext<F, T>) {
    Context context{call.stop, call.deadline, call.attempt, call.subscription(), &call};
    status = invoke_processor<T>(processor, event, context);
  } else {
    status = invoke_processor<T>(processor, event);
  }
  if (status.ok()) return CallResult::ok;
  call.error = std::move(status);
  return failure_of(call);
}

/// Makes a processor that is not to be called without a look at its subscription.
inline ErasedProcessor special(ErasedProcessor processor) noexcept {
  processor.special = processor.run;
  processor.run = [](void*, Call&) { return CallResult::special; };
  return processor;
}

/// What a processor that wants an event, or not, answers to ErasedProcessor::ask.
template <class F, class E>
CallResult ask_processor(const void* object, const E& event, Call& call) {
  call.deferred = false;
  return static_cast<const F*>(object)->wants(event) ? CallResult::special : CallResult::ok;
}

/// ErasedProcessor::ask of an `F` for events of payload `T`.
template <class T, class F>
constexpr ErasedProcessor::Run asking() noexcept {
  if constexpr (ChoosesEvents<F, Event<T>>) {
    return [](void* object, Call& call) {
      return ask_processor<F>(object, static_cast<const Event<T>&>(call.event), call);
    };
  } else {
    return nullptr;
  }
}

/// Erases the type of `processor`, a processor of payload `T`.
/// @throws std::bad_alloc, and what moving the processor throws
template <class T, Processor<T> F>
ErasedProcessor erase_processor(F&& processor) {
  using Stored = std::decay_t<F>;  // a function is kept as a pointer
  return {&run_processor<T, Stored>,
          nullptr,
          new Stored(std::forward<F>(processor)),
          [](void* object) noexcept { delete static_cast<Stored*>(object); },
          layers_of<Stored>(),
          asking<T, Stored>()};
}

}  // namespace gossip::detail
