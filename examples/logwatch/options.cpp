// SPDX-License-Identifier: MIT
#include "../program.hpp"
#include "options.hpp"

#include <charconv>
#include <string_view>
#include <system_error>

namespace logwatch {
namespace {

std::size_t number(std::string_view option, std::string_view text, std::size_t most) {
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < 1 || value > most) {
    throw UsageError{std::string{option} + " takes a number from 1 to " + std::to_string(most) +
                     ", not '" + std::string{text} + "'"};
  }
  return value;
}

Format format(std::string_view name) {
  if (const auto found = format_named(name)) return *found;
  throw UsageError{"--format takes dpkg or access, not '" + std::string{name} + "'"};
}

}  // namespace

const char* const usage =
    R"(usage: logwatch [OPTION...] [FILE]

Reads a log, publishes each line as an event, and tells what the processors found: counts,
states, hours, and alerts (packages left half-installed, bursts of server errors, ...).
Without FILE, or if it is -, reads standard input.

  --format dpkg|access  a dpkg log, or a web server's access log (common or combined, perhaps
                        with the seconds taken at the end); found out from the first lines
                        if not given
  --workers N           threads that handle events, 1 to 1024; one per core if not given
  --capacity N          events that may wait, 1 to 1048576; 1024 if not given
  --no-timing           leaves out how long it took
  --help, -h            this

Ends with 0 if all went well, 1 if the log cannot be read or is in neither format, 2 for a
command line that makes no sense.
)";

Options parse_options(int argc, const char* const* argv) {
  Options options;
  bool file_given = false;
  bool only_files = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&]() -> std::string_view {
      if (i + 1 == argc) throw UsageError{std::string{argument} + " needs a value"};
      return argv[++i];
    };
    if (only_files || argument == "-" || !argument.starts_with('-')) {
      if (file_given) throw UsageError{"more than one file: '" + std::string{argument} + "'"};
      options.file = argument;
      file_given = true;
    } else if (argument == "--") {
      only_files = true;
    } else if (program::is_help(argument)) {
      options.help = true;
    } else if (argument == "--no-timing") {
      options.timing = false;
    } else if (argument == "--format") {
      options.format = format(value());
    } else if (argument == "--workers") {
      options.workers = number(argument, value(), 1024);
    } else if (argument == "--capacity") {
      options.capacity = number(argument, value(), 1048576);
    } else {
      throw UsageError{program::no_such_option(argument, usage)};
    }
  }
  return options;
}

}  // namespace logwatch
