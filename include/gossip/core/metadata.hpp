// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Metadata: named simple values that travel with an event. Layer: core.

#include <gossip/core/metadata_value.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gossip {

/// A key that is prepared for being looked up in the metadata of many events.
///
/// Thread safety: immutable; any thread.
class MetadataKey {
 public:
  /// @throws nothing
  explicit MetadataKey(std::string text) noexcept : text_{std::move(text)} {
    const detail::TwoWords spelt = spell(text_);
    tags_ = tag(spelt) * each;
    if (is_spelt()) spelt_ = spelt;
  }

  /// The key.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  friend class Metadata;
  friend class MetadataMatch;

  using Spelling = detail::Spelling<1>;
  static constexpr std::uint64_t each = 0x0101010101010101;  ///< times a byte: eight of it

  /// Never all zeros.
  static detail::TwoWords spell(const std::string& text) noexcept {
    Spelling spelling{text};
    ++spelling.bytes[0];
    return detail::TwoWords::of(spelling.bytes);
  }
  /// A byte, at least 0x80, that differs for most keys.
  static std::uint64_t tag(const detail::TwoWords& spelt) noexcept {
    return (((spelt.low ^ spelt.high * 3) * 0x9e3779b97f4a7c15) >> 57U) | 0x80U;
  }
  /// True if two words hold all of it.
  [[nodiscard]] bool is_spelt() const noexcept { return text_.size() <= Spelling::room; }

  std::string text_;
  detail::TwoWords spelt_;  ///< all of it, or zeros
  std::uint64_t tags_ = 0;  ///< its tag, in each byte
};

/// Named values, in the order in which their keys were first set. Made for a handful of entries:
/// what the first six are compared by is kept side by side, in front of which a byte for each key
/// tells where to look; that beats hashing until some dozens.
///
/// Thread safety: as a std::vector; an event's metadata is immutable once published.
class Metadata {
 public:
  /// A key and its value.
  using Entry = std::pair<std::string, MetadataValue>;

  /// No entries.
  Metadata() noexcept = default;
  /// What has been moved from is empty.
  /// @{
  Metadata(const Metadata&) = default;
  Metadata(Metadata&& other) noexcept : entries_{std::move(other.entries_)}, index_{other.index_} {
    other.index_.tags = 0;
  }
  Metadata& operator=(Metadata other) noexcept {
    entries_.swap(other.entries_);
    index_ = other.index_;
    return *this;
  }
  ~Metadata() = default;
  /// @}

  /// Sets `key` to `value`, replacing what it had.
  /// @tparam Value  left to its default, so that only who sets something compiles it
  /// @throws std::bad_alloc
  /// @par Complexity linear in the number of entries
  template <class Value = MetadataValue>
  void set(std::string key, std::type_identity_t<Value> value) {
    std::size_t place = 0;
    while (place < entries_.size() && !detail::same_text(entries_[place].first, key)) ++place;
    if (place < entries_.size()) {
      entries_[place].second = std::move(value);
    } else {
      entries_.emplace_back(std::move(key), std::move(value));
    }
    if (place < indexed) index_.put(place, entries_[place]);
  }

  /// The value of `key`; null if the key is not there. Valid until the metadata changes.
  /// @throws nothing
  /// @par Complexity linear in the number of entries; no allocation
  /// @{
  [[nodiscard]] const MetadataValue* find(std::string_view key) const noexcept {
    for (const Entry& entry : entries_) {
      if (detail::same_text(entry.first, key)) return &entry.second;
    }
    return nullptr;
  }
  [[nodiscard]] const MetadataValue* find(const MetadataKey& key) const noexcept {
    if (const std::uint64_t hits = index_.hits(key); hits != 0) {
      const std::size_t place = first(hits);
      if (index_.cells[place].key == key.spelt_) [[likely]]
        return &entries_[place].second;
    } else if (entries_.size() <= indexed) {
      return nullptr;
    }
    return find_anywhere(key);
  }
  /// @}

  /// The value of `key` as `V`; null if the key is not there, or its value of another kind. See
  /// MetadataValue::get_if.
  /// @throws nothing
  /// @{
  template <class V>
  [[nodiscard]] const V* get_if(std::string_view key) const noexcept {
    const MetadataValue* value = find(key);
    return value != nullptr ? value->get_if<V>() : nullptr;
  }
  template <class V>
  [[nodiscard]] const V* get_if(const MetadataKey& key) const noexcept {
    const MetadataValue* value = find(key);
    return value != nullptr ? value->get_if<V>() : nullptr;
  }
  /// @}

  /// True if `key` is there.
  /// @{
  [[nodiscard]] bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
  [[nodiscard]] bool contains(const MetadataKey& key) const noexcept {
    return find(key) != nullptr;
  }
  /// @}
  /// Number of entries.
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// True if there is no entry.
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  /// The entries, in the order in which their keys were first set.
  /// @{
  [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
  [[nodiscard]] auto end() const noexcept { return entries_.end(); }
  /// @}

  /// True if the same keys have equal values, in the same order.
  template <std::same_as<Metadata> M>
  [[nodiscard]] friend bool operator==(const M& a, const M& b) noexcept {
    return a.entries_ == b.entries_;
  }

 private:
  friend class MetadataMatch;

  static constexpr std::size_t indexed = 6;  // entries

  /// What an entry is compared by.
  struct Cell {
    detail::TwoWords key;
    detail::TwoWords value;
  };

  /// The first entries, to be looked through without a loop.
  struct Index {
    std::uint64_t tags = 0;  ///< of their keys, a byte each; 0 where there is no entry
    Cell cells[indexed];

    void put(std::size_t place, const Entry& entry) noexcept {
      cells[place] = {MetadataKey::spell(entry.first), entry.second.words()};
      tags |= MetadataKey::tag(cells[place].key) << (8 * place);
    }
    /// A bit for each entry that may have the key: the top one of each byte that is zero in the
    /// difference of tags, and of a byte 1 above it, thus of an entry, which is looked at in vain.
    [[nodiscard]] std::uint64_t hits(const MetadataKey& key) const noexcept {
      const std::uint64_t other = tags ^ key.tags_;
      return (other - MetadataKey::each) & ~other & (MetadataKey::each << 7U);
    }
    /// What the first of `hits` is compared by. The number of its bit is the offset of the cell but for
    /// what an address can have added and multiplied for nothing. @pre there is one
    [[nodiscard]] const Cell& cell_of(std::uint64_t hits) const noexcept {
      static_assert(sizeof(Cell) == 32);
      const auto bit = static_cast<unsigned>(std::countr_zero(hits));  // 8 * place + 7
      const auto* bytes = reinterpret_cast<const unsigned char*>(cells);
      return *reinterpret_cast<const Cell*>(bytes + (std::size_t{4} * bit - 28));
    }
  };

  static std::size_t first(std::uint64_t hits) noexcept {
    return static_cast<unsigned>(std::countr_zero(hits)) / 8;
  }

  /// Out of line, to keep the rest short.
  [[gnu::noinline]] [[nodiscard]] const MetadataValue* find_anywhere(
      const MetadataKey& key) const noexcept {
    return find(key.text_);
  }

  std::vector<Entry> entries_;
  Index index_;
};

}  // namespace gossip
