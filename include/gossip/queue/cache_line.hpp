// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Sizes that keep threads from sharing cache lines by accident. Layer: queue.

#include <cstddef>

namespace gossip::detail {

/// What two threads must not share if one of them writes. // bytes
/// A constant of ours, since std::hardware_destructive_interference_size may differ between
/// translation units of one program.
#if defined(__APPLE__) && defined(__aarch64__)
inline constexpr std::size_t cache_line_bytes = 128;
#else
inline constexpr std::size_t cache_line_bytes = 64;
#endif

/// Two lines: adjacent-line prefetchers move lines in pairs. // bytes
inline constexpr std::size_t prefetch_pair_bytes = 128;

/// Asks for the cache line of `address`, to write to it soon. A hint: never faults, never waits.
inline void prefetch_for_writing([[maybe_unused]] const void* address) noexcept {
#if defined(__x86_64__)
  // __builtin_prefetch asks for ownership only if the compiler may assume the instruction, which
  // every x86-64 processor executes or ignores.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#elif defined(__GNUC__)
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace gossip::detail
