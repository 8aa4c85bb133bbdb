// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// EventId: which event it is, unique across threads, buses, processes and machines. Layer: core.

#include <atomic>
#include <cerrno>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#if __has_include(<sys/random.h>)
#include <sys/random.h>
#include <unistd.h>
#else
#include <random>
#endif

namespace gossip {

/// A 128-bit identity: a random origin, drawn once per bus and once per process, and a number that
/// the origin never uses twice. Not a secret, and not ordered by time.
struct EventId {
  std::uint64_t origin = 0;    ///< who numbered the event; 0 means "no id"
  std::uint64_t sequence = 0;  ///< the origin's number for it

  [[nodiscard]] friend constexpr auto operator<=>(const EventId&, const EventId&) = default;
};

namespace detail {

/// Writes what to_string() tells. @return the digits
inline std::string_view write_digits(const EventId& id, char (&digits)[32]) noexcept {
  std::size_t at = sizeof digits;
  for (std::uint64_t part : {id.sequence, id.origin}) {
    for (int digit = 0; digit < 16; ++digit, part >>= 4U) {
      digits[--at] = "0123456789abcdef"[part & 15U];
    }
  }
  // As what a std::string gives a view: for a pointer of another type its constructor would be checked
  // anew.
  const char* const first = digits;
  return {first, sizeof digits};
}

}  // namespace detail

/// 32 hexadecimal digits: the origin, then the number.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string to_string(const EventId& id) {
  char digits[32];
  return std::string{detail::write_digits(id, digits)};
}

namespace detail {

/// Thrown where there is no randomness. Its text is a constant: to put one before what the error says,
/// as the standard's constructor does, takes a dozen functions of std::string.
class NoRandomness final : public std::system_error {
 public:
  explicit NoRandomness(int error)
      : std::system_error{std::error_code{error, std::generic_category()}} {}
  [[nodiscard]] const char* what() const noexcept override {
    return "gossip: no source of randomness";
  }
};

/// A new random origin, never 0.
/// @throws std::system_error  the operating system has no source of randomness
inline std::uint64_t make_origin() {
  std::uint64_t origin = 0;
#if __has_include(<sys/random.h>)
  if (getentropy(&origin, sizeof origin) != 0) {
    throw NoRandomness{errno};
  }
#else
  std::random_device device;  // <random> costs a fifth of the whole library's compile time
  origin = (std::uint64_t{device()} << 32U) | device();
#endif
  return origin | 1U;
}

/// A new id for an event that no bus has numbered.
inline EventId make_event_id() {
  static const std::uint64_t origin = make_origin();
  static std::atomic<std::uint64_t> next{1};
  // (1) relaxed: only uniqueness matters.
  return {origin, next.fetch_add(1, std::memory_order_relaxed)};
}

}  // namespace detail
}  // namespace gossip
