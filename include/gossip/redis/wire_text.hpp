// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// An event as one text, for Pub/Sub, in the format that was chosen. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/cloud_events.hpp>
#include <gossip/redis/framed_fields.hpp>
#include <gossip/redis/gossip_json.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/wire_event.hpp>

#include <string>
#include <string_view>

namespace gossip::redis {

/// Writes an event as one text.
/// @return  a ValidationError if the format cannot carry it; names the field
inline Status encode_text(const RedisOptions& options, const WireEvent& event, std::string& text) {
  switch (options.format) {
    case WireFormat::stream_fields: {
      Fields fields;
      if (Status status = encode_fields(event, fields, options.compress_above); !status.ok())
        return status;
      frame_fields(fields, text);
      return {};
    }
    case WireFormat::gossip_json: return encode_gossip_json(event, text);
    case WireFormat::cloudevents: return encode_cloud_event(event, options.source, text);
  }
  return ValidationError{"format", "unknown"};
}

/// Reads an event from a text.
/// @return  a ValidationError if it is none; names the field
inline Status decode_text(const RedisOptions& options, std::string_view text, WireEvent& event) {
  switch (options.format) {
    case WireFormat::stream_fields: {
      Fields fields;
      if (Status status = unframe_fields(text, fields); !status.ok()) return status;
      return decode_fields(fields, event, options.maximum_payload);
    }
    case WireFormat::gossip_json: return decode_gossip_json(text, event);
    case WireFormat::cloudevents: return decode_cloud_event(text, event);
  }
  return ValidationError{"format", "unknown"};
}

}  // namespace gossip::redis
