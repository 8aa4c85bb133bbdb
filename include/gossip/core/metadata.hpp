// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Metadata: named simple values that travel with an event. Layer: core.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
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
  MetadataValue(B value) noexcept : kind_{Kind::truth} {
    scalar_.truth = value;
  }
  /// Any integer. An unsigned one beyond the signed range stays unsigned.
  template <std::integral I>
    requires(!std::same_as<I, bool>)
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
  MetadataValue(double value) noexcept : kind_{Kind::real} { scalar_.real = value; }
  MetadataValue(std::string value) noexcept : kind_{Kind::text}, text_{std::move(value)} {}
  MetadataValue(std::string_view value) : MetadataValue{std::string{value}} {}
  MetadataValue(const char* value) : MetadataValue{std::string{value}} {}

  /// The value as `V`, one of bool, std::int64_t, std::uint64_t, double, std::string; null if it is
  /// of another kind. @throws nothing
  template <class V>
  [[nodiscard]] const V* get_if() const noexcept {
    if constexpr (std::same_as<V, bool>) {
      return kind_ == Kind::truth ? &scalar_.truth : nullptr;
    } else if constexpr (std::same_as<V, std::int64_t>) {
      return kind_ == Kind::integer ? &scalar_.integer : nullptr;
    } else if constexpr (std::same_as<V, std::uint64_t>) {
      return kind_ == Kind::natural ? &scalar_.natural : nullptr;
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
      case Kind::truth: return visitor(scalar_.truth);
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
    switch (a.kind_) {
      case Kind::truth: return a.scalar_.truth == b.scalar_.truth;
      case Kind::integer: return a.scalar_.integer == b.scalar_.integer;
      case Kind::natural: return a.scalar_.natural == b.scalar_.natural;
      case Kind::real: return a.scalar_.real == b.scalar_.real;
      case Kind::text: return a.text_ == b.text_;
      case Kind::nothing: break;
    }
    return true;
  }

 private:
  enum class Kind : std::uint8_t { nothing, truth, integer, natural, real, text };

  // Not a std::variant: with one that holds a string, g++ 12 warns of uninitialised values at -O3,
  // in the code of whoever builds metadata.
  union Scalar {
    std::uint64_t natural = 0;
    std::int64_t integer;
    double real;
    bool truth;
  };

  Kind kind_ = Kind::nothing;
  Scalar scalar_{};
  std::string text_;
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
