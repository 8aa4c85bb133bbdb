// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// WireEvent: an event between the bus and the wire: its payload is bytes. Layer: redis.

#include <gossip/core/metadata.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace gossip::redis {

/// The most metadata that an event takes along, since looking for a key is linear. // entries
inline constexpr std::size_t max_metadata = 1024;

/// An event whose payload has been encoded.
struct WireEvent {
  std::string id;            ///< the event's identity, opaque; empty if the format carries none
  std::string type;          ///< the event type's name
  std::int64_t time_ns = 0;  ///< when it was published // nanoseconds since the Unix epoch
  std::string content_type;  ///< of `data`, such as "application/json"
  std::string data;          ///< what the codec made of the payload
  Metadata metadata;         ///< named values

  [[nodiscard]] friend bool operator==(const WireEvent&, const WireEvent&) = default;
};

}  // namespace gossip::redis
