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
/// there is no room, Errc::closed if the bus ends, and any other failure if the payload cannot be
/// decoded. The receipt is taken over on success alone.
using Inbound = std::function<Status(WireEvent& event, Receipt& receipt)>;

/// An event type that is read.
struct Subscribed {
  std::string type;  ///< the event type's name
  std::string key;   ///< of its stream, or its channel: the prefix and the name
  Inbound inbound;   ///< where its events go
};

/// What a reader has done. // events
struct ReaderStatistics {
  std::uint64_t received = 0;      ///< put into the bus's queue
  std::uint64_t duplicates = 0;    ///< recognised and dropped
  std::uint64_t acknowledged = 0;  ///< told to the server as done
  std::uint64_t not_handled = 0;  ///< a processor failed, or the bus dropped it; left to be claimed
  std::uint64_t claimed = 0;      ///< taken over from a consumer that was silent
  std::uint64_t dead_lettered = 0;  ///< undecodable, or delivered too often
  std::uint64_t trimmed = 0;        ///< gone from the stream before they were read
  std::uint64_t dropped = 0;        ///< no room in the bus's queue (Pub/Sub); gaps tell of them
  std::uint64_t gaps = 0;           ///< reports that events may have been missed // times
  std::size_t in_flight = 0;        ///< in the bus, not settled
};

}  // namespace gossip::redis
