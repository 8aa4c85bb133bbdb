// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// An object that counts how many of its kind there are.

namespace gossip::test {

struct Counted {
  explicit Counted(int number = 0) : value{number} { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }

  int value;
  static inline int alive = 0;
};

}  // namespace gossip::test
