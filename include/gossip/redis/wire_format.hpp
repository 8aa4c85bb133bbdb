// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// WireFormat: the ways to write an event. Layer: redis.

#include <cstdint>

namespace gossip::redis {

/// How an event is written.
enum class WireFormat : std::uint8_t {
  stream_fields,  ///< a field for each part; no envelope to parse. The only one for streams
  gossip_json,    ///< the envelope of gossip for Go; JSON payloads only, and no event id
  cloudevents,    ///< CloudEvents 1.0 in JSON
};

}  // namespace gossip::redis
