// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What tap is told on its command line.

#include <gossip/redis/options.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct Options {
  std::string pattern;
  gossip::redis::RedisOptions redis;
  std::uint64_t count = 0;  ///< events; 0: no end
  bool json = false;
  bool help = false;
};

extern const char* const usage;

/// @return  what is wrong with the words; empty: nothing
std::string parse(const std::vector<std::string_view>& words, Options& options);
