// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The format cloudevents: CloudEvents 1.0 in JSON, structured mode. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/base64.hpp>
#include <gossip/redis/json_reader.hpp>
#include <gossip/redis/json_text.hpp>
#include <gossip/redis/rfc3339.hpp>
#include <gossip/redis/wire_event.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// A media type without parameters, in lower case: "application/json; charset=utf-8" is
/// "application/json".
[[nodiscard]] inline std::string bare_media_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  std::string bare{type};
  for (char& c : bare) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return bare;
}

/// True for "application/json", "text/json" and whatever ends in "+json".
[[nodiscard]] inline bool is_json_media_type(std::string_view type) {
  const std::string bare = bare_media_type(type);
  const auto ends_with = [&](std::string_view end) {
    return bare.size() > end.size() && bare.compare(bare.size() - end.size(), end.size(), end) == 0;
  };
  return ends_with("/json") || ends_with("+json");
}

/// Appends a metadata value as an extension attribute. The type system of CloudEvents has truth values,
/// 32-bit integers and texts: other numbers become texts.
/// @return false if it is a text that is not UTF-8, or a number that JSON does not have
[[nodiscard]] inline bool append_attribute(const MetadataValue& value, std::string& json) {
  const auto* integer = value.get_if<std::int64_t>();
  const bool small = integer != nullptr && *integer >= INT32_MIN && *integer <= INT32_MAX;
  const bool number = integer || value.get_if<std::uint64_t>() || value.get_if<double>();
  const bool quoted = number && !small;
  if (quoted) json += '"';
  if (!append_json_value(value, json)) return false;
  if (quoted) json += '"';
  return true;
}

/// Appends an event as one JSON object: `specversion`, `id`, `source`, `type`, `time`,
/// `datacontenttype`, metadata as extension attributes, then `data` if the payload is JSON, else
/// `data_base64`. Metadata that is null is left out: for CloudEvents it is not there.
/// @return  a ValidationError that names what cannot be written: an empty id, source or type; a
///          metadata key that is not of lower-case letters and digits, or that is an attribute's own; a
///          payload that calls itself JSON and is none; text that is not UTF-8
/// @throws  std::bad_alloc
/// @par Thread safety any thread
/// @par Complexity linear
inline Status encode_cloud_event(const WireEvent& event, std::string_view source,
                                 std::string& text) {
  struct Attribute {
    const char* name;
    std::string_view value;
  };
  // NOLINTNEXTLINE(modernize-raw-string-literal)
  text += "{\"specversion\":\"1.0\"";
  const auto append = [&](const Attribute& attribute) {
    text += ",\"";
    text += attribute.name;
    text += "\":";
    return !attribute.value.empty() && append_json_text(attribute.value, text);
  };
  std::string time;
  append_time(event.time_ns, time);
  for (const Attribute& attribute :
       {Attribute{"id", event.id}, Attribute{"source", source}, Attribute{"type", event.type},
        Attribute{"time", time}, Attribute{"datacontenttype", event.content_type}}) {
    if (!append(attribute)) return ValidationError{attribute.name, "empty, or not UTF-8"};
  }
  if (event.metadata.size() > max_metadata) return ValidationError{"metadata", "too many entries"};
  for (const auto& [key, value] : event.metadata) {
    if (key.empty() ||
        key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != std::string::npos) {
      return ValidationError{key,
                             "CloudEvents' attributes have lower-case letters and digits alone"};
    }
    for (const std::string_view own :
         {"specversion", "id", "source", "type", "time", "datacontenttype", "data"}) {
      if (key == own) return ValidationError{key, "an attribute of CloudEvents' own"};
    }
    if (value.is_null()) continue;
    text += ",\"";
    text += key;
    text += "\":";
    if (!append_attribute(value, text)) {
      return ValidationError{key, "not UTF-8, infinite, or not a number"};
    }
  }
  if (is_json_media_type(event.content_type)) {
    text += ",\"data\":";
    JsonReader data{event.data};
    if (!data.rewrite_value(text) || !data.at_end()) return ValidationError{"data", "no JSON"};
  } else {
    // NOLINTNEXTLINE(modernize-raw-string-literal)
    text += ",\"data_base64\":\"";
    append_base64(event.data, text);
    text += '"';
  }
  text += '}';
  return {};
}

/// Reads such an object. `specversion` (1.0), `id`, `source` and `type` must be there and not empty; a
/// missing `time` is 1970, a missing `datacontenttype` is JSON, missing data is null (JSON) or no bytes.
/// `source` is not kept; other attributes become metadata, arrays and objects as their text. A `data`
/// that is a string and not JSON by its type stands for the string's bytes.
/// @return  a ValidationError that names the attribute which is missing or malformed
/// @throws  std::bad_alloc
/// @par Thread safety any thread
/// @par Complexity linear; memory bounded by a multiple of the text's, stack by JsonReader::max_depth
inline Status decode_cloud_event(std::string_view text, WireEvent& event) {
  event = {};
  std::string version;
  std::string source;
  std::string scratch;
  std::string_view data;
  bool has_bytes = false;
  std::string wrong{"envelope"};
  JsonReader reader{text};
  const auto read_extension = [&](const std::string& key) {
    MetadataValue value;
    if (!reader.read_metadata(value) || event.metadata.size() == max_metadata) return false;
    if (!value.is_null()) event.metadata.set(key, std::move(value));
    return true;
  };
  const auto read_attribute = [&](const std::string& key) {
    if (key == "specversion") return reader.read_text(version);
    if (key == "id") return reader.read_text(event.id);
    if (key == "source") return reader.read_text(source);
    if (key == "type") return reader.read_text(event.type);
    if (key == "time") return reader.read_text(scratch) && read_time(scratch, event.time_ns);
    if (key == "datacontenttype") return reader.read_text(event.content_type);
    if (key == "data") return reader.read_value(data);
    if (key != "data_base64") return read_extension(key);
    return has_bytes = reader.read_text(scratch) && read_base64(scratch, event.data);
  };
  const auto read_member = [&](const std::string& key) {
    const bool good = read_attribute(key);
    if (!good) wrong = key.substr(0, 64);
    return good;
  };
  if (!reader.read_object(read_member) || !reader.at_end()) {
    return ValidationError{std::move(wrong), "malformed"};
  }
  if (version != "1.0") return ValidationError{"specversion", "missing, or not 1.0"};
  if (event.id.empty()) return ValidationError{"id", "missing"};
  if (source.empty()) return ValidationError{"source", "missing"};
  if (event.type.empty()) return ValidationError{"type", "missing"};
  if (has_bytes && !data.empty()) return ValidationError{"data", "there is data_base64 too"};

  if (event.content_type.empty()) event.content_type = "application/json";
  const bool json = is_json_media_type(event.content_type);
  if (bare_media_type(event.content_type) == "application/json") {
    event.content_type = "application/json";  // the name that codecs know
  }
  if (has_bytes) return {};
  if (!json && !data.empty() && data.front() == '"') {
    JsonReader string{data};
    static_cast<void>(string.read_text(event.data));  // it has been read before
  } else {
    event.data = json && data.empty() ? std::string_view{"null"} : data;
  }
  return {};
}

}  // namespace gossip::redis
