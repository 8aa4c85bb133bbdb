// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Recorder: what processors saw, written by workers and read by the test.

#include <gossip/testing/recording_processor.hpp>
#include <gossip/testing/wait.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace gossip::test {

/// A list that many threads append to.
template <class T>
class Recorder {
 public:
  void add(T value) { list_.add(std::move(value)); }

  /// Waits until there are at least `count` values. @return false if the deadline came first
  [[nodiscard]] bool wait_for(std::size_t count) {
    return list_.wait_for(count, testing::patience);
  }

  [[nodiscard]] std::vector<T> values() const { return list_.events(); }
  [[nodiscard]] std::vector<T> sorted() const {
    std::vector<T> copy = values();
    std::sort(copy.begin(), copy.end());
    return copy;
  }
  [[nodiscard]] std::size_t size() const { return list_.count(); }

 private:
  detail::RecordedList<T> list_;
};

/// A gate that stays shut until it is opened; whoever waits at it is counted.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  /// Nobody stays behind a gate when a test fails.
  ~Gate() { open(); }

  /// Waits until the gate is open. @return false if the deadline came first
  bool pass() {
    std::unique_lock lock{mutex_};
    ++arrived_;
    changed_.notify_all();
    return changed_.wait_for(lock, testing::patience, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }
  /// Waits until `count` threads have come to the gate. @return false if the deadline came first
  [[nodiscard]] bool wait_for_arrivals(std::size_t count = 1) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, testing::patience, [&] { return arrived_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t arrived_ = 0;
  bool open_ = false;
};

}  // namespace gossip::test
