// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ThrowingPayload: a payload whose copies and moves fail when told to.

#include <atomic>
#include <stdexcept>
#include <utility>

namespace gossip::test {

/// Counts its living objects, and fails the next copy or move when told to.
class ThrowingPayload {
 public:
  struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  ThrowingPayload() : ThrowingPayload{0} {}
  explicit ThrowingPayload(int number) : value{number} { ++alive; }
  ThrowingPayload(const ThrowingPayload& other) : value{other.value} {
    if (fail_copies) throw Failure{"copy"};
    ++alive;
  }
  ThrowingPayload(ThrowingPayload&& other) : value{other.value} {
    if (fail_moves) throw Failure{"move"};
    other.value = -1;
    ++alive;
  }
  ThrowingPayload& operator=(const ThrowingPayload&) = delete;
  ThrowingPayload& operator=(ThrowingPayload&&) = delete;
  ~ThrowingPayload() { --alive; }

  int value;

  inline static std::atomic<int> alive{0};
  inline static std::atomic<bool> fail_copies{false};
  inline static std::atomic<bool> fail_moves{false};
};

/// Sets a switch for the life of the object.
class Raised {
 public:
  explicit Raised(std::atomic<bool>& flag) : flag_{flag} { flag_ = true; }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;
  ~Raised() { flag_ = false; }

 private:
  std::atomic<bool>& flag_;
};

}  // namespace gossip::test
