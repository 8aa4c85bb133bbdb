// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// wait_for: waits until something has happened, never for a time. Layer: testing.

#include <gossip/dispatch/current_thread.hpp>

#include <chrono>
#include <thread>

namespace gossip {

namespace detail {

/// True on the thread of a TestBus, outside of its processors: nobody else does what it has to do.
inline bool runs_while_waiting() noexcept {
  return current_thread.worker_of != nullptr && current_thread.worker_slot->depth == 0;
}
/// Runs something of that. @return false if there is nothing, or on another thread
inline bool run_while_waiting() {
  return runs_while_waiting() && current_thread.help(current_thread.worker_of) == Help::ran;
}

}  // namespace detail

namespace testing {

/// How long a test waits, if it does not say, for what must happen before it calls that a failure.
inline constexpr std::chrono::seconds patience{30};

/// Waits until `condition()` holds, giving other threads their turn. On the thread of a TestBus, but not
/// inside a processor, runs what that bus has to do meanwhile.
/// @param timeout  real time; by default generous, so that a test fails for want of an event and not
///                 for want of a fast machine
/// @return         false if the condition did not hold in time
/// @throws         what the condition throws
/// @par Blocking   until then; uses the processor
template <class Condition>
[[nodiscard]] bool wait_for(Condition&& condition, std::chrono::nanoseconds timeout = patience) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (detail::run_while_waiting()) continue;
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    std::this_thread::yield();
  }
  return true;
}

}  // namespace testing
}  // namespace gossip
