// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Back-off: how a thread waits for something that is about to happen. Layer: queue.

#include <thread>

namespace gossip::detail {

/// Tells the processor that this thread spins.
inline void pause_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits for `ready` by pauses, then by yielding the processor, then gives up. Looks seldom, since
/// each look takes a cache line from the threads that are waited for.
/// @param pauses  how often to look while spinning
/// @param yields  how often to look after giving other threads a turn
/// @return        true if `ready` held
template <class Ready>
bool spin_until(Ready&& ready, unsigned pauses, unsigned yields) noexcept {
  for (unsigned i = 0; i < pauses; ++i) {
    if (ready()) return true;
    for (unsigned pause = 0; pause < 8; ++pause) pause_processor();
  }
  for (unsigned i = 0; i < yields; ++i) {
    if (ready()) return true;
    std::this_thread::yield();
  }
  return ready();
}

}  // namespace gossip::detail
