// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// NativePlatform: the primitives that the waiting protocols are built from. The protocols are
/// templates over it, so that the tests can run them, unchanged, through every schedule of a
/// modelled machine. Layer: queue.

#include <gossip/core/chrono.hpp>
#include <gossip/core/condition_variable.hpp>
#include <gossip/queue/asymmetric_fence.hpp>
#include <gossip/queue/back_off.hpp>

#include <atomic>
#include <mutex>

namespace gossip::detail {

struct NativePlatform {
  template <class T>
  using Atomic = std::atomic<T>;
  using Mutex = std::mutex;
  using ConditionVariable = detail::ConditionVariable;

  static void light_fence() noexcept { detail::light_fence(); }
  static void heavy_fence() noexcept { detail::heavy_fence(); }
  static SteadyTime now() noexcept { return std::chrono::steady_clock::now(); }
  template <class Ready>
  static bool take_turns_until(Ready&& ready, unsigned looks) noexcept {
    return detail::take_turns_until(ready, looks);
  }
};

}  // namespace gossip::detail
