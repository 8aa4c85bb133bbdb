// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The summary.

#include <gossip/gossip.hpp>

#include "watch.hpp"

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace logwatch {

/// What the bus did and what the processors found, as tables.
void print_summary(std::ostream& out, const gossip::Statistics& stats, const Watch& watch);

/// "N lines in ... on ... workers: ... lines per second"
void print_timing(std::ostream& out, std::uint64_t lines, std::chrono::duration<double> taken,
                  std::size_t workers);

/// Checks that no event was lost: every line was dispatched, each became exactly one typed event,
/// whatever was published was handled, and no processor failed.
/// @return  what does not add up; empty if all does
std::string find_loss(const gossip::Statistics& stats, std::uint64_t lines);

}  // namespace logwatch
