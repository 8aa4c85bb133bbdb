// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The format gossip_json: the envelope of gossip for Go, byte for byte. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/json_reader.hpp>
#include <gossip/redis/json_text.hpp>
#include <gossip/redis/rfc3339.hpp>
#include <gossip/redis/wire_event.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// Appends `{"Type":...,"Timestamp":...,"Data":...,"Metadata":{...}}`. The payload's members stay in
/// their order, metadata is sorted by key. The event's id is not written.
/// @return  a ValidationError that names what cannot be written: a payload that is not JSON, an empty
///          type, text that is not UTF-8, metadata that is infinite or not a number
/// @throws  std::bad_alloc
/// @par Thread safety any thread
/// @par Complexity linear, and n log n in the number of metadata entries
inline Status encode_gossip_json(const WireEvent& event, std::string& text) {
  if (event.content_type != "application/json") {
    std::string reason{"gossip_json carries application/json alone; the codec's is "};
    reason += event.content_type;
    return ValidationError{"content-type", std::move(reason)};
  }
  text += "{\"Type\":";
  if (event.type.empty() || !append_json_text(event.type, text)) {
    return ValidationError{"type", "empty, or not UTF-8"};
  }
  // NOLINTNEXTLINE(modernize-raw-string-literal)
  text += ",\"Timestamp\":\"";
  append_time(event.time_ns, text);
  // NOLINTNEXTLINE(modernize-raw-string-literal)
  text += "\",\"Data\":";
  JsonReader data{event.data};
  if (!data.rewrite_value(text) || !data.at_end()) return ValidationError{"data", "no JSON"};

  if (event.metadata.size() > max_metadata) return ValidationError{"metadata", "too many entries"};
  std::vector<const Metadata::Entry*> entries;
  entries.reserve(event.metadata.size());
  for (const Metadata::Entry& entry : event.metadata) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  text += ",\"Metadata\":{";
  for (const Metadata::Entry* entry : entries) {
    if (entry != entries.front()) text += ',';
    if (!append_json_text(entry->first, text))
      return ValidationError{"metadata", "a key is not UTF-8"};
    text += ':';
    if (!append_json_value(entry->second, text)) {
      return ValidationError{entry->first, "not UTF-8, infinite, or not a number"};
    }
  }
  text += "}}";
  return {};
}

/// Reads such an envelope: members in any order, their names in any case, unknown ones ignored, the
/// last of equal ones taken. `Type` and `Timestamp` must be there; `Data` and `Metadata` may be missing
/// or null. The payload is the text of `Data` as it stands. Arrays and objects in the metadata become
/// their text. The id stays empty.
/// @return  a ValidationError that names the member which is missing or malformed
/// @throws  std::bad_alloc
/// @par Thread safety any thread
/// @par Complexity linear; memory bounded by a multiple of the text's, stack by JsonReader::max_depth
inline Status decode_gossip_json(std::string_view text, WireEvent& event) {
  event = {};
  event.content_type = "application/json";
  event.data = "null";
  const auto is = [](std::string_view key, std::string_view name) {
    return std::equal(key.begin(), key.end(), name.begin(), name.end(), [](char a, char b) {
      return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b);
    });
  };
  bool has_time = false;
  std::string scratch;
  const char* wrong = "envelope";  // what is being read
  const auto read_metadata = [&](JsonReader& reader) {
    event.metadata = {};
    if (reader.peek() == 'n') {
      std::string_view raw;
      return reader.read_value(raw);
    }
    return reader.read_object([&](const std::string& key) {
      MetadataValue value;
      if (!reader.read_metadata(value) || event.metadata.size() == max_metadata) return false;
      event.metadata.set(key, std::move(value));
      return true;
    });
  };
  JsonReader reader{text};
  const auto read_member = [&](const std::string& key) {
    bool good = false;
    std::string_view raw;
    if (is(key, "type")) {
      wrong = "Type";
      good = reader.read_text(event.type) && !event.type.empty();
    } else if (is(key, "timestamp")) {
      wrong = "Timestamp";
      good = has_time = reader.read_text(scratch) && read_time(scratch, event.time_ns);
    } else if (is(key, "metadata")) {
      wrong = "Metadata";
      good = read_metadata(reader);
    } else if (is(key, "data")) {
      wrong = "Data";
      good = reader.read_value(raw);
      event.data = raw;
    } else {
      good = reader.read_value(raw);
    }
    if (good) wrong = "envelope";
    return good;
  };
  if (!reader.read_object(read_member) || !reader.at_end()) {
    return ValidationError{wrong, "malformed"};
  }
  if (event.type.empty()) return ValidationError{"Type", "missing"};
  if (!has_time) return ValidationError{"Timestamp", "missing"};
  return {};
}

}  // namespace gossip::redis
