// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Counts every allocation of a program. Link support/counting_allocator.cpp, which replaces the
/// global operators new and delete, into one program of its own.

#include <cstddef>

namespace gossip::test {

/// How often any thread has called operator new so far. // allocations
[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace gossip::test
