// SPDX-License-Identifier: MIT
#pragma once

// What a program owes to whoever calls it: help, a word on what is wrong, an exit code that can be
// relied on.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace program {

/// Whether a word of the command line asks for help.
inline bool is_help(std::string_view word) { return word == "--help" || word == "-h"; }

/// What to say to an option that there is not: which there are, taken from the lines of `usage` that
/// begin with two spaces and an option.
inline std::string no_such_option(std::string_view word, std::string_view usage) {
  std::string text{"no such option: '"};
  text += word;
  text += "'; there are";
  const char* before = " ";
  for (std::size_t at = 0; (at = usage.find("\n  --", at)) != std::string_view::npos;) {
    at += 3;
    text += before;
    text += usage.substr(at, usage.find_first_of(" ,\n", at) - at);
    before = ", ";
  }
  return text;
}

/// Runs what a program does, `run()`, which returns its exit code. An exception is told and makes the
/// code 1, as does output that could not be written: a full disk is no success.
template <class Run>
int finish(const char* name, Run&& run) {
  int code = 1;
  try {
    code = run();
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
  }
  std::cout.flush();
  if (!std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::cerr << name << ": cannot write to standard output\n";
    if (code == 0) code = 1;
  }
  return code;
}

/// The whole of a program that knows no arguments but --help.
template <class Run>
int without_arguments(const char* name, const char* usage, int count, char** arguments, Run&& run) {
  if (count == 1) return finish(name, run);
  if (count == 2 && is_help(arguments[1])) {
    return finish(name, [&] {
      std::cout << usage;
      return 0;
    });
  }
  const char* const wrong = is_help(arguments[1]) ? arguments[2] : arguments[1];
  std::cerr << name << ": takes no arguments but --help, not '" << wrong << "'\n" << usage;
  return 2;
}

}  // namespace program
