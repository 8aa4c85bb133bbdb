// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Statistics of what goes out to Redis and what comes in. Layer: redis.

#include <cstddef>
#include <cstdint>

namespace gossip::redis {

/// What a writer has done. // events
struct WriterStatistics {
  std::uint64_t accepted = 0;   ///< taken over from publishers
  std::uint64_t published = 0;  ///< confirmed by the server
  std::uint64_t failed = 0;  ///< refused by the server, or unanswered at the end; each was reported
  std::uint64_t rejected = 0;    ///< not taken over: too many were waiting
  std::uint64_t sent_again = 0;  ///< after a connection was lost
  std::uint64_t reconnects = 0;  ///< connections after the first // times
  std::size_t waiting = 0;       ///< taken over and not yet confirmed
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
