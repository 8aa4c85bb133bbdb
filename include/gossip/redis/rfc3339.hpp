// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Times as texts: RFC 3339 to the nanosecond. Layer: redis.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gossip::redis {

/// Appends a time in UTC: `2025-01-02T03:04:05.123Z`, without trailing zeros in the fraction, and
/// without a fraction if it is zero.
/// @param time_ns  nanoseconds since the Unix epoch
inline void append_time(std::int64_t time_ns, std::string& text) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds{time_ns}};
  const sys_days day = floor<days>(time);
  const year_month_day date{day};
  const auto append = [&](std::int64_t number, std::size_t digits) {
    const std::string written = std::to_string(number);
    text.append(digits > written.size() ? digits - written.size() : 0, '0');
    text += written;
  };
  append(int{date.year()}, 4);
  text += '-';
  append(unsigned{date.month()}, 2);
  text += '-';
  append(unsigned{date.day()}, 2);
  text += 'T';
  // `time - day` may not fit: the first day that begins before the least time.
  std::int64_t rest = time_ns % 86'400'000'000'000;
  if (rest < 0) rest += 86'400'000'000'000;
  const std::int64_t seconds = rest / 1'000'000'000;
  append(seconds / 3600, 2);
  text += ':';
  append(seconds / 60 % 60, 2);
  text += ':';
  append(seconds % 60, 2);
  if (rest % 1'000'000'000 != 0) {
    text += '.';
    append(rest % 1'000'000'000, 9);
    while (text.back() == '0') text.pop_back();
  }
  text += 'Z';
}

/// Reads a time with its zone: `Z` or an offset such as `+05:30`; digits beyond the ninth of the
/// fraction are cut.
/// @param time_ns  nanoseconds since the Unix epoch; set on success
/// @return         false if it is no such time, or outside the years 1677 to 2262 that fit
[[nodiscard]] inline bool read_time(std::string_view text, std::int64_t& time_ns) {
  using namespace std::chrono;
  const auto take_mark = [&](std::string_view marks) {
    if (text.empty() || marks.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  const auto take = [&](std::size_t digits, int most, int& number) {
    if (text.size() < digits) return false;
    number = 0;
    for (; digits != 0; --digits, text.remove_prefix(1)) {
      if (text.front() < '0' || text.front() > '9') return false;
      number = number * 10 + (text.front() - '0');
    }
    return number <= most;
  };
  int year_number = 0;
  int month_number = 0;
  int day_number = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!take(4, 9999, year_number) || !take_mark("-") || !take(2, 12, month_number) ||
      !take_mark("-") || !take(2, 31, day_number) || !take_mark("Tt") || !take(2, 23, hour) ||
      !take_mark(":") || !take(2, 59, minute) || !take_mark(":") || !take(2, 59, second)) {
    return false;
  }
  const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                            day{static_cast<unsigned>(day_number)}};
  if (!date.ok()) return false;

  std::int64_t fraction = 0;
  if (take_mark(".")) {
    std::int64_t unit = 100'000'000;
    int digit = 0;
    if (!take(1, 9, digit)) return false;
    do {
      fraction += unit * digit;
      unit /= 10;
    } while (take(1, 9, digit));
  }

  int offset = 0;  // minutes
  if (!take_mark("Zz")) {
    const bool west = !text.empty() && text.front() == '-';
    int hours = 0;
    int minutes = 0;
    if (!take_mark("+-") || !take(2, 23, hours) || !take_mark(":") || !take(2, 59, minutes)) {
      return false;
    }
    offset = (hours * 60 + minutes) * (west ? -1 : 1);
  }
  if (!text.empty()) return false;

  std::int64_t seconds = std::int64_t{sys_days{date}.time_since_epoch().count()} * 86'400 +
                         // NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result)
                         hour * 3600 + (minute - offset) * 60 + second;
  if (seconds < 0 && fraction != 0) {  // so that neither product below leaves the range
    ++seconds;
    fraction -= 1'000'000'000;
  }
  constexpr std::int64_t most = INT64_MAX / 1'000'000'000;
  constexpr std::int64_t rest = INT64_MAX % 1'000'000'000;
  if (seconds > most || (seconds == most && fraction > rest)) return false;
  if (seconds < -most || (seconds == -most && fraction < -rest - 1)) return false;
  time_ns = seconds * 1'000'000'000 + fraction;
  return true;
}

}  // namespace gossip::redis
