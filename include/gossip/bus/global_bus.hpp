// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The global bus: one EventBus for a whole program. Layer: bus.

#include <gossip/bus/event_bus.hpp>
#include <gossip/dispatch/options.hpp>

#include <atomic>
#include <concepts>
#include <cstdlib>
#include <mutex>

namespace gossip {

namespace detail {

/// The global bus and its beginning. The bus is shut down when the program exits, and never
/// destroyed: a late publish is answered with Errc::closed, not with undefined behaviour. A template,
/// as what leads to it, so that only who uses it compiles a bus that is given options.
template <class Bus>
struct GlobalBus {
  std::mutex beginning;
  std::atomic<Bus*> bus{nullptr};

  static GlobalBus& instance() {
    static GlobalBus& global = *new GlobalBus;
    return global;
  }

  /// @return true if this call made the bus
  static bool begin(const BusOptions& options) {
    GlobalBus& global = instance();
    if (global.bus.load(std::memory_order_acquire) != nullptr) return false;
    const std::lock_guard lock{global.beginning};
    if (global.bus.load(std::memory_order_relaxed) != nullptr) return false;
    global.bus.store(new Bus{options}, std::memory_order_release);
    std::atexit([] { instance().bus.load()->shutdown(); });
    return true;
  }
};

}  // namespace detail

/// Makes the global bus with these options, unless there is one: the first call wins.
/// @return             true if this call made it
/// @throws             as the constructor of EventBus; there is no global bus then
/// @pre                not called by the options' own on_worker_start
/// @par Thread safety  any thread
template <std::same_as<EventBus<>> Bus = EventBus<>>
bool init_global_bus(const BusOptions& options) {
  return detail::GlobalBus<Bus>::begin(options);
}

/// The global bus, made with default options if need be. Shut down when the program exits.
/// @throws             as the constructor of EventBus
/// @par Thread safety  any thread
template <std::same_as<EventBus<>> Bus = EventBus<>>
[[nodiscard]] Bus& global_bus() {
  detail::GlobalBus<Bus>::begin({});
  return *detail::GlobalBus<Bus>::instance().bus.load(std::memory_order_acquire);
}

}  // namespace gossip
