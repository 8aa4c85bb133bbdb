// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RawCodec: the bytes of a trivially copyable payload as they lie in memory. Layer: core.

#include <gossip/core/codec.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace gossip {

/// The version of a payload's layout, which RawCodec checks. Specialise it, and count it up with each
/// change of the layout.
template <class T>
inline constexpr std::uint16_t raw_version = 0;

/// The fastest codec, for peers of one architecture that are built from the same source: an 8-byte
/// head (two marks, byte order, 0, version; then the size is implied and checked), then the bytes of
/// the payload. Padding bytes travel as they are. Pointers in a payload mean nothing to the reader.
///
/// Thread safety: any thread. Progress: wait-free but for the growth of the text.
struct RawCodec {
  /// What Codec asks for.
  /// @{
  static constexpr std::string_view content_type = "application/vnd.gossip.raw";

  template <class T>
    requires std::is_trivially_copyable_v<StoredPayload<T>>
  static Status encode(const StoredPayload<T>& data, std::string& bytes) {
    const auto head = head_of<T>();
    bytes.append(head.data(), head.size());
    bytes.append(reinterpret_cast<const char*>(&data), sizeof data);
    return {};
  }

  template <class T>
    requires std::is_trivially_copyable_v<StoredPayload<T>>
  static Status decode(std::string_view bytes, std::optional<StoredPayload<T>>& data) {
    const auto head = head_of<T>();
    constexpr std::size_t expected = head_bytes + sizeof(StoredPayload<T>);
    if (bytes.size() != expected) {
      return ValidationError{"data", "raw payload of " + std::to_string(bytes.size()) +
                                         " bytes; expected: " + std::to_string(expected)};
    }
    if (std::memcmp(bytes.data(), head.data(), head.size()) != 0) {
      return ValidationError{"data", "raw payload of another version, byte order or format"};
    }
    std::array<std::byte, sizeof(StoredPayload<T>)> copy;
    std::memcpy(copy.data(), bytes.data() + head_bytes, copy.size());
    data.emplace(std::bit_cast<StoredPayload<T>>(copy));
    return {};
  }
  /// @}

 private:
  static constexpr std::size_t head_bytes = 8;

  template <class T>
  static constexpr std::array<char, head_bytes> head_of() noexcept {
    constexpr std::uint16_t version = raw_version<T>;
    constexpr std::uint32_t size = sizeof(StoredPayload<T>);
    return {'G',
            'R',
            std::endian::native == std::endian::little ? 'L' : 'B',
            static_cast<char>(size & 0xffU),
            static_cast<char>((size >> 8U) & 0xffU),
            static_cast<char>((size >> 16U) & 0xffU),
            static_cast<char>(version & 0xffU),
            static_cast<char>(version >> 8U)};
  }
};

}  // namespace gossip
