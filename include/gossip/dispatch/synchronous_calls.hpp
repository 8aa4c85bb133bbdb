// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What surrounds the calls of processors that publish_sync makes. Layer: dispatch.

#include <gossip/core/context.hpp>
#include <gossip/dispatch/call.hpp>
#include <gossip/dispatch/timer.hpp>

#include <stop_token>

namespace gossip::detail {

/// Such a call waits in place, by the bus's timer: the publisher wants to know how it ends. A
/// template, so that only who publishes synchronously pays for compiling it.
template <class Time = SteadyTime>
inline constexpr ContextOperations synchronous_calls{
    .now = &Call::now,
    .timer = &Call::timer_of,
    .wait = [](ContextSupport& call, const std::stop_token& stop, Time until) -> bool {
      return static_cast<Call&>(call).timer->wait_until(stop, until);
    },
    .name = &Call::name};

}  // namespace gossip::detail
