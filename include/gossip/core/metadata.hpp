// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Metadata: named simple values that travel with an event. Layer: core.

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gossip {

/// A simple value: nothing, a truth value, an integer, a floating-point number or a text. Integers
/// of every width that hold the same number are equal; an integer never equals a floating-point
/// number, so nothing changes its value by being compared.
class MetadataValue {
 public:
  /// Nothing (JSON's null).
  MetadataValue() noexcept = default;
  template <std::same_as<bool> B>
  MetadataValue(B value) noexcept : value_{value} {}
  /// Any integer. An unsigned one beyond the signed range stays unsigned.
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  MetadataValue(I value)
  noexcept : value_{of_integer(value)} {}
  MetadataValue(double value) noexcept : value_{value} {}
  MetadataValue(std::string value) noexcept : value_{std::move(value)} {}
  MetadataValue(std::string_view value) : value_{std::string{value}} {}
  MetadataValue(const char* value) : value_{std::string{value}} {}

  /// The value as `V`, one of bool, std::int64_t, std::uint64_t, double, std::string; null if it is
  /// of another kind. @throws nothing
  template <class V>
  [[nodiscard]] const V* get_if() const noexcept {
    return std::get_if<V>(&value_);
  }
  /// True if there is nothing.
  [[nodiscard]] bool is_null() const noexcept { return value_.index() == 0; }

  /// Calls `visitor` with the value as its own kind; std::monostate for nothing.
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    return std::visit(std::forward<Visitor>(visitor), value_);
  }

  [[nodiscard]] friend bool operator==(const MetadataValue&, const MetadataValue&) = default;

 private:
  using Value =
      std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string>;

  template <class I>
  static Value of_integer(I value) noexcept {
    if constexpr (std::is_unsigned_v<I>) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return Value{std::in_place_type<std::uint64_t>, value};
      }
    }
    return Value{std::in_place_type<std::int64_t>, static_cast<std::int64_t>(value)};
  }

  Value value_;
};

/// Named values, in the order in which their keys were first set. Made for a handful of entries:
/// a look-up compares keys one after the other, which beats hashing until some dozens.
///
/// Thread safety: as a std::vector; an event's metadata is immutable once published.
class Metadata {
 public:
  using Entry = std::pair<std::string, MetadataValue>;

  /// Sets `key` to `value`, replacing what it had.
  /// @throws std::bad_alloc
  /// @par Complexity linear in the number of entries
  void set(std::string key, MetadataValue value) {
    if (auto* found = const_cast<MetadataValue*>(find(key))) {
      *found = std::move(value);
    } else {
      entries_.emplace_back(std::move(key), std::move(value));
    }
  }

  /// The value of `key`; null if the key is not there. Valid until the metadata changes.
  /// @throws nothing
  /// @par Complexity linear in the number of entries; no allocation
  [[nodiscard]] const MetadataValue* find(std::string_view key) const noexcept {
    for (const Entry& entry : entries_) {
      if (entry.first == key) return &entry.second;
    }
    return nullptr;
  }

  /// True if `key` is there.
  [[nodiscard]] bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
  /// Number of entries.
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// True if there is no entry.
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  /// The entries, in the order in which their keys were first set.
  /// @{
  [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
  [[nodiscard]] auto end() const noexcept { return entries_.end(); }
  /// @}

  [[nodiscard]] friend bool operator==(const Metadata&, const Metadata&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace gossip
