// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

namespace logwatch {
namespace {

bool stderr_is_terminal() {
#if defined(_WIN32)
  return _isatty(2) != 0;
#else
  return isatty(STDERR_FILENO) != 0;
#endif
}

constexpr std::chrono::milliseconds period{50};
constexpr std::size_t width = 30;
constexpr const char* wipe = "\r\033[K";  // to the line's beginning, and erase it

}  // namespace

Progress::Progress() : on_{stderr_is_terminal()} {}

Progress::~Progress() {
  if (on_) std::cerr << wipe << std::flush;
}

void Progress::show(std::uint64_t lines, std::uint64_t done, std::uint64_t size) {
  if (!on_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < due_) return;
  due_ = now + period;
  std::string text = wipe;
  if (size > 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(size));
    const auto full = static_cast<std::size_t>(part * static_cast<double>(width));
    text += '[' + std::string(full, '#') + std::string(width - full, ' ') + "] " +
            std::to_string(static_cast<int>(part * 100)) + " %  ";
  }
  std::cerr << text << lines << " lines" << std::flush;
}

}  // namespace logwatch
