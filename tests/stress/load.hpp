// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How much the stress tests do.

#include "support/wait.hpp"

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

namespace gossip::test {

/// How long each stress test goes on: GOSSIP_STRESS_SECONDS from the environment, or 0.
inline std::chrono::seconds stress_time() {
  const char* text = std::getenv("GOSSIP_STRESS_SECONDS");
  return std::chrono::seconds{text == nullptr ? 0 : std::atoi(text)};
}

/// Calls `body()` `times` times (fewer under sanitizers), and then until stress_time() is over.
template <class Body>
void repeat(std::size_t times, Body&& body) {
  const auto end = std::chrono::steady_clock::now() + stress_time();
  for (std::size_t i = 0; i < scaled(times) || std::chrono::steady_clock::now() < end; ++i) body();
}

/// Runs `body(i)` on `count` threads and waits for all. They begin together.
inline void on_threads(std::size_t count, const std::function<void(std::size_t)>& body) {
  Door start;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      if (start.wait()) body(i);
    });
  }
  start.open();
  for (auto& thread : threads) thread.join();
}

}  // namespace gossip::test
