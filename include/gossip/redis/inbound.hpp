// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Inbound: how events that were read from Redis get into the bus. Layer: redis.

#include <gossip/core/receipt.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/wire_event.hpp>

#include <functional>
#include <string>

namespace gossip::redis {

/// Decodes an event's payload and puts the event into the bus's queue. Answers Errc::queue_full if
/// there is no room, Errc::closed if the bus ends, a retryable error if memory ran out, and any other
/// failure if the payload cannot be decoded. The receipt is taken over on success alone.
using Inbound = std::function<Status(WireEvent& event, Receipt& receipt)>;

/// An event type that is read.
struct Subscribed {
  std::string type;  ///< the event type's name
  std::string key;   ///< of its stream, or its channel: the prefix and the name
  Inbound inbound;   ///< where its events go
};

}  // namespace gossip::redis
