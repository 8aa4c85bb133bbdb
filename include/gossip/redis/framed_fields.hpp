// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Names and values as one text: a RESP array of bulk strings. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/resp.hpp>
#include <gossip/redis/stream_fields.hpp>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// Appends the fields to `text` as Redis itself writes a list: `*<count>`, then `$<size>` and the bytes
/// of each name and value.
inline void frame_fields(const Fields& fields, std::string& text) {
  append_head(text, '*', fields.size() * 2);
  for (const auto& [name, value] : fields) {
    append_bulk(text, name);
    append_bulk(text, value);
  }
}

/// Reads what frame_fields() wrote, and nothing else.
/// @return  a ValidationError for every other text; its memory is bounded by the text's
inline Status unframe_fields(std::string_view text, Fields& fields) {
  fields.clear();
  const auto malformed = [] { return Status{ValidationError{"data", "no framed fields"}}; };
  const auto take_number = [&](char mark, std::size_t& number) {
    if (text.empty() || text.front() != mark) return false;
    const auto end = text.find('\r');
    if (end == std::string_view::npos || text.substr(end, 2) != "\r\n") return false;
    const char* const last = text.data() + end;
    const auto parsed = std::from_chars(text.data() + 1, last, number);
    if (parsed.ec != std::errc{} || parsed.ptr != last) return false;
    text.remove_prefix(end + 2);
    return true;
  };
  const auto take_text = [&](std::string& part) {
    std::size_t size = 0;
    if (!take_number('$', size) || text.size() < 2 || size > text.size() - 2 ||
        text.substr(size, 2) != "\r\n") {
      return false;
    }
    part = text.substr(0, size);
    text.remove_prefix(size + 2);
    return true;
  };
  std::size_t count = 0;
  if (!take_number('*', count) || count % 2 != 0) return malformed();
  for (; count != 0; count -= 2) {
    std::string name;
    std::string value;
    if (!take_text(name) || !take_text(value)) return malformed();
    fields.emplace_back(std::move(name), std::move(value));
  }
  return text.empty() ? Status{} : malformed();
}

}  // namespace gossip::redis
