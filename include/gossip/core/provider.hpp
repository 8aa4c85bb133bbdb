// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Provider: how events travel from publishers to a bus's queue. Layer: core.

#include <gossip/core/clock.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/priority.hpp>
#include <gossip/core/status.hpp>

#include <concepts>

namespace gossip {

namespace detail {
struct TypeEntry;
}

/// An event on its way from a publisher into a provider. Refers to what the publisher holds; a
/// provider moves out of it on success and leaves it untouched on failure.
template <Payload T>
struct Outgoing {
  const EventTypeName& type;                   ///< the event's type
  detail::TypeEntry& entry;                    ///< the same on this bus, looked up
  StoredPayload<T>& data;                      ///< the payload
  detail::EventTime time;                      ///< when it was published
  detail::Owner<detail::EventExtras>& extras;  ///< id, metadata, receipt; null for most
  Priority priority = Priority::normal;        ///< how urgent it is
};

namespace detail {

/// What a provider may ask of a bus, for the concept alone.
struct InboxArchetype {
  template <Payload T>
  Status accept(Outgoing<T>& event);
  bool has_subscriptions(const EventTypeName& type) const noexcept;
  bool closed_to_this_thread() noexcept;
  template <Payload T>
  detail::TypeEntry& entry_of(const EventTypeName& type);
  Timestamp timestamp_of(detail::EventTime time) const noexcept;
};

}  // namespace detail

/// A way for events to travel. `P::Options` configures it; the bus calls the members, all but
/// open() and close() from any thread, with an inbox through which events enter the bus's queue:
/// `inbox.accept(outgoing)` as the overflow policy says, `inbox.has_subscriptions(type)`,
/// `inbox.entry_of<T>(type)` for an Outgoing of its own making, `inbox.timestamp_of(time)`,
/// `inbox.closed_to_this_thread()`: true, and counted, if the bus shuts down and publish() is to answer
/// Errc::closed.
///
/// Semantic requirements, for a provider `p`:
/// 1. `p.open(inbox)` is called once, before everything else; the inbox outlives the provider.
///    A failure is thrown by the bus's constructor.
/// 2. `p.publish(inbox, event)` takes the event over or fails; what it has taken over it delivers or
///    reports. It never calls a processor.
/// 3. `p.subscribe(inbox, type)` is called after each subscription to a type has been registered and
///    before the bus's subscribe() returns, so that what `p` reads at once finds its processor; and,
///    where a pattern matches, for the types met so far likewise, and for later ones before their
///    first event is published here. A failure is thrown by subscribe(), which has cancelled the
///    subscription by then, or is what came of the publish. Being called again for the same type is
///    harmless.
/// 4. `p.unsubscribe(inbox, name)` is called after a type has lost its last subscription, at times
///    more than once. Another thread may be subscribing anew, so `p` asks
///    inbox.has_subscriptions(name) for the truth, under the lock under which its subscribe() notes
///    that the type is read: then either it is answered "yes", or subscribe() comes later.
/// 5. `p.flush(deadline)` waits until what was published is known to have arrived.
/// 6. `p.close(deadline)` is called at most once, when the bus's workers have ended; after it returns,
///    `p` delivers nothing more and holds no thread. The destructor does what is left.
// clang-format off
template <class P>
concept Provider =
    std::destructible<P> && requires { typename P::Options; } &&
    std::constructible_from<P, typename P::Options> &&
    requires(P& provider, detail::InboxArchetype& inbox, Outgoing<int>& event,
             const EventType<int>& type, const EventTypeName& name, SteadyTime deadline) {
      { provider.open(inbox) } -> std::same_as<Status>;
      { provider.publish(inbox, event) } -> std::same_as<Status>;
      { provider.subscribe(inbox, type) } -> std::same_as<Status>;
      { provider.unsubscribe(inbox, name) } noexcept -> std::same_as<void>;
      { provider.flush(deadline) } -> std::same_as<Status>;
      { provider.close(deadline) } noexcept -> std::same_as<void>;
    };
// clang-format on

}  // namespace gossip
