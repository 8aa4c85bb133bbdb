// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Waiting in tests: always for a condition, never for a time.

#include <gossip/testing/wait.hpp>

#include "support/sanitizers.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace gossip::test {

using testing::patience;

/// `full` repetitions; fewer where a sanitizer makes each of them dear.
constexpr std::size_t scaled(std::size_t full) noexcept {
#if defined(GOSSIP_THREAD_SANITIZER)
  return full / 50 + 1;
#elif defined(GOSSIP_TEST_ADDRESS_SANITIZER)
  return full / 8 + 1;
#elif !defined(NDEBUG)
  return full / 4 + 1;
#else
  return full;
#endif
}

/// A door that one thread opens and others wait at.
class Door {
 public:
  void open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }
  /// @return false if it was not opened within `limit`
  bool wait(std::chrono::nanoseconds limit = patience) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Counts up; a thread can wait for a number.
class Tally {
 public:
  void add(std::size_t by = 1) {
    const std::lock_guard lock{mutex_};
    count_ += by;
    changed_.notify_all();
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock{mutex_};
    return count_;
  }
  /// @return false if the number was not reached within `limit`
  bool wait_for(std::size_t number, std::chrono::nanoseconds limit = patience) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return count_ >= number; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
};

/// Blocks without using the processor for `time`, while something else is measured.
inline void let_pass(std::chrono::nanoseconds time) {
  Door never;
  never.wait(time);
}

/// Waits until `condition()` holds: gives other threads their turn, and before long their processor.
/// @return false if it did not within `limit`
template <class Condition>
[[nodiscard]] bool eventually(Condition&& condition, std::chrono::nanoseconds limit = patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (int turns = 0; !condition(); ++turns) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    if (turns < 1'000) {
      std::this_thread::yield();
    } else {
      let_pass(std::chrono::microseconds{200});
    }
  }
  return true;
}

}  // namespace gossip::test
