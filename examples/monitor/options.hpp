// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

namespace monitor {

/// A command line that makes no sense; says why.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Options {
  int seconds = 10;
  int interval = 1000;  // milliseconds
  int rate = 2000;      // orders per second
  int workers = 2;
  bool plain = false;
  bool metrics = false;
  bool stall = false;
  bool help = false;
  std::string topology = {};  ///< mermaid, dot or json; empty: none
};

extern const char* const usage;

/// @throws UsageError
Options parse_options(int argc, const char* const* argv);

}  // namespace monitor
