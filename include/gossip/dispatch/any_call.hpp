// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Erases the types of processors of AnyEvent, which are called for events of every payload.
/// Layer: dispatch.

#include <gossip/core/any_event.hpp>
#include <gossip/core/any_processor.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/processor_layers.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <type_traits>
#include <utility>

namespace gossip::detail {

/// The event of a call, whatever its payload. @pre call.type is set
inline AnyEvent any_event_of(const Call& call) noexcept {
  return AnyEventAccess::refer_to(call.event, *call.type->payload, call.type->operations->share);
}

/// Calls an `F` for an event of any payload.
/// @throws what the processor throws
template <class F>
CallResult run_any_processor(void* object, Call& call) {
  call.deferred = false;
  Context context{call.stop, call.deadline, call.attempt, call.subscription(), &call};
  Status status = invoke_any_processor(*static_cast<F*>(object), any_event_of(call), context);
  if (status.ok()) return CallResult::ok;
  call.error = std::move(status);
  return failure_of(call);
}

/// ErasedProcessor::ask of an `F` for events of any payload.
template <class F>
constexpr ErasedProcessor::Run asking_any() noexcept {
  if constexpr (ChoosesEvents<F, AnyEvent>) {
    return
        [](void* object, Call& call) { return ask_processor<F>(object, any_event_of(call), call); };
  } else {
    return nullptr;
  }
}

/// Erases the type of `processor`.
/// @throws std::bad_alloc, and what moving the processor throws
template <AnyProcessor F>
ErasedProcessor erase_any_processor(F&& processor) {
  using Stored = std::decay_t<F>;  // a function is kept as a pointer
  return {&run_any_processor<Stored>,
          nullptr,
          new Stored(std::forward<F>(processor)),
          [](void* object) noexcept { delete static_cast<Stored*>(object); },
          layers_of<Stored>(),
          asking_any<Stored>()};
}

}  // namespace gossip::detail
