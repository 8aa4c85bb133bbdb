// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// InMemoryProvider: events stay in the process. Layer: provider.

#include <gossip/core/clock.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/provider.hpp>
#include <gossip/core/status.hpp>

namespace gossip {

/// Puts published events straight into the bus's queue: one placement into a slot, no copy beside
/// it. The default provider.
///
/// Thread safety: any thread. It holds nothing.
class InMemoryProvider {
 public:
  /// There is nothing to choose.
  struct Options {};

  /// Needs nothing.
  explicit InMemoryProvider(Options /*options*/ = {}) noexcept {}

  /// What Provider asks for: an event is placed into the queue, the rest is nothing. Of
  /// publish: ok, Errc::queue_full, Errc::closed.
  /// @{
  template <class Inbox>
  Status open(Inbox& /*inbox*/) noexcept {
    return {};
  }
  template <class Inbox, Payload T>
  Status publish(Inbox& inbox, Outgoing<T>& event) {
    return inbox.accept(event);
  }
  template <class Inbox, Payload T>
  Status subscribe(Inbox& /*inbox*/, const EventType<T>& /*type*/) noexcept {
    return {};
  }
  template <class Inbox>
  void unsubscribe(Inbox& /*inbox*/, const EventTypeName& /*name*/) noexcept {}
  Status flush(SteadyTime /*deadline*/) noexcept { return {}; }
  void close(SteadyTime /*deadline*/) noexcept {}
  /// @}
};

}  // namespace gossip
