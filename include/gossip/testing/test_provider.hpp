// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TestProvider: InMemoryProvider, which also remembers how to take events out of the queue.
/// Layer: testing.

#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/provider.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/envelope.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/provider/in_memory_provider.hpp>

#include <mutex>
#include <utility>
#include <vector>

namespace gossip {

namespace detail {

/// How events are taken out of a queue without being handled: what a worker does in one go is done
/// in two steps, between which others may overtake.
///
/// Thread safety: any thread.
class EventOpeners {
 public:
  /// Moves the event out and frees its slot. @throws std::bad_alloc, what moving the payload throws
  using Open = SharedEvent (*)(EventQueue::Ring::Claim& claim, const EventSource& source);

  /// An Open. @pre the claim holds an event of payload `T`
  template <class T>
  static SharedEvent open(EventQueue::Ring::Claim& claim, const EventSource& source) {
    SharedEvent taken;
    open_envelope<T>(
        *claim, (*claim).type->name, source, claim.ticket(), [&] { claim.release(); },
        [&](const Event<T>& event) {
          taken = SharedEvent::of<T>(std::move(const_cast<Event<T>&>(event)));
        });
    return taken;
  }

  /// @throws std::bad_alloc
  template <Payload T>
  void learn(const TypeEntry& type) {
    const std::lock_guard lock{mutex_};
    if (find(type) == nullptr) known_.emplace_back(&type, &open<T>);
  }
  /// Null for a type that is not known.
  [[nodiscard]] Open of(const TypeEntry& type) const noexcept {
    const std::lock_guard lock{mutex_};
    return find(type);
  }

 private:
  [[nodiscard]] Open find(const TypeEntry& type) const noexcept {
    for (const auto& [entry, how] : known_) {
      if (entry == &type) return how;
    }
    return nullptr;
  }

  mutable std::mutex mutex_;
  std::vector<std::pair<const TypeEntry*, Open>> known_;
};

}  // namespace detail

namespace testing {

/// The provider of a TestBus: events stay in the process and go through the bus's own queue.
///
/// Thread safety: any thread.
class TestProvider : public InMemoryProvider {
 public:
  using InMemoryProvider::InMemoryProvider;

  /// @return ok, Errc::queue_full, Errc::closed
  template <class Inbox, Payload T>
  Status publish(Inbox& inbox, Outgoing<T>& event) {
    openers_.learn<T>(event.entry);
    return inbox.accept(event);
  }

  /// For the TestBus.
  [[nodiscard]] const detail::EventOpeners& openers() const noexcept { return openers_; }

 private:
  detail::EventOpeners openers_;
};

static_assert(Provider<TestProvider>);

}  // namespace testing
}  // namespace gossip
