// SPDX-License-Identifier: MIT
#pragma once

// What the monitor shows of a bus: as one line per moment, or as a screen that is drawn anew.
#include <gossip/gossip.hpp>

#include <chrono>
#include <deque>
#include <string>

namespace monitor {

/// Makes texts of statistics, each against those before.
class View {
 public:
  /// @param now      of the bus
  /// @param elapsed  since the statistics before
  void update(gossip::Statistics now, std::chrono::duration<double> elapsed);

  /// One line, in which every word but the first is `name=value`.
  [[nodiscard]] std::string line() const;
  /// A screen of ANSI text.
  /// @param note  shown at the end; may be empty
  [[nodiscard]] std::string screen(const std::string& note) const;

 private:
  [[nodiscard]] std::string sparkline() const;

  gossip::Statistics now_;
  gossip::Statistics before_;
  double seconds_ = 1;        ///< between the two
  double total_seconds_ = 0;  ///< since the first
  std::deque<double> rates_;  ///< events per second, the latest last
};

}  // namespace monitor
