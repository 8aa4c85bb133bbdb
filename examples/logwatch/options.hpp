// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The command line.

#include "parse.hpp"

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

namespace logwatch {

struct Options {
  std::string file = "-";        ///< "-" is standard input
  std::optional<Format> format;  ///< found out from the first lines if not given
  std::size_t workers = 0;       ///< 0: one per core // threads
  std::size_t capacity = 1024;   ///< of the queue // events
  bool timing = true;
  bool help = false;
};

/// A command line that makes no sense.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// @throws UsageError
Options parse_options(int argc, const char* const* argv);

extern const char* const usage;

}  // namespace logwatch
