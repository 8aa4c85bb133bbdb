// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// OrderedPublishing: how an event reaches the lanes of its type, and the other subscriptions.
/// Layer: dispatch.

#include <gossip/core/error.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/shared_event.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/lanes.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace gossip::detail {

/// An event in a publisher's hands, the type of its payload erased.
struct OfferedEvent {
  template <Payload T>
  static OfferedEvent of(StoredPayload<T>& data, EventTime time, Owner<EventExtras>& extras,
                         Priority priority) noexcept {
    return {&data, time, extras, priority, &take<T>, &give_back<T>};
  }

  void* data;  ///< a StoredPayload<T>
  EventTime time;
  Owner<EventExtras>& extras;
  Priority priority;
  SharedEvent (*take_data)(const DeliveredHeader& header, void* data);
  void (*give_data_back)(SharedEvent& event, void* data) noexcept;

 private:
  template <class T>
  static SharedEvent take(const DeliveredHeader& header, void* data) {
    return SharedEvent::make<T>(header, std::move(*static_cast<StoredPayload<T>*>(data)));
  }
  template <class T>
  static void give_back(SharedEvent& event, void* data) noexcept {
    if constexpr (std::is_nothrow_move_constructible_v<StoredPayload<T>> &&
                  std::is_nothrow_destructible_v<StoredPayload<T>>) {
      auto* place = static_cast<StoredPayload<T>*>(data);
      std::destroy_at(place);
      std::construct_at(place, std::move(EventAccess::data(static_cast<Event<T>&>(event.sole()))));
    }
  }
};

/// A lane that is to get an event.
struct Destination {
  Lane* lane;
  std::uint64_t serial;  ///< of the lane's tenant
  std::uint64_t key;
  bool reserved = false;
};

/// The lanes that are to get an event, each once, by address: publishers that wait for a place while
/// they hold others go through them in one order, so that they cannot wait for one another in a
/// circle. The first few need no allocation.
class Destinations {
 public:
  Destinations() = default;
  Destinations(const Destinations&) = delete;
  Destinations& operator=(const Destinations&) = delete;
  ~Destinations() { delete[] more_; }

  /// @throws std::bad_alloc
  void add(const Destination& destination) {
    if (size_ == capacity_) grow();
    Destination* at = all_ + size_++;
    const auto address = reinterpret_cast<std::uintptr_t>(destination.lane);
    for (; at != all_ && address < reinterpret_cast<std::uintptr_t>(at[-1].lane); --at) {
      *at = at[-1];
    }
    *at = destination;
  }
  [[nodiscard]] Destination* begin() noexcept { return all_; }
  [[nodiscard]] Destination* end() noexcept { return all_ + size_; }

 private:
  static constexpr std::size_t few = 8;

  void grow() {
    auto* more = new Destination[2 * capacity_];
    for (std::size_t i = 0; i < size_; ++i) more[i] = all_[i];
    delete[] more_;
    all_ = more_ = more;
    capacity_ *= 2;
  }

  Destination inline_[few];
  Destination* more_ = nullptr;
  Destination* all_ = inline_;
  std::size_t size_ = 0;
  std::size_t capacity_ = few;
};

/// Publishes events of types of which some subscription has a lane: asks for the keys, makes one
/// shared event, reserves a place in every lane that may refuse, puts the event into the queue if
/// there are subscriptions without a lane, and only then into the lanes. If one refuses, nobody gets
/// it, and the publisher has its payload back.
///
/// Thread safety: any thread.
class OrderedPublishing {
 public:
  /// @param dispatcher  of the bus; the rest belongs to it
  OrderedPublishing(const void* dispatcher, BusSlots& slots, Registry& registry, Lanes& lanes,
                    EventQueue& queue, const EventSource& source) noexcept
      : dispatcher_{dispatcher},
        slots_{slots},
        registry_{registry},
        lanes_{lanes},
        queue_{queue},
        source_{source} {}

  /// publish() of an event whose parts the caller holds. Out of line, so that types without lanes
  /// save no registers for it; through the host, so that programs without lanes do not compile it.
  template <Payload T>
  [[gnu::noinline]] bool offer(TypeEntry& type, StoredPayload<T>& data, EventTime time,
                               Owner<EventExtras>& extras, Priority priority,
                               Status& status) noexcept {
    return (this->*lanes_.host().publish)(type, OfferedEvent::of<T>(data, time, extras, priority),
                                          status);
  }
  /// @param status  set to what came of it
  /// @return        false if no subscription has a lane any more: nothing has happened
  bool publish(TypeEntry& type, const OfferedEvent& offered, Status& status) noexcept {
    const Lanes::Intent intent{lanes_};
    Destinations to;
    SharedEvent event;
    bool to_others = false;
    try {
      if (!look_up(type, offered, event, to, to_others)) return false;
      status = place(type, offered.priority, event, to, to_others);
    } catch (...) {
      status = status_of_current_exception();
    }
    if (!status.ok() && event) give_back(offered, event);
    return true;
  }

