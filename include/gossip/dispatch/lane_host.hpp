// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// LaneHost: what the lanes of a bus share. Layer: dispatch.

#include <gossip/core/owner.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/event_queue.hpp>
#include <gossip/dispatch/lane_queue.hpp>
#include <gossip/dispatch/ordering.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/queue/wait_gate.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gossip::detail {

class Lane;
class OrderedPublishing;
struct OfferedEvent;

/// What lanes need of their bus. They outlive the queue, since that holds their runners to its end.
struct LaneHost {
  EventQueue* queue = nullptr;  ///< where runners wait for a worker
  WaitGate<>* idle = nullptr;   ///< told when publishers or dropped events are no longer pending
  /// What a worker does with a LaneRunner: calls begin(), and next() after each call that it makes.
  void (*run)(Task& runner, ThreadSlot& slot) noexcept = nullptr;
  void* maker = nullptr;  ///< of the calls; for `run`
  /// Of the envelopes that bring shared events to the subscriptions without a lane.
  const PayloadOperations* envelope_operations = nullptr;
  /// Events that lanes have accepted and that are not done with, added up here. // events
  std::atomic<std::size_t>* pending = nullptr;
  /// Events that sweep() found in them, and that came later, added up here. // events
  std::atomic<std::uint64_t>* abandoned = nullptr;
  /// Told that a lane may have another tenant.
  void (*vacant)(void* owner, Lane& lane) noexcept = nullptr;
  void* owner = nullptr;
  /// What a publisher of a type with lanes does. This, `run` and `envelope_operations` are there once
  /// somebody has asked for a lane, see Lanes::prepare().
  bool (OrderedPublishing::*publish)(TypeEntry& type, const OfferedEvent& offered,
                                     Status& status) noexcept = nullptr;
};

/// Takes the part of one worker in a lane. Posted when there is something to do, idle otherwise.
struct LaneRunner : Task {
  /// Becomes the first of those that are idle.
  void rest(LaneRunner*& first_idle) noexcept {
    next_idle = first_idle;
    first_idle = this;
  }

  Lane* lane = nullptr;
  LaneRunner* next_idle = nullptr;
};

/// Where a lane stands among those of its bus.
struct LaneLinks {
  Lane* made_before = nullptr;  ///< does not change once the lane can be found
  Lane* next_vacant = nullptr;  ///< of those without a tenant; under the lock of Lanes
};

/// A tenant's wishes, and what was allocated for it.
struct LaneTerms {
  Ordering ordering;
  LaneOverflow overflow = LaneOverflow::block;
  std::size_t runners = 1;  ///< how many may be at work at once, not 0
  Owner<LaneQueue> queue;
};

/// A lane for a new tenant. Both are null for a subscription that needs none.
struct LaneLease {
  Lane* lane = nullptr;
  LaneTerms* terms = nullptr;  ///< taken over by the tenant
};

/// What came of an event that a lane gave out.
enum class LaneOutcome : std::uint8_t {
  handled,   ///< the processor was called for the last time
  deferred,  ///< it is to be called again: the key waits for that
  gone,      ///< the subscription has ended
};

/// What came of a request for a place.
enum class LaneReservation : std::uint8_t {
  granted,     ///< a place is kept until Lane::place() or Lane::give_back()
  not_needed,  ///< this lane never refuses
  full,        ///< there is none
  gone,        ///< the subscription has ended
};

}  // namespace gossip::detail
