// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Publisher: publishes events of one type, with the look-up done beforehand. Layer: bus.

#include <gossip/bus/bus_core.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/keeper.hpp>
#include <gossip/core/status.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace gossip {

/// Publishes events of one type on one bus. Made by EventBus::publisher; copyable; it may outlive
/// the bus, and then answers Errc::closed.
///
/// Thread safety: any thread. Blocking, ordering, errors: as EventBus::publish.
template <Payload T, Provider P, Clock C>
class Publisher {
 public:
  /// Copied where it is moved: there is no empty publisher.
  /// @{
  Publisher(const Publisher&) noexcept = default;
  Publisher& operator=(const Publisher&) noexcept = default;
  ~Publisher() = default;
  /// @}

  /// As EventBus::publish(type, data).
  /// @{
  Status publish(std::type_identity_t<StoredPayload<T>>&& data, PublishOptions options = {}) {
    return core_->template publish<T>(*entry_, data, options.priority);
  }
  Status publish(const std::type_identity_t<StoredPayload<T>>& data,
                 PublishOptions options = {}) requires std::copy_constructible<StoredPayload<T>> {
    return publish(StoredPayload<T>(data), options);
  }
  Status publish() requires std::is_void_v<T> { return publish(NoData{}); }
  /// @}

  /// As EventBus::emplace.
  template <class... Args>
    requires PayloadArguments<T, Args...> Status emplace(Args&&... args) {
      return publish(make_payload<T>(std::forward<Args>(args)...));
    }

 private:
  template <Provider, Clock>
  friend class EventBus;

  Publisher(detail::KeeperOf<detail::BusCore<P, C>> core, detail::TypeEntry& entry) noexcept
      : core_{std::move(core)}, entry_{&entry} {}

  detail::KeeperOf<detail::BusCore<P, C>> core_;
  detail::TypeEntry* entry_;
};

}  // namespace gossip
