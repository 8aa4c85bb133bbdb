// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Subscription: the handle that keeps a processor registered. Layer: core.

#include <gossip/core/keeper.hpp>
#include <gossip/core/subscription_id.hpp>

#include <utility>

namespace gossip {

/// Keeps a processor registered; its destructor unsubscribes. Move-only. It may outlive the bus.
/// A local handle is destroyed before the bus it was made from, so before that bus drains: call
/// EventBus::drain() before they go out of scope if what was published shall still be handled.
///
/// The destructor waits, like cancel(), until the processor is not running.
///
/// Thread safety: distinct handles from any threads; one handle from one thread at a time.
class [[nodiscard]] Subscription {
 public:
  /// Empty: keeps nothing.
  Subscription() noexcept = default;
  /// Takes over; `other` then is empty.
  Subscription(Subscription&& other) noexcept
      : registry_{std::move(other.registry_)}, cancel_{other.cancel_}, id_{other.id_} {
    other.id_ = {};
  }
  /// Cancels what the target held, then takes over.
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      cancel();
      registry_ = std::move(other.registry_);
      cancel_ = other.cancel_;
      id_ = other.id_;
      other.id_ = {};
    }
    return *this;
  }
  ~Subscription() { cancel(); }

  /// The subscription's id; stays the same after cancel().
  [[nodiscard]] SubscriptionId id() const& noexcept { return id_; }
  /// A temporary handle ends its subscription at once: keep it, or let go of it with detach().
  SubscriptionId id() const&& = delete;  // the subscription would end here: keep it, or detach()

  /// True while the handle is responsible for a subscription: not after cancel(), detach() or being
  /// moved from. Whether that subscription still exists the handle does not know: it may have ended
  /// by its id, by itself (SubscribeOptions::Lifetime::once) or with its bus.
  [[nodiscard]] explicit operator bool() const& noexcept { return static_cast<bool>(registry_); }
  explicit operator bool() const&& = delete;  // the subscription would end here: keep it

  /// Ends the subscription. Events that were published and not begun do not reach it: call
  /// EventBus::drain() first if they shall. When it returns, the processor is not running and never will, and what
  /// it captured is destroyed. Called from inside that same processor it returns at once, and the
  /// rest holds once the processor returns.
  /// @throws            nothing
  /// @par Blocking      until running calls of this processor end; never for any other processor. Two
  ///                    processors may cancel each other: the later one returns at once, as above.
  ///                    A processor that itself waits is waited for: one that a publish_sync runs
  ///                    and that waits for space in the queue must not be cancelled by the last
  ///                    worker that could make space
  /// @par Thread safety any thread
  void cancel() noexcept {
    if (const detail::Keeper registry = std::move(registry_)) cancel_(*registry, id_);
  }

  /// Lets go: the processor stays registered until it is unsubscribed by id or the bus ends.
  /// @return the subscription's id
  SubscriptionId detach() noexcept {
    registry_ = nullptr;
    return id_;
  }

  /// For use by gossip: a handle that calls `canceller(*registry, id)`.
  Subscription(detail::Keeper registry, void (*canceller)(detail::Kept&, SubscriptionId) noexcept,
               SubscriptionId id) noexcept
      : registry_{std::move(registry)}, cancel_{canceller}, id_{id} {}

 private:
  detail::Keeper registry_;
  void (*cancel_)(detail::Kept&, SubscriptionId) noexcept = nullptr;
  SubscriptionId id_;
};

}  // namespace gossip
