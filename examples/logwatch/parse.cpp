// SPDX-License-Identifier: MIT
#include "parse.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace logwatch {
namespace {

/// The whole text as a number.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<unsigned> month_named(std::string_view name) {
  constexpr std::array<std::string_view, 12> names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<unsigned>(i + 1);
  }
  return std::nullopt;
}

std::optional<Minute> minute(std::optional<int> year, std::optional<unsigned> month,
                             std::optional<unsigned> day, std::optional<unsigned> hour,
                             std::optional<unsigned> minutes) {
  if (!year || !month || !day || !hour || !minutes) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{*month},
                                         std::chrono::day{*day}};
  if (!date.ok() || *hour > 23 || *minutes > 59) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minutes};
}

/// Takes a text apart from the front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_{text} {}

  /// What stands before `delimiter`, or all that is left; steps behind the delimiter.
  std::string_view until(char delimiter) {
    const std::size_t at = rest_.find(delimiter);
    const std::string_view taken = rest_.substr(0, at);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + 1);
    return taken;
  }
  std::string_view word() { return until(' '); }

  /// What stands between quotes, of which `\"` is none.
  std::optional<std::string_view> quoted() {
    if (!rest_.starts_with('"')) return std::nullopt;
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == '"') {
        const std::string_view taken = rest_.substr(1, at - 1);
        rest_.remove_prefix(at + 1);
        if (rest_.starts_with(' ')) rest_.remove_prefix(1);
        return taken;
      }
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

/// 2025-06-24 14:36:25 status installed libc6:amd64 2.36-9
Parsed parse_dpkg(const LogLine& line) {
  Cursor cursor{*line.text};
  Cursor date{cursor.word()};
  Cursor time{cursor.word()};
  const auto year = number<int>(date.until('-'));
  const auto month = number<unsigned>(date.until('-'));
  const auto day = number<unsigned>(date.until('-'));
  const auto hour = number<unsigned>(time.until(':'));
  const auto minutes = number<unsigned>(time.until(':'));
  const auto at = minute(year, month, day, hour, minutes);
  const std::string_view action = cursor.word();
  const std::string_view what = cursor.word();
  if (!at || action.empty() || what.empty()) return line;
  if (action == "status") {
    const std::string_view package = cursor.word();
    if (package.empty()) return line;
    return PackageStatus{line.text, line.number, what, package, *at};
  }
  const bool about_package = action != "startup" && action != "conffile";
  return PackageAction{line.text, action, about_package ? what : std::string_view{}, *at};
}

/// 192.0.2.7 - alice [10/Oct/2025:13:55:36 +0000] "GET /a?b=c HTTP/1.1" 200 2326 "from" "agent" 0.07
Parsed parse_access(const LogLine& line) {
  Cursor cursor{*line.text};
  const std::string_view client = cursor.word();
  cursor.until('[');
  const auto day = number<unsigned>(cursor.until('/'));
  const auto month = month_named(cursor.until('/'));
  const auto year = number<int>(cursor.until(':'));
  const auto hour = number<unsigned>(cursor.until(':'));
  const auto minutes = number<unsigned>(cursor.until(':'));
  const auto at = minute(year, month, day, hour, minutes);
  cursor.until(']');
  cursor.word();
  const auto request = cursor.quoted();
  const auto status = number<std::uint16_t>(cursor.word());
  const std::string_view bytes = cursor.word();
  if (client.empty() || !at || !request || !status || *status < 100 || *status > 599) return line;
  if (bytes != "-" && !number<std::uint64_t>(bytes)) return line;

  Cursor words{*request};
  words.word();
  const std::string_view target = words.word();
  const std::string_view path = Cursor{target.empty() ? *request : target}.until('?');
  HttpRequest parsed{line.text, client, path, *at, 0, *status};
  cursor.quoted();  // the page before
  cursor.quoted();  // the browser
  if (const auto seconds = number<double>(cursor.word()); seconds && *seconds > 0) {
    constexpr double longest = 4'000'000;
    parsed.milliseconds = static_cast<std::uint32_t>(std::min(*seconds, longest) * 1000);
  }
  return parsed;
}

}  // namespace

std::string_view to_string(Format format) { return format == Format::dpkg ? "dpkg" : "access"; }

std::optional<Format> format_named(std::string_view name) {
  for (const Format format : {Format::dpkg, Format::access}) {
    if (name == to_string(format)) return format;
  }
  return std::nullopt;
}

Parsed parse(Format format, const LogLine& line) {
  return format == Format::dpkg ? parse_dpkg(line) : parse_access(line);
}

bool matches(Format format, const LogLine& line) {
  return !std::holds_alternative<LogLine>(parse(format, line));
}

}  // namespace logwatch
