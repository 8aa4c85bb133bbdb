// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// MetadataValue: a simple value that travels with an event. Layer: core.

#include <gossip/fwd.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

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

/// The beginning of a text in sixteen bytes, behind `before` of them, of which the last one tells the
/// text's size, or `too_long` if the rest of it is not here.
template <std::size_t before>
struct Spelling {
  static constexpr std::size_t room = 16 - before;  // bytes
  static constexpr std::uint8_t too_long = 0xfe;

  explicit Spelling(const std::string& text) noexcept {
    const bool all = text.size() <= room;
    std::memcpy(bytes + before, text.data(), all ? text.size() : room);
    bytes[before - 1] = all ? static_cast<std::uint8_t>(text.size()) : too_long;
  }

  unsigned char bytes[16] = {};
};

/// Sixteen bytes as two words.
struct TwoWords {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  [[nodiscard]] static TwoWords of(const void* sixteen) noexcept {
    TwoWords words;
    std::memcpy(&words, sixteen, sizeof words);
    return words;
  }
  [[nodiscard]] friend bool operator==(const TwoWords& a, const TwoWords& b) noexcept {
    return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
  }
};

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
  MetadataValue(B value) noexcept {
    core_.kind = Kind::truth;
    core_.truth = value;
  }
  /// No character: neither a text nor a number would be a good guess.
  template <detail::Character C>
  MetadataValue(C character) = delete;  // write a text, "x", or a number
  /// Any integer. An unsigned one beyond the signed range stays unsigned.
  template <std::integral I>
    requires(!std::same_as<I, bool> && !detail::Character<I>)
  MetadataValue(I value)
  noexcept {
    core_.kind = Kind::integer;
    if constexpr (std::is_unsigned_v<I>) {
      if (value > std::uint64_t{INT64_MAX}) {
        core_.kind = Kind::natural;
        core_.scalar.natural = value;
        return;
      }
    }
    core_.scalar.integer = static_cast<std::int64_t>(value);
  }
  /// A floating-point number.
  MetadataValue(double value) noexcept {
    core_.kind = Kind::real;
    core_.size = inexact;
    core_.scalar.real = value;
  }
  /// A text.
  /// @{
  MetadataValue(std::string value) noexcept : text_{std::move(value)} {
    detail::Spelling<3> spelling{text_};
    spelling.bytes[0] = static_cast<unsigned char>(Kind::text);
    std::memcpy(&core_, spelling.bytes, sizeof core_);
  }
  MetadataValue(std::string_view value) : MetadataValue{std::string{value}} {}
  MetadataValue(const char* value) : MetadataValue{std::string{value}} {}
  /// @}
  /// What has been moved from is nothing; an assignment that runs out of memory changes nothing.
  /// @{
  MetadataValue(const MetadataValue&) = default;
  MetadataValue(MetadataValue&& other) noexcept
      : core_{other.core_}, text_{std::move(other.text_)} {
    other.core_ = Core{};
  }
  MetadataValue& operator=(MetadataValue other) noexcept {
    core_ = other.core_;
    text_.swap(other.text_);
    return *this;
  }
  ~MetadataValue() = default;
  /// @}

  /// The value as `V`, one of bool, std::int64_t, std::uint64_t, double, std::string; null if it is
  /// of another kind, or an integer that `V` cannot hold. So one that is neither negative nor beyond
  /// the signed range is there as either integer type, whatever it was made from.
  /// @return  valid until the value changes
  /// @throws  nothing
  template <class V>
  [[nodiscard]] const V* get_if() const noexcept {
    if constexpr (std::same_as<V, bool>) {
      return core_.kind == Kind::truth ? &core_.truth : nullptr;
    } else if constexpr (std::same_as<V, std::int64_t>) {
      return core_.kind == Kind::integer ? &core_.scalar.integer : nullptr;
    } else if constexpr (std::same_as<V, std::uint64_t>) {
      if (core_.kind == Kind::natural) return &core_.scalar.natural;
      // Of an integer, its unsigned twin may refer to it.
      return core_.kind == Kind::integer && core_.scalar.integer >= 0
                 ? reinterpret_cast<const std::uint64_t*>(&core_.scalar.integer)
                 : nullptr;
    } else if constexpr (std::same_as<V, double>) {
      return core_.kind == Kind::real ? &core_.scalar.real : nullptr;
    } else {
      static_assert(std::same_as<V, std::string>,
                    "a metadata value is a bool, std::int64_t, std::uint64_t, double, std::string");
      return core_.kind == Kind::text ? &text_ : nullptr;
    }
  }
  /// True if there is nothing.
  [[nodiscard]] bool is_null() const noexcept { return core_.kind == Kind::nothing; }

  /// Calls `visitor` with the value as its own kind; with nullptr for nothing.
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    switch (core_.kind) {
      case Kind::truth: return visitor(core_.truth);
      case Kind::integer: return visitor(core_.scalar.integer);
      case Kind::natural: return visitor(core_.scalar.natural);
      case Kind::real: return visitor(core_.scalar.real);
      case Kind::text: return visitor(text_);
      case Kind::nothing: break;
    }
    return visitor(nullptr);
  }

  [[nodiscard]] friend bool operator==(const MetadataValue& a, const MetadataValue& b) noexcept {
    const bool same = a.words() == b.words();
    return a.core_.size < inexact ? same : same_with_care(a, b, same);
  }

 private:
  friend class Metadata;
  friend class MetadataMatch;

  enum class Kind : std::uint8_t { nothing, truth, integer, natural, real, text };

  // Not a std::variant: with one that holds a string, g++ 12 warns of uninitialised values at -O3,
  // in the code of whoever builds metadata.
  union Scalar {
    std::uint64_t natural = 0;
    std::int64_t integer;
    double real;
  };

  /// Tells values apart, unless `size` says that it does not; so most are compared at the price of
  /// two words. It begins as a detail::Spelling does.
  struct Core {
    Kind kind = Kind::nothing;
    bool truth = false;
    std::uint8_t size =
        0;  ///< of a text // bytes; from `inexact` on the rest has to be compared, too
    std::uint8_t text[5] = {};  ///< its beginning, which goes on in `scalar`
    Scalar scalar = {};
  };
  static_assert(sizeof(Core) == 16);
  static constexpr std::uint8_t inexact = detail::Spelling<3>::too_long - 1;

  [[nodiscard]] detail::TwoWords words() const noexcept { return detail::TwoWords::of(&core_); }

  /// Out of line, to keep the rest short.
  /// @param same  whether the cores are
  [[gnu::noinline]] static bool same_with_care(const MetadataValue& a, const MetadataValue& b,
                                               bool same) noexcept {
    if (a.core_.kind == Kind::real) {
      return b.core_.kind == Kind::real && a.core_.scalar.real == b.core_.scalar.real;
    }
    return same && detail::same_text(a.text_, b.text_);
  }

  Core core_;
  std::string text_;
};

}  // namespace gossip
