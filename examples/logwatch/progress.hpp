// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Progress: a bar on standard error, if that is a terminal.

#include <chrono>
#include <cstdint>

namespace logwatch {

class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Wipes the bar.
  ~Progress();

  /// Draws the bar anew, if it has not just been drawn.
  /// @param lines  how many have been read
  /// @param done   bytes read
  /// @param size   bytes in all; 0 if unknown
  void show(std::uint64_t lines, std::uint64_t done, std::uint64_t size);

 private:
  const bool on_;
  std::chrono::steady_clock::time_point due_;
};

}  // namespace logwatch
