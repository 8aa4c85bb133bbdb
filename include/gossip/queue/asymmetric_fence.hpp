// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Asymmetric fence: a store-load fence whose cost falls on the rare side. Layer: queue.
///
/// One thread writes A and then reads B; another writes B and then reads A; at least one of them
/// must see the other's write (Dekker). Between its two accesses the frequent side calls
/// light_fence() and the rare side heavy_fence(). With Linux's membarrier(2) the light fence only
/// stops the compiler, and the heavy one makes every running thread of the process execute a
/// fence. Elsewhere both are ordinary sequentially consistent fences. The technique is Dice,
/// Huang and Yang's "asymmetric Dekker synchronization", as in Linux's documentation of
/// membarrier and in WG21 P1202.

#include <atomic>

#if defined(__linux__) && __has_include(<linux/membarrier.h>)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <gossip/config.hpp>

namespace gossip::detail {

/// Asks the kernel for expedited membarriers in this process.
inline bool register_membarrier() noexcept {
#if defined(__NR_membarrier)
  return syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
  return false;
#endif
}

/// Decided once, before main. A thread that still reads `false` only fences more than it need.
inline const bool has_membarrier = register_membarrier();

/// A sequentially consistent fence.
inline void full_fence() noexcept {
#if defined(GOSSIP_THREAD_SANITIZER)
  std::atomic<int> fence{0};  // ThreadSanitizer knows no fences; a private read-modify-write
  fence.exchange(1);          // orders the processor and tells the sanitizer nothing
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

/// The frequent side's fence: free where membarrier is there.
/// @param is_free  has_membarrier, or an earlier reading of it: a loop keeps it in a register
inline void light_fence(bool is_free = has_membarrier) noexcept {
  if (is_free) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    full_fence();
  }
}

/// The rare side's fence: a system call of 0.1 us, or of 5 to 15 us while other threads run. @throws nothing
inline void heavy_fence() noexcept {
  if (has_membarrier) {
#if defined(__NR_membarrier)
    GOSSIP_ASSERT(syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0,
                  "membarrier worked at the start of the process and was taken away since");
#endif
  } else {
    full_fence();
  }
}

}  // namespace gossip::detail