 private:
  /// Finds the lanes, and asks for the event's keys.
  /// @throws std::bad_alloc, and what moving the payload and the key functions throw
  bool look_up(TypeEntry& type, const OfferedEvent& offered, SharedEvent& event, Destinations& to,
               bool& to_others) {
    Delivery walk{slots_.mine(dispatcher_), registry_, type};
    bool to_lanes = false;
    walk.for_each([&](const SubscriptionRecord& record, std::uint64_t) {
      (record.lane != nullptr ? to_lanes : to_others) = true;
    });
    if (!to_lanes) return false;
    // A worker keeps it.
    if (type.retained.load(std::memory_order_acquire) != nullptr) to_others = true;
    event = take(type, offered);
    walk.for_each([&](const SubscriptionRecord& record, std::uint64_t serial) {
      if (record.lane != nullptr) to.add({record.lane, serial, key_of(*record.lane, type, *event)});
    });
    return true;
  }

  SharedEvent take(const TypeEntry& type, const OfferedEvent& offered) const {
    SharedEvent event =
        offered.take_data(DeliveredHeader{type.name, offered.time, &source_}, offered.data);
    EventHeader& header = EventAccess::header(event.sole());
    header.set_priority(offered.priority);
    if (offered.extras) {
      header.own_id = std::move(offered.extras->own_id);
      header.metadata = std::move(offered.extras->metadata);
      header.receipt = std::move(offered.extras->receipt);
    }
    return event;
  }
  /// @pre nobody else holds the event
  static void give_back(const OfferedEvent& offered, SharedEvent& event) noexcept {
    EventHeader& header = EventAccess::header(event.sole());
    if (offered.extras) {
      offered.extras->own_id = std::move(header.own_id);
      offered.extras->metadata = std::move(header.metadata);
      offered.extras->receipt = std::move(header.receipt);
    }
    offered.give_data_back(event, offered.data);
  }

  static std::uint64_t key_of(const Lane& lane, const TypeEntry& type, const EventBase& event) {
    switch (lane.ordering().kind()) {
      case Ordering::Kind::per_publisher: return reinterpret_cast<std::uintptr_t>(&current_thread);
      case Ordering::Kind::by_key:
        return lane.ordering().key_of({event, *type.payload, type.operations->share});
      case Ordering::Kind::unordered: break;
    }
    return 0;
  }

  /// @throws nothing: the queue's payload travels inline
  Status place(TypeEntry& type, Priority priority, const SharedEvent& event, Destinations& to,
               bool to_others) noexcept {
    TypeEntry::ForLanes& more = *type.for_lanes.load(std::memory_order_acquire);
    Status status = reserve(type, to);
    if (status.ok() && to_others) {
      SharedDelivery delivery{event, &type};
      Owner<EventExtras> no_extras;
      status = queue_.accept<SharedDelivery>(more.envelopes, delivery, {}, no_extras, priority,
                                             dispatcher_);
    } else if (status.ok()) {
      more.lanes_only.fetch_add(1, std::memory_order_release);
    }
    for (Destination& destination : to) {
      if (status.ok()) {
        destination.lane->place(destination.serial, destination.key, event, type);
      } else if (destination.reserved) {
        destination.lane->give_back(destination.serial);
      }
    }
    return status;
  }

  Status reserve(TypeEntry& type, Destinations& to) noexcept {
    if (queue_.closed_to_this_thread(dispatcher_)) {
      queue_.count_refused();
      return Errc::closed;
    }
    for (Destination& destination : to) {
      Status status = reserve(type, destination);
      if (!status.ok()) return status;
    }
    return {};
  }

  Status reserve(TypeEntry& type, Destination& destination) noexcept {
    Lane& lane = *destination.lane;
    for (;;) {
      switch (lane.reserve(destination.serial)) {
        case LaneReservation::granted: destination.reserved = true; return {};
        case LaneReservation::not_needed:
        case LaneReservation::gone: return {};  // place() finds that, too
        case LaneReservation::full: break;
      }
      if (queue_.closed_to_this_thread(dispatcher_)) {
        queue_.count_refused();
        return Errc::closed;
      }
      if (!lane.blocks(destination.serial) || !wait_for_place(destination)) {
        lane.count_rejected(destination.serial);
        queue_.count_rejected(type);
        return Errc::queue_full;
      }
    }
  }

  /// @return false if this thread must not wait: a provider's thread, or a worker that is nested too
  ///         deep or finds nothing to run: what it would wait for may be waiting for it
  bool wait_for_place(const Destination& destination) noexcept {
    if (current_thread.never_waits) return false;
    if (current_thread.worker_of != nullptr) {
      switch (current_thread.help(current_thread.worker_of)) {
        case Help::ran: return true;
        case Help::too_deep: return false;
        case Help::no_event: return destination.lane->places().look();
      }
    }
    destination.lane->places().wait(
        [&] { return !destination.lane->serves(destination.serial) || queue_.closed(); });
    return true;
  }

  const void* const dispatcher_;
  BusSlots& slots_;
  Registry& registry_;
  Lanes& lanes_;
  EventQueue& queue_;
  const EventSource& source_;
};

}  // namespace gossip::detail
