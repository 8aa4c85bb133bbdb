// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// wait_for: waits until something has happened, never for a time. Layer: testing.

#include <gossip/dispatch/current_thread.hpp>

#include <chrono>
#include <thread>

namespace gossip::testing {

/// How long a test waits, if it does not say, for what must happen before it calls that a failure.
inline constexpr std::chrono::seconds patience{30};

/// Waits until `condition()` holds, giving other threads their turn. On the thread of a TestBus, runs
/// what that bus has to do meanwhile.
/// @param timeout  real time; by default generous, so that a test fails for want of an event and not
///                 for want of a fast machine
/// @return         false if the condition did not hold in time
/// @throws         what the condition throws
/// @par Blocking   until then; uses the processor
template <class Condition>
[[nodiscard]] bool wait_for(Condition&& condition, std::chrono::nanoseconds timeout = patience) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    const auto& thread = detail::current_thread;
    if (thread.worker_of != nullptr && thread.help(thread.worker_of) == detail::Help::ran) continue;
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    std::this_thread::yield();
  }
  return true;
}

}  // namespace gossip::testing
