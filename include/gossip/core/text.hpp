// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Texts put together from parts. Layer: core.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gossip::detail {

/// The parts, one after the other. One way to put texts together everywhere: each of std::string's
/// own, and each overload of std::to_string, is a dozen functions to compile.
/// @throws std::bad_alloc
inline std::string join(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view& part : parts) text.append(part.data(), part.size());
  return text;
}

/// A number in decimal digits, for join().
class Decimal {
 public:
  explicit Decimal(std::uint64_t number) noexcept {
    do {
      digits_[--first_] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
  }
  operator std::string_view() const noexcept { return {digits_ + first_, sizeof digits_ - first_}; }

 private:
  char digits_[20];
  std::size_t first_ = sizeof digits_;
};

/// A number in decimal digits, with its sign if it is negative. @throws std::bad_alloc
[[nodiscard]] inline std::string signed_decimal(int number) {
  const std::int64_t wide = number;
  return join(
      {number < 0 ? "-" : "", Decimal{static_cast<std::uint64_t>(number < 0 ? -wide : wide)}});
}

}  // namespace gossip::detail
