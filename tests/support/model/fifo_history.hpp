// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// A checker for histories of a concurrent bounded queue.
///
/// For values that are all different a history of a queue is linearizable if and only if it has none
/// of four violations: Henzinger, Sezgin and Vafeiadis, "Aspect-oriented linearizability proofs"
/// (CONCUR 2013; Logical Methods in Computer Science 11(1), 2015). The first three are checked as
/// they stand there. The fourth, an answer "empty" while the queue cannot have been empty, is
/// allowed where MpmcQueue allows it: while a push is under way that may hold an earlier slot. The
/// same holds for "full" and pops.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace gossip::test::model {

/// One completed operation. It took effect somewhere between its two ticks.
struct QueueOperation {
  enum class Kind : std::uint8_t { push, pop };
  Kind kind = Kind::push;
  bool done = false;        ///< false: the answer was "full", or "empty"
  std::uint64_t value = 0;  ///< pushed, or popped
  std::uint64_t invoked = 0;
  std::uint64_t returned = 0;
};

/// What is wrong with a complete history, that is, one at whose end nothing is under way.
/// @param capacity  of the queue
/// @return          empty if nothing is
inline std::string find_violation(const std::vector<QueueOperation>& history,
                                  std::size_t capacity) {
  using Kind = QueueOperation::Kind;
  struct Life {
    const QueueOperation* push = nullptr;
    const QueueOperation* pop = nullptr;
  };
  std::unordered_map<std::uint64_t, Life> lives;
  const auto about = [](const char* what, const QueueOperation& operation) {
    return std::string{what} + ": value " + std::to_string(operation.value) + ", ticks " +
           std::to_string(operation.invoked) + " to " + std::to_string(operation.returned);
  };
  for (const QueueOperation& operation : history) {
    if (!operation.done) continue;
    Life& life = lives[operation.value];
    const QueueOperation*& part = operation.kind == Kind::push ? life.push : life.pop;
    if (part != nullptr) {
      return about(operation.kind == Kind::push ? "pushed twice" : "popped twice", operation);
    }
    part = &operation;
  }
  for (const auto& [value, life] : lives) {
    if (life.push == nullptr) return about("popped, never pushed", *life.pop);
    if (life.pop != nullptr && life.pop->returned < life.push->invoked) {
      return about("popped before it was pushed", *life.pop);
    }
  }
  for (const auto& [first, a] : lives) {
    for (const auto& [second, b] : lives) {
      if (a.push->returned > b.push->invoked || b.pop == nullptr) continue;
      if (a.pop == nullptr) return about("left behind by a later one", *a.push);
      if (b.pop->returned < a.pop->invoked) return about("overtaken by a later one", *a.pop);
    }
  }
  const auto overlap = [](const QueueOperation& a, const QueueOperation& b) {
    return a.invoked < b.returned && b.invoked < a.returned;
  };
  for (const QueueOperation& answer : history) {
    if (answer.done) continue;
    const Kind excuse = answer.kind == Kind::pop ? Kind::push : Kind::pop;
    bool excused = false;
    for (const QueueOperation& other : history) {
      excused = excused || (other.kind == excuse && overlap(answer, other));
    }
    if (excused) continue;
    if (answer.kind == Kind::pop) {
      for (const auto& [value, life] : lives) {
        if (life.push->returned < answer.invoked &&
            (life.pop == nullptr || life.pop->invoked > answer.returned)) {
          return about("\"empty\", but a value was there", answer);
        }
      }
    } else {
      std::size_t inside = 0;  // at most
      for (const auto& [value, life] : lives) {
        inside += life.push->invoked < answer.returned &&
                          (life.pop == nullptr || life.pop->returned > answer.invoked)
                      ? 1
                      : 0;
      }
      if (inside < capacity) return about("\"full\", but there was space", answer);
    }
  }
  return {};
}

}  // namespace gossip::test::model
