// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Metadata: named simple values that travel with an event. Layer: core.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip {
namespace detail {

/// Whether two texts are equal. Made for the short ones that keys are: it compares up to 32 bytes in
/// words, where std::memcmp would cost a call.
inline bool same_text(std::string_view a, std::string_view b) noexcept {
  const std::size_t size = a.size();
  if (b.size() != size) return false;
  const char* const p = a.data();
  const char* const q = b.data();
  const auto differ = [p, q]<class Word>(Word /*how wide*/, std::size_t at) {
    Word x;
    Word y;
    std::memcpy(&x, p + at, sizeof x);
    std::memcpy(&y, q + at, sizeof y);
    return x ^ y;
  };
  if (size > 32) return std::memcmp(p, q, size) == 0;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (differ(std::uint64_t{}, at) != 0) return false;
    }
    return differ(std::uint64_t{}, size - 8) == 0;
  }
  if (size >= 4) return (differ(std::uint32_t{}, 0) | differ(std::uint32_t{}, size - 4)) == 0;
  return size == 0 || (p[0] == q[0] && p[size / 2] == q[size / 2] && p[size - 1] == q[size - 1]);
}

template <class C>
concept Character = std::same_as<C, char> || std::same_as<C, wchar_t> || std::same_as<C, char8_t> ||
    std::same_as<C, char16_t> || std::same_as<C, char32_t>;

}  // namespace detail

/// A simple value: nothing, a truth value, an integer, a floating-point number or a text. Integers
/// of every width that hold the same number are equal; an integer never equals a floating-point
/// number, so nothing changes its value by being compared.
class MetadataValue {
 public:
  /// Nothing (JSON's null).
  MetadataValue() noexcept = default;
  /// A truth value.
  template <std::same_as<bool> B>
  MetadataValue(B value) noexcept : kind_{Kind::truth}, truth_{value} {
    scalar_.natural = value ? 1 : 0;
  }
  /// No character: neither a text nor a number would be a good guess.
  template <detail::Character C>
  MetadataValue(C character) = delete;  // write a text, "x", or a number
  /// Any integer. An unsigned one beyond the signed range stays unsigned.
  template <std::integral I>
    requires(!std::same_as<I, bool> && !detail::Character<I>)
  MetadataValue(I value)
  noexcept {
    if constexpr (std::is_unsigned_v<I>) {
      kind_ = value > std::uint64_t{INT64_MAX} ? Kind::natural : Kind::integer;
    } else {
      kind_ = Kind::integer;
    }
    if (kind_ == Kind::natural) {
      scalar_.natural = static_cast<std::uint64_t>(value);
    } else {
      scalar_.integer = static_cast<std::int64_t>(value);
    }
  }
  /// A floating-point number.
  MetadataValue(double value) noexcept : kind_{Kind::real} { scalar_.real = value; }
  /// A text.
  /// @{
  MetadataValue(std::string value) noexcept : kind_{Kind::text}, text_{std::move(value)} {}
  MetadataValue(std::string_view value) : MetadataValue{std::string{value}} {}
  MetadataValue(const char* value) : MetadataValue{std::string{value}} {}
  /// @}

  /// The value as `V`, one of bool, std::int64_t, std::uint64_t, double, std::string; null if it is
  /// of another kind, or an integer that `V` cannot hold. So one that is neither negative nor beyond
  /// the signed range is there as either integer type, whatever it was made from.
  /// @return  valid until the value changes
  /// @throws  nothing
  template <class V>
  [[nodiscard]] const V* get_if() const noexcept {
    if constexpr (std::same_as<V, bool>) {
      return kind_ == Kind::truth ? &truth_ : nullptr;
    } else if constexpr (std::same_as<V, std::int64_t>) {
      return kind_ == Kind::integer ? &scalar_.integer : nullptr;
    } else if constexpr (std::same_as<V, std::uint64_t>) {
      if (kind_ == Kind::natural) return &scalar_.natural;
      // Of an integer, its unsigned twin may refer to it.
      return kind_ == Kind::integer && scalar_.integer >= 0
                 ? reinterpret_cast<const std::uint64_t*>(&scalar_.integer)
                 : nullptr;
    } else if constexpr (std::same_as<V, double>) {
      return kind_ == Kind::real ? &scalar_.real : nullptr;
    } else {
      static_assert(std::same_as<V, std::string>,
                    "a metadata value is a bool, std::int64_t, std::uint64_t, double, std::string");
      return kind_ == Kind::text ? &text_ : nullptr;
    }
  }
  /// True if there is nothing.
  [[nodiscard]] bool is_null() const noexcept { return kind_ == Kind::nothing; }

