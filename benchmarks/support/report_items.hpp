// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What every micro benchmark reports.

#include "support/allocations.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>

namespace bench {

/// Items per second, and allocations per item.
/// @param allocated  allocations() when the measurement began
inline void report_items(benchmark::State& state, std::int64_t items, std::uint64_t allocated) {
  state.SetItemsProcessed(items);
  state.counters["allocations_per_item"] =
      static_cast<double>(allocations() - allocated) / static_cast<double>(items);
}

}  // namespace bench
