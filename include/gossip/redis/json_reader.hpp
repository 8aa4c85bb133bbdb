// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// JsonReader: takes JSON text apart without building values. Layer: redis.

#include <gossip/core/metadata.hpp>
#include <gossip/core/utf8.hpp>
#include <gossip/redis/json_text.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace gossip::redis {

/// Reads JSON (RFC 8259) from left to right and hands out parts of the text as they stand, so that a
/// payload in an envelope keeps its bytes and no number passes through a double. After a member has
/// answered false the reader is good for nothing.
///
/// Strings must be UTF-8 without lone surrogates. Memory is bounded by the text's, the stack by
/// max_depth. Thread safety: none.
class JsonReader {
 public:
  /// The deepest nesting of a value that is read. // levels
  static constexpr std::size_t max_depth = 64;

  /// @param text  outlives the reader
  explicit JsonReader(std::string_view text) noexcept : text_{text} {}

  /// The next character that is not white space; 0 at the end.
  [[nodiscard]] char peek() noexcept {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t' ||
                              text_.front() == '\n' || text_.front() == '\r')) {
      text_.remove_prefix(1);
    }
    return text_.empty() ? '\0' : text_.front();
  }
  /// True if nothing but white space is left.
  [[nodiscard]] bool at_end() noexcept { return peek() == '\0' && text_.empty(); }

  /// Reads a string, and undoes its escapes.
  [[nodiscard]] bool read_text(std::string& text) {
    text.clear();
    if (!take('"')) return false;
    while (!text_.empty()) {
      const char c = text_.front();
      const std::size_t size = gossip::detail::utf8_size(text_);
      if (size == 0 || static_cast<unsigned char>(c) < 0x20) return false;
      const std::string_view character = text_.substr(0, size);
      text_.remove_prefix(size);
      if (c == '"') return true;
      if (c != '\\') {
        text += character;
      } else if (!read_escape(text)) {
        return false;
      }
    }
    return false;
  }

  /// Reads any value. @param raw  its part of the text
  [[nodiscard]] bool read_value(std::string_view& raw) {
    static_cast<void>(peek());
    const std::string_view before = text_;
    if (!walk(nullptr, 0)) return false;
    raw = before.substr(0, before.size() - text_.size());
    return true;
  }

  /// Reads any value and appends it as Go's encoding/json would have written it: no white space, its
  /// way to escape, its way to write floating-point numbers. Members stay in their order. Integers, and
  /// numbers that a double cannot hold, stay as they are.
  [[nodiscard]] bool rewrite_value(std::string& json) { return walk(&json, 0); }

  /// Reads an object: `member(key)` has to read the value, and answers false to give up.
  template <class Member>
  [[nodiscard]] bool read_object(Member&& member) {
    if (!take('{')) return false;
    if (take('}')) return true;
    std::string key;
    do {
      static_cast<void>(peek());
      if (!read_text(key) || !take(':') || !member(std::as_const(key))) return false;
    } while (take(','));
    return take('}');
  }

  /// Reads any value as metadata. An integer of at most 64 bits stays one; every other number becomes
  /// a double, if that can hold it; an array or object becomes its text.
  [[nodiscard]] bool read_metadata(MetadataValue& value) {
    const char first = peek();
    if (first == '"') {
      std::string text;
      if (!read_text(text)) return false;
      value = std::move(text);
      return true;
    }
    std::string_view raw;
    if (!read_value(raw)) return false;
    switch (first) {
      case 'n': value = MetadataValue{}; return true;
      case 't':
      case 'f': value = first == 't'; return true;
      case '{':
      case '[': value = std::string{raw}; return true;
      default: break;
    }
    std::int64_t integer = 0;
    std::uint64_t natural = 0;
    double real = 0;
    if (raw != "-0" && parse(raw, integer)) {
      value = integer;
    } else if (parse(raw, natural)) {
      value = natural;
    } else if (parse(raw, real)) {
      value = real;
    } else {
      return false;
    }
    return true;
  }

 private:
  template <class Number>
  [[nodiscard]] static bool parse(std::string_view text, Number& number) {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end;
  }

  [[nodiscard]] bool take(char expected) noexcept {
    if (peek() != expected || text_.empty()) return false;
    text_.remove_prefix(1);
    return true;
  }

  [[nodiscard]] bool read_unit(unsigned& unit) noexcept {
    if (text_.size() < 4) return false;
    const auto parsed = std::from_chars(text_.data(), text_.data() + 4, unit, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != text_.data() + 4) return false;
    text_.remove_prefix(4);
    return true;
  }

  [[nodiscard]] bool read_escape(std::string& text) {
    if (text_.empty()) return false;
    const char name = text_.front();
    text_.remove_prefix(1);
    constexpr std::string_view names{"\"\\/bfnrt"};
    if (const auto found = names.find(name); found != std::string_view::npos) {
      text += "\"\\/\b\f\n\r\t"[found];
      return true;
    }
    unsigned code = 0;
    if (name != 'u' || !read_unit(code)) return false;
    if (code >= 0xd800 && code < 0xe000) {
      unsigned low = 0;
      if (code >= 0xdc00 || text_.substr(0, 2) != "\\u") return false;
      text_.remove_prefix(2);
      if (!read_unit(low) || low < 0xdc00 || low >= 0xe000) return false;
      code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
    }
    gossip::detail::append_utf8(code, text);
    return true;
  }

  /// Reads a value, and rewrites it to `json` if that is given.
  [[nodiscard]] bool walk(std::string* json, std::size_t depth) {
    const char first = peek();
    if (first == '{' || first == '[') {
      return depth < max_depth && walk_elements(json, depth + 1, first == '{');
    }
    if (first == '"') {
      return read_text(scratch_) && (json == nullptr || append_json_text(scratch_, *json));
    }
    for (const std::string_view word : {"null", "true", "false"}) {
      if (text_.substr(0, word.size()) != word) continue;
      text_.remove_prefix(word.size());
      if (json != nullptr) *json += word;
      return true;
    }
    return walk_number(json);
  }

  [[nodiscard]] bool walk_elements(std::string* json, std::size_t depth, bool object) {
    const char last = object ? '}' : ']';
    const auto write = [&](char c) {
      if (json != nullptr) *json += c;
    };
    write(text_.front());
    text_.remove_prefix(1);
    if (!take(last)) {
      do {
        if (object) {
          if (peek() != '"' || !walk(json, depth) || !take(':')) return false;
          write(':');
        }
        if (!walk(json, depth)) return false;
        if (peek() == ',') write(',');
      } while (take(','));
      if (!take(last)) return false;
    }
    write(last);
    return true;
  }

  [[nodiscard]] bool walk_number(std::string* json) {
    const std::string_view before = text_;
    const auto take_one = [&](std::string_view marks) {
      if (text_.empty() || marks.find(text_.front()) == std::string_view::npos) return false;
      text_.remove_prefix(1);
      return true;
    };
    const auto take_digits = [&] {
      if (!take_one("0123456789")) return false;
      while (take_one("0123456789")) {
      }
      return true;
    };
    take_one("-");
    if (!take_one("0") && !take_digits()) return false;
    if (take_one(".") && !take_digits()) return false;
    if (take_one("eE")) {
      take_one("+-");
      if (!take_digits()) return false;
    }
    if (json != nullptr) append_json_number(before.substr(0, before.size() - text_.size()), *json);
    return true;
  }

  std::string_view text_;
  std::string scratch_;
};

}  // namespace gossip::redis
