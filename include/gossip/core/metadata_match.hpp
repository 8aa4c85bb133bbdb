// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// MetadataMatch: an entry that is looked for in the metadata of many events. Layer: core.

#include <gossip/core/metadata.hpp>
#include <gossip/core/metadata_value.hpp>

#include <cstdint>
#include <cstring>
#include <utility>

namespace gossip {

/// A key and a value that are prepared for being looked for in the metadata of many events.
///
/// Thread safety: immutable; any thread.
class MetadataMatch {
 public:
  /// @throws nothing
  MetadataMatch(MetadataKey key, MetadataValue value) noexcept
      : key_{std::move(key)},
        value_{std::move(value)},
        exact_{key_.is_spelt() && value_.core_.size < MetadataValue::inexact} {
    cell_.key = key_.spelt_;
    if (exact_) cell_.value = value_.words();
  }

  /// True if the key is there and its value equals the one that is wanted. Of short keys and values,
  /// but floating-point numbers, it looks at a few words.
  /// @throws nothing
  /// @par Complexity linear in the number of entries; no allocation
  [[nodiscard]] bool is_in(const Metadata& metadata) const noexcept {
    const std::uint64_t hits = metadata.index_.hits(key_);
    if (hits == 0) return metadata.entries_.size() > Metadata::indexed && is_anywhere_in(metadata);
    const Metadata::Cell& cell = metadata.index_.cell_of(hits);
    if (same(cell, cell_)) return true;
    if (exact_ && cell.key == cell_.key) return false;
    return is_anywhere_in(metadata);
  }

 private:
  static bool same(const Metadata::Cell& a, const Metadata::Cell& b) noexcept {
#if defined(__SSE2__)
    // Half of the instructions that four words take.
    using Bytes [[gnu::vector_size(16)]] = char;
    Bytes a_key;
    Bytes a_value;
    Bytes b_key;
    Bytes b_value;
    std::memcpy(&a_key, &a.key, sizeof a_key);
    std::memcpy(&a_value, &a.value, sizeof a_value);
    std::memcpy(&b_key, &b.key, sizeof b_key);
    std::memcpy(&b_value, &b.value, sizeof b_value);
    return __builtin_ia32_pmovmskb128((a_key == b_key) & (a_value == b_value)) == 0xffff;
#else
    return a.key == b.key && a.value == b.value;
#endif
  }

  /// Out of line, to keep the rest short.
  [[gnu::noinline]] bool is_anywhere_in(const Metadata& metadata) const noexcept {
    const MetadataValue* found = metadata.find(key_);
    return found != nullptr && *found == value_;
  }

  static constexpr std::uint64_t no_value = static_cast<std::uint64_t>(-1);

  MetadataKey key_;
  MetadataValue value_;
  bool exact_;  ///< the cell tells all; else it equals no entry's
  Metadata::Cell cell_{{}, {no_value, no_value}};
};

}  // namespace gossip
