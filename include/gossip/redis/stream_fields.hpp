// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The format stream_fields: an event as names and values. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/status.hpp>
#include <gossip/json/json_payload.hpp>
#include <gossip/redis/wire_event.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// Names and values, in order.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// A metadata value as a JSON scalar, so that 5 and "5" stay apart.
/// @throws nlohmann::json::exception  a text is not UTF-8
[[nodiscard]] inline nlohmann::json json_of_metadata(const MetadataValue& value) {
  return value.visit([](const auto& scalar) { return nlohmann::json(scalar); });
}

/// The metadata value of a JSON scalar. @return false for arrays and objects
[[nodiscard]] inline bool metadata_of_json(const nlohmann::json& json, MetadataValue& value) {
  switch (json.type()) {
    case nlohmann::json::value_t::null: value = MetadataValue{}; return true;
    case nlohmann::json::value_t::boolean: value = json.get<bool>(); return true;
    case nlohmann::json::value_t::number_integer: value = json.get<std::int64_t>(); return true;
    case nlohmann::json::value_t::number_unsigned: value = json.get<std::uint64_t>(); return true;
    case nlohmann::json::value_t::number_float: value = json.get<double>(); return true;
    case nlohmann::json::value_t::string: value = json.get<std::string>(); return true;
    default: return false;
  }
}

/// Writes an event as fields: `id`, `type`, `time`, `content-type`, `data`, and `m:<key>` for each
/// metadata entry, as a JSON scalar.
/// @return  a ValidationError if a metadata text is not UTF-8
inline Status encode_fields(const WireEvent& event, Fields& fields) {
  return gossip::detail::json_status([&]() -> Status {
    fields.clear();
    fields.reserve(5 + event.metadata.size());
    fields.emplace_back("id", event.id);
    fields.emplace_back("type", event.type);
    fields.emplace_back("time", std::to_string(event.time_ns));
    fields.emplace_back("content-type", event.content_type);
    fields.emplace_back("data", event.data);
    for (const auto& [key, value] : event.metadata) {
      fields.emplace_back("m:" + key, json_of_metadata(value).dump());
    }
    return {};
  });
}

/// Reads an event from fields. Unknown names are ignored, so that later versions may add some.
/// @return  a ValidationError that names the field which is missing or malformed
inline Status decode_fields(const Fields& fields, WireEvent& event) {
  event = {};
  bool has_type = false;
  bool has_data = false;
  for (const auto& [name, value] : fields) {
    if (name == "id") {
      event.id = value;
    } else if (name == "type") {
      event.type = value;
      has_type = !value.empty();
    } else if (name == "time") {
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), event.time_ns);
      if (parsed.ec != std::errc{} || parsed.ptr != value.data() + value.size()) {
        return ValidationError{"time", "no number of nanoseconds"};
      }
    } else if (name == "content-type") {
      event.content_type = value;
    } else if (name == "data") {
      event.data = value;
      has_data = true;
    } else if (name.size() > 2 && name.compare(0, 2, "m:") == 0) {
      nlohmann::json json;
      MetadataValue entry;
      const Status status =
          gossip::detail::read_json(value, nlohmann::json::input_format_t::json, json);
      if (!status.ok() || !metadata_of_json(json, entry)) {
        return ValidationError{name, "no JSON scalar"};
      }
      event.metadata.set(name.substr(2), std::move(entry));
    }
  }
  if (!has_type) return ValidationError{"type", "missing"};
  if (!has_data) return ValidationError{"data", "missing"};
  return {};
}

}  // namespace gossip::redis
