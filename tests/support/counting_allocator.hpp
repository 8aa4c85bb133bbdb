// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Counts every allocation of a program, and makes one fail that a test names. Link
/// support/counting_allocator.cpp, which replaces the global operators new and delete, into one program
/// of its own.

#include <cstddef>

namespace gossip::test {

/// How often any thread has called operator new so far. // allocations
[[nodiscard]] std::size_t allocations() noexcept;
/// What operator new has given to any thread, and nobody has given back. // bytes
[[nodiscard]] std::size_t bytes_in_use() noexcept;

/// The calling thread's next allocation but so many throws std::bad_alloc, once.
void fail_after(std::size_t others) noexcept;
/// No more of that on the calling thread. @return whether one has failed
bool stop_failing() noexcept;

/// On whatever thread: of the allocations for which `where()` holds, the next but so many throws, once.
void fail_where(bool (*where)() noexcept, std::size_t others) noexcept;
/// No more of that. @return whether one has failed
bool stop_failing_anywhere() noexcept;
/// Whether an allocation is to fail now. For what does not call operator new.
[[nodiscard]] bool fails_now() noexcept;

}  // namespace gossip::test