  /// Calls `visitor` with the value as its own kind; with nullptr for nothing.
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    switch (kind_) {
      case Kind::truth: return visitor(truth_);
      case Kind::integer: return visitor(scalar_.integer);
      case Kind::natural: return visitor(scalar_.natural);
      case Kind::real: return visitor(scalar_.real);
      case Kind::text: return visitor(text_);
      case Kind::nothing: break;
    }
    return visitor(nullptr);
  }

  [[nodiscard]] friend bool operator==(const MetadataValue& a, const MetadataValue& b) noexcept {
    if (a.kind_ != b.kind_) return false;
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
    if (a.kind_ < Kind::real) return std::memcmp(&a.scalar_, &b.scalar_, sizeof a.scalar_) == 0;
    if (a.kind_ == Kind::real) return a.scalar_.real == b.scalar_.real;
    return detail::same_text(a.text_, b.text_);
  }

 private:
  enum class Kind : std::uint8_t { nothing, truth, integer, natural, real, text };

  // Not a std::variant: with one that holds a string, g++ 12 warns of uninitialised values at -O3,
  // in the code of whoever builds metadata.
  union Scalar {
    std::uint64_t natural = 0;
    std::int64_t integer;
    double real;
  };

  Kind kind_ = Kind::nothing;
  bool truth_ = false;  // which the scalar tells too
  Scalar scalar_{};
  std::string text_;
};

/// A key that is prepared for being looked up in the metadata of many events.
///
/// Thread safety: immutable; any thread.
class MetadataKey {
 public:
  /// @throws nothing
  explicit MetadataKey(std::string text) noexcept
      : text_{std::move(text)}, digest_{digest(text_)} {}

  /// The key.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  friend class Metadata;

  static constexpr std::size_t spelt = 7;  // bytes: a key of so many is in its digest entirely

  /// A number that differs for most keys, and for all pairs of which one is `spelt`; never 0.
  static std::uint64_t digest(std::string_view text) noexcept {
    const bool all = text.size() <= spelt;
    std::uint64_t bytes = 0;
    for (const char c : text) bytes = bytes * (all ? 256 : 257) + static_cast<unsigned char>(c);
    return bytes | (std::uint64_t{all ? text.size() + 1 : 0xff} << 56U);
  }

  std::string text_;
  std::uint64_t digest_;
};

/// Named values, in the order in which their keys were first set. Made for a handful of entries:
/// a look-up compares keys one after the other, which beats hashing until some dozens. What has been
/// moved from is empty.
///
/// Thread safety: as a std::vector; an event's metadata is immutable once published.
class Metadata {
 public:
  /// A key and its value.
  using Entry = std::pair<std::string, MetadataValue>;

  /// Sets `key` to `value`, replacing what it had.
  /// @throws std::bad_alloc
  /// @par Complexity linear in the number of entries
  void set(std::string key, MetadataValue value) {
    if (auto* found = const_cast<MetadataValue*>(find(key))) {
      *found = std::move(value);
    } else {
      const std::uint64_t digest = MetadataKey::digest(key);
      entries_.emplace_back(std::move(key), std::move(value));
      if (entries_.size() <= digested) digests_[entries_.size() - 1] = digest;
    }
  }

  /// The value of `key`; null if the key is not there. Valid until the metadata changes.
  /// @throws nothing
  /// @par Complexity linear in the number of entries; no allocation
  /// @{
  [[nodiscard]] const MetadataValue* find(std::string_view key) const noexcept {
    return find(key, 0);
  }
  [[nodiscard]] const MetadataValue* find(const MetadataKey& key) const noexcept {
    const bool spelt = key.text_.size() <= MetadataKey::spelt;
    // Digests beyond the entries are of what has been moved away.
    const std::size_t known = entries_.size() < digested ? entries_.size() : digested;
    for (std::size_t i = 0; i < known; ++i) {
      if (digests_[i] != key.digest_) continue;
      const Entry& entry = entries_[i];
      if (spelt || detail::same_text(entry.first, key.text_)) return &entry.second;
    }
    return entries_.size() <= digested ? nullptr : find(key.text_, digested);
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
  [[nodiscard]] friend bool operator==(const Metadata& a, const Metadata& b) noexcept {
    return a.entries_ == b.entries_;
  }

 private:
  static constexpr std::size_t digested = 8;  // entries

  [[nodiscard]] const MetadataValue* find(std::string_view key, std::size_t from) const noexcept {
    for (std::size_t i = from; i < entries_.size(); ++i) {
      if (detail::same_text(entries_[i].first, key)) return &entries_[i].second;
    }
    return nullptr;
  }

  std::vector<Entry> entries_;
  std::uint64_t digests_[digested] = {};  ///< of the first entries' keys
};

}  // namespace gossip
