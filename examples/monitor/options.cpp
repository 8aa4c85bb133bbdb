// SPDX-License-Identifier: MIT
#include "../program.hpp"
#include "options.hpp"

#include <charconv>
#include <string_view>
#include <system_error>

namespace monitor {
namespace {

int number(std::string_view option, std::string_view text, int most) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < 1 || value > most) {
    throw UsageError{std::string{option}
                         .append(" takes a number from 1 to ")
                         .append(std::to_string(most))
                         .append(", not '")
                         .append(text)
                         .append("'")};
  }
  return value;
}

}  // namespace

const char* const usage =
    R"(usage: monitor [OPTION...]

Runs a shop under a load that goes up and down, and shows what its bus does: rates, waiting
times, failures. On a terminal as a screen that is drawn anew, elsewhere as one line per moment.

  --seconds N      how long, 1 to 86400; 10 if not given
  --interval N     milliseconds between two looks, 1 to 60000; 1000 if not given
  --rate N         orders per second, 1 to 100000; 2000 if not given
  --workers N      threads that handle events, 1 to 64; 2 if not given
  --stall          the warehouse hangs for three seconds, once: the watchdog names it
  --plain          lines, on a terminal too
  --metrics        at the end, the page that Prometheus would be given
  --topology KIND  only shows how the bus is wired, as mermaid, dot or json
  --help, -h       this

Ends with 0 if every event was accounted for, 1 if not, 2 for a command line that makes no
sense.
)";

Options parse_options(int argc, const char* const* argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&]() -> std::string_view {
      if (i + 1 == argc) throw UsageError{std::string{argument}.append(" needs a value")};
      return argv[++i];
    };
    if (program::is_help(argument)) {
      options.help = true;
    } else if (argument == "--plain") {
      options.plain = true;
    } else if (argument == "--stall") {
      options.stall = true;
    } else if (argument == "--metrics") {
      options.metrics = true;
    } else if (argument == "--seconds") {
      options.seconds = number(argument, value(), 86400);
    } else if (argument == "--interval") {
      options.interval = number(argument, value(), 60000);
    } else if (argument == "--rate") {
      options.rate = number(argument, value(), 100000);
    } else if (argument == "--workers") {
      options.workers = number(argument, value(), 64);
    } else if (argument == "--topology") {
      options.topology = value();
      if (options.topology != "mermaid" && options.topology != "dot" &&
          options.topology != "json") {
        throw UsageError{std::string{"--topology takes mermaid, dot or json, not '"}
                             .append(options.topology)
                             .append("'")};
      }
    } else {
      throw UsageError{program::no_such_option(argument, usage)};
    }
  }
  return options;
}

}  // namespace monitor
