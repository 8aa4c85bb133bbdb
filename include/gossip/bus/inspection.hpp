// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Inspection: what a bus tells of itself. Layer: bus.

#include <gossip/core/payload.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/dispatch/topology.hpp>
#include <gossip/dispatch/wiring.hpp>

namespace gossip {

/// The part of an EventBus that tells what it has done and how it is wired.
///
/// Thread safety: all members from any thread at once.
/// @tparam Bus  the EventBus, of which this is a base
template <class Bus>
class Inspection {
 public:
  /// What the bus has done so far.
  /// @throws std::bad_alloc
  /// @par Blocking    a mutex, while what it holds is read
  /// @par Complexity  linear in the numbers of types, subscriptions and threads that used the bus
  [[nodiscard]] Statistics stats() const { return core().dispatcher().statistics(); }

  /// How the bus is wired: its types and subscriptions, what their processors are composed of, where
  /// they subscribed. See to_mermaid, to_dot and to_json of gossip/observe.hpp.
  ///
  /// Example: examples/monitor/main.cpp.
  ///
  /// @throws std::bad_alloc
  /// @par Blocking    a mutex, while what it holds is read
  /// @par Complexity  the number of subscriptions times that of types
  [[nodiscard]] Topology topology() const {
    auto& dispatcher = core().dispatcher();
    Topology topology = detail::wiring_of(dispatcher.types(), dispatcher.registry());
    topology.provider = detail::type_name<typename Bus::provider_type>();
    topology.workers = worker_count(dispatcher.options());
    topology.capacity = dispatcher.capacity();
    topology.overflow = dispatcher.options().overflow;
    return topology;
  }

  /// What the provider has done so far; for providers that count, as RedisProvider does.
  /// @throws what the provider throws
  template <class B = Bus>  // which is complete by then
    requires requires(const typename B::provider_type& provider) { provider.statistics(); }
  [[nodiscard]] auto provider_statistics() const { return core().provider().statistics(); }

 protected:
  Inspection() = default;
  ~Inspection() = default;

 private:
  [[nodiscard]] auto& core() const noexcept { return *static_cast<const Bus&>(*this).core_; }
};

}  // namespace gossip
