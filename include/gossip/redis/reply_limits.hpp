// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ReplyLimits: how large what Redis answers may be. Layer: redis.

#include <gossip/redis/options.hpp>

#include <algorithm>
#include <cstddef>

namespace gossip::redis {

/// What a reply may take, in memory. A stream's entry that is larger is passed over: it arrives truncated.
/// Whatever else is larger is refused, and its connection with it.
///
/// So no publisher can make a reply need more than `whole`, which is as much as all entries of a read need
/// if each is as large as one may be: 3 GiB with the default options. Who has less memory than that, and
/// does not trust the publishers, lowers RedisOptions::maximum_payload, max_in_flight and read_count.
struct ReplyLimits {
  /// Beside the payload: an entry's metadata, its other fields, what their parts take in memory. // bytes
  static constexpr std::size_t beside = std::size_t{1} << 20U;
  /// Of the outermost array. // elements
  static constexpr std::size_t elements = std::size_t{1} << 20U;

  std::size_t whole = 0;  ///< a reply // bytes
  std::size_t entry = 0;  ///< the fields of an entry in it, or a single text // bytes

  /// Those that follow from the options. Streams: nobody asks for more entries at once than may be in
  /// flight, of all streams together, or than one read has; but for one of each stream, where more streams
  /// than that are read. Pub/Sub: a message, which is not an array.
  [[nodiscard]] static ReplyLimits of(const RedisOptions& options) noexcept {
    const std::size_t payload =
        options.maximum_payload * 2;  // encoded; what the receiver may refuse
    if (options.delivery == Delivery::pub_sub) {
      const std::size_t message = payload * options.read_count + beside;
      return {message, message};
    }
    const std::size_t entries = std::max(options.max_in_flight, options.read_count);
    return {(payload + beside) * (entries + 1), payload + beside};
  }
};

/// How large a command that publishes an event may be, so that its entry is no larger than readers with
/// the same options take: half of what stands beside the payload is left for how it is kept. // bytes
[[nodiscard]] inline std::size_t largest_command(const RedisOptions& options) noexcept {
  return ReplyLimits::of(options).entry - ReplyLimits::beside / 2;
}

}  // namespace gossip::redis
