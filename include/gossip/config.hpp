// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Build facts and the assertion macro. The only header, with version.hpp, that defines macros.

#include <cstdio>
#include <cstdlib>

/// Defined when the translation unit is compiled for ThreadSanitizer, which models neither
/// stand-alone fences nor membarrier: the few places that use them then use read-modify-writes.
#if defined(__SANITIZE_THREAD__)
#define GOSSIP_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GOSSIP_THREAD_SANITIZER 1
#endif
#endif

/// Defined where the standard's threads are glibc's, under GNU's library. Gossip then uses these
/// directly, since std::thread and std::condition_variable take long to compile.
#if defined(__GLIBCXX__) && defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 30)
#define GOSSIP_GLIBC_THREADS 1
#endif

/// Ends the process with `sentence` on standard error when `condition` is false. For programming
/// errors inside gossip that no input can cause; checked in every build, so that a broken invariant
/// is never undefined behaviour.
#define GOSSIP_ASSERT(condition, sentence) \
  (static_cast<bool>(condition)            \
       ? static_cast<void>(0)              \
       : ::gossip::detail::assertion_failed(#condition, sentence, __FILE__, __LINE__))

namespace gossip::detail {

/// Reports a broken invariant and aborts.
[[noreturn]] inline void assertion_failed(const char* condition, const char* sentence,
                                          const char* file, int line) noexcept {
  std::fprintf(stderr, "gossip: %s (%s) at %s:%d\n", sentence, condition, file, line);
  std::abort();
}

}  // namespace gossip::detail
