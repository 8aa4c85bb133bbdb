// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SkippedText: a text that is too large to be kept, passed over while it arrives. Layer: redis.

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace gossip::redis {

/// hiredis keeps what has arrived of a text until all of it is there. This drops it instead, as it
/// arrives, and has hiredis read the end of the text as a nil in its place.
///
/// Thread safety: none.
class SkippedText {
 public:
  /// The size of the text of which a part has arrived, its header at least; 0 if it is something else, or
  /// not known yet. // bytes
  /// @pre redisReaderGetReply() was called, and had no reply
  [[nodiscard]] static std::uint64_t awaited(const redisReader& reader) noexcept {
    const char* text = nullptr;
    return awaited(reader, text);
  }
  /// Of how many arrays the awaited part is in.
  [[nodiscard]] static int depth(const redisReader& reader) noexcept { return reader.ridx; }

  /// Begins to pass the awaited text over. @pre awaited() is not 0
  void begin(redisReader& reader) noexcept {
    const char* text = nullptr;
    left_ = awaited(reader, text) + line_end;
    reader.pos = static_cast<std::size_t>(text - reader.buf);
  }
  /// Drops what has arrived of it. To be called before redisReaderGetReply().
  /// @param at_its_end  set if what hiredis reads next is the nil
  /// @return            false if hiredis must not read on before more has arrived
  [[nodiscard]] bool pass(redisReader& reader, bool& at_its_end) noexcept {
    if (left_ == 0) return true;
    const std::uint64_t dropped =
        std::min<std::uint64_t>(reader.len - reader.pos, left_ - nil_size);
    reader.pos += static_cast<std::size_t>(dropped);
    left_ -= dropped;
    if (reader.pos == reader.len) return true;  // hiredis gives the memory back
    if (reader.len - reader.pos < nil_size) return false;
    char* const end = reader.buf + reader.pos;
    const bool well_formed = end[2] == '\r' && end[3] == '\n';
    // hiredis has read the "$" already. No text has less than no bytes: that is malformed.
    std::memcpy(end, well_formed ? "-1\r\n" : "-2\r\n", nil_size);
    left_ = 0;
    at_its_end = well_formed;
    return true;
  }
  /// Nothing is passed over: the connection is another one.
  void reset() noexcept { left_ = 0; }

 private:
  static constexpr std::size_t line_end = 2;  // bytes
  static constexpr std::size_t nil_size = 4;  // bytes

  /// @param text  set to where it begins
  static std::uint64_t awaited(const redisReader& reader, const char*& text) noexcept {
    if (reader.ridx < 0 || reader.task[reader.ridx]->type != REDIS_REPLY_STRING) return 0;
    const char* const last = reader.buf + reader.len;
    std::uint64_t size = 0;
    const auto parsed = std::from_chars(reader.buf + reader.pos, last, size);
    if (parsed.ec != std::errc{} || last - parsed.ptr < 2 || *parsed.ptr != '\r') return 0;
    text = parsed.ptr + line_end;
    return size;
  }

  std::uint64_t left_ = 0;  ///< with the end of its last line // bytes
};

}  // namespace gossip::redis
