// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Counts calls of operator new, in the whole process.

#include <cstdint>

namespace bench {

/// Allocations so far, by all threads.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace bench
