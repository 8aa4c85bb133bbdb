// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Which sanitizer a test runs under: GOSSIP_THREAD_SANITIZER, GOSSIP_TEST_ADDRESS_SANITIZER.

#include <gossip/config.hpp>

// g++ defines a macro, clang++ answers a question.
#if defined(__SANITIZE_ADDRESS__)
#define GOSSIP_TEST_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GOSSIP_TEST_ADDRESS_SANITIZER 1
#endif
#endif
