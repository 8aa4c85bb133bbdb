// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The format stream_fields: an event as names and values. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/status.hpp>
#include <gossip/json/json_payload.hpp>
#include <gossip/redis/compression.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/wire_event.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// Names and values, in order.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// Success, or that the entry is larger than ReplyLimits allow, so that its fields are not all there.
[[nodiscard]] inline Status check_size(const Reply& entry) {
  if (entry.items.size() != 2 || !entry.items[1].truncated) return {};
  return ValidationError{"entry", entry.items[0].text + " is too large for maximum_payload"};
}

/// The fields of an entry of a stream, moved out of the reply. Empty if the entry was trimmed, or is too
/// large.
[[nodiscard]] inline Fields take_fields(Reply& entry) {
  Fields fields;
  if (entry.items.size() != 2 || entry.items[1].truncated) return fields;
  std::vector<Reply>& items = entry.items[1].items;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    fields.emplace_back(std::move(items[i].text), std::move(items[i + 1].text));
  }
  return fields;
}

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

/// Writes an event as fields: `id`, `type`, `time`, `content-type`, `data`, `content-encoding` if the
/// data is deflated, and `m:<key>` for each metadata entry, as a JSON scalar.
/// @param compress_above  data of at least so many bytes is deflated if that makes it smaller; 0: none
/// @return                a ValidationError if a metadata text is not UTF-8, or there are too many
inline Status encode_fields(const WireEvent& event, Fields& fields,
                            std::size_t compress_above = 0) {
  if (event.metadata.size() > max_metadata) return ValidationError{"metadata", "too many entries"};
  return gossip::detail::json_status([&]() -> Status {
    fields.clear();
    fields.reserve(6 + event.metadata.size());
    fields.emplace_back("id", event.id);
    fields.emplace_back("type", event.type);
    fields.emplace_back("time", std::to_string(event.time_ns));
    fields.emplace_back("content-type", event.content_type);
    std::string deflated;
    if (compress_above != 0 && event.data.size() >= compress_above &&
        deflate_bytes(event.data, deflated)) {
      fields.emplace_back("content-encoding", deflate_coding);
      fields.emplace_back("data", std::move(deflated));
    } else {
      fields.emplace_back("data", event.data);
    }
    for (const auto& [key, value] : event.metadata) {
      fields.emplace_back("m:" + key, json_of_metadata(value).dump());
    }
    return {};
  });
}

/// Reads an event from fields. Unknown names are ignored, so that later versions may add some.
/// @param most  of data that was deflated; RedisOptions::maximum_payload // bytes
/// @return      a ValidationError that names the field which is missing or malformed
inline Status decode_fields(const Fields& fields, WireEvent& event,
                            std::size_t most = std::size_t{1} << 20U) {
  event = {};
  std::string_view coding;
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
    } else if (name == "content-encoding") {
      coding = value;
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
      if (event.metadata.size() == max_metadata) {
        return ValidationError{"metadata", "too many entries"};
      }
      event.metadata.set(name.substr(2), std::move(entry));
    }
  }
  if (!has_type) return ValidationError{"type", "missing"};
  if (!has_data) return ValidationError{"data", "missing"};
  if (coding.empty()) return {};
  if (coding != deflate_coding) return ValidationError{"content-encoding", "unknown"};
  const std::string deflated = std::move(event.data);
  return inflate_bytes(deflated, most, event.data);
}

}  // namespace gossip::redis
