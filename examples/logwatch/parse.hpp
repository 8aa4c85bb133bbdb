// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// From a line of text to a typed event; pure functions.

#include "events.hpp"

#include <optional>
#include <string_view>
#include <variant>

namespace logwatch {

enum class Format {
  dpkg,    ///< /var/log/dpkg.log
  access,  ///< a web server's log: common or combined, perhaps with the seconds taken at the end
};

/// "dpkg" or "access".
std::string_view to_string(Format format);
/// The inverse; nothing for a name that is none.
std::optional<Format> format_named(std::string_view name);

/// What a line turned out to be; itself, if it is not in the format.
using Parsed = std::variant<LogLine, PackageAction, PackageStatus, HttpRequest>;

Parsed parse(Format format, const LogLine& line);

/// True if the line is in the format.
bool matches(Format format, const LogLine& line);

}  // namespace logwatch
