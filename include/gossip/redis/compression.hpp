// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Makes payloads smaller with zlib: the content coding `deflate` (RFC 1950). Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <zlib.h>

namespace gossip::redis {

/// The value of the field `content-encoding` that marks deflated data.
inline constexpr std::string_view deflate_coding{"deflate"};

/// Deflates bytes, in one go.
/// @param deflated  replaced
/// @return          false if that would not make them smaller, or they are above 4 GiB
/// @throws          std::bad_alloc
[[nodiscard]] inline bool deflate_bytes(std::string_view bytes, std::string& deflated) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) return false;
  deflated.resize(bytes.size());
  uLongf size = deflated.size();
  const int result = ::compress2(reinterpret_cast<Bytef*>(deflated.data()), &size,
                                 reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(),
                                 Z_DEFAULT_COMPRESSION);
  if (result == Z_MEM_ERROR) throw std::bad_alloc{};
  if (result != Z_OK || size >= bytes.size()) return false;
  deflated.resize(size);
  return true;
}

/// Undoes deflate_bytes(). Never makes more than `most` bytes, whatever the input claims.
/// @param bytes  replaced; of no use on failure
/// @param most   RedisOptions::maximum_payload // bytes
/// @return       a ValidationError: malformed, cut off, followed by more, or too large
/// @throws       std::bad_alloc
inline Status inflate_bytes(std::string_view deflated, std::size_t most, std::string& bytes) {
  const auto refuse = [](const char* why) { return Status{ValidationError{"data", why}}; };
  bytes.clear();
  if (deflated.size() > std::numeric_limits<uInt>::max()) return refuse("deflated: too large");
  struct Stream : z_stream {
    Stream() : z_stream{} {
      if (::inflateInit(this) != Z_OK) throw std::bad_alloc{};
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { ::inflateEnd(this); }
  };
  Stream stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream.avail_in = static_cast<uInt>(deflated.size());
  for (;;) {
    // One byte more than is allowed tells an end at the limit from data beyond it.
    const std::size_t size = bytes.size();
    const std::size_t step = std::max<std::size_t>(size, 4096);
    const std::size_t room = std::min(step, most - size + (most != SIZE_MAX ? 1 : 0));
    bytes.resize(size + room);
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data()) + size;
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(room, UINT_MAX));
    const std::size_t given = stream.avail_out;
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    bytes.resize(size + given - stream.avail_out);
    if (result == Z_MEM_ERROR) throw std::bad_alloc{};
    if (bytes.size() > most) return refuse("deflated: more than maximum_payload");
    if (result == Z_STREAM_END) {
      return stream.avail_in == 0 ? Status{} : refuse("deflated: bytes after the end");
    }
    if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
      return refuse("deflated: malformed or cut off");
    }
  }
}

}  // namespace gossip::redis
