// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The global bus: one EventBus for a whole program. Layer: bus.

#include <gossip/bus/event_bus.hpp>
#include <gossip/dispatch/options.hpp>

#include <cstdlib>
#include <mutex>

namespace gossip {

namespace detail {

/// The global bus and its beginning. The bus is shut down when the program exits, and never
/// destroyed: a late publish is answered with Errc::closed, not with undefined behaviour.
struct GlobalBus {
  std::once_flag begun;
  EventBus<>* bus = nullptr;

  static GlobalBus& instance() {
    static GlobalBus& global = *new GlobalBus;
    return global;
  }

  /// @return true if this call made the bus
  static bool begin(const BusOptions& options) {
    GlobalBus& global = instance();
    bool made = false;
    std::call_once(global.begun, [&] {
      global.bus = new EventBus<>{options};
      made = true;
      std::atexit([] { instance().bus->shutdown(); });
    });
    return made;
  }
};

}  // namespace detail

/// Makes the global bus with these options, unless there is one: the first call wins.
/// @return             true if this call made it
/// @throws             as the constructor of EventBus; there is no global bus then
/// @par Thread safety  any thread
inline bool init_global_bus(const BusOptions& options) { return detail::GlobalBus::begin(options); }

/// The global bus, made with default options if need be. Shut down when the program exits.
/// @throws             as the constructor of EventBus
/// @par Thread safety  any thread
[[nodiscard]] inline EventBus<>& global_bus() {
  detail::GlobalBus::begin({});
  return *detail::GlobalBus::instance().bus;
}

}  // namespace gossip
