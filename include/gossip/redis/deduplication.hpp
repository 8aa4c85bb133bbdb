// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RecentIds: remembers the ids that were seen last. Layer: redis.

#include <cstddef>
#include <deque>
#include <new>
#include <string>
#include <string_view>
#include <unordered_set>

namespace gossip::redis {

/// The last so many ids, to tell repetitions by. The oldest is forgotten first.
///
/// Thread safety: none.
class RecentIds {
 public:
  /// @param capacity  how many it remembers; 0: none // ids
  explicit RecentIds(std::size_t capacity) : capacity_{capacity} {}

  /// @return  true if the id was not there
  /// @throws  std::bad_alloc; nothing has changed then
  bool add(std::string_view id) {
    if (capacity_ == 0 || id.empty()) return true;
    const auto [at, is_new] = known_.emplace(id);
    if (!is_new) return false;
    try {
      order_.emplace_back(id);
    } catch (const std::bad_alloc&) {
      known_.erase(at);
      throw;
    }
    if (order_.size() > capacity_) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }
  /// True if it remembers the id.
  [[nodiscard]] bool contains(std::string_view id) const {
    return known_.contains(std::string{id});
  }

 private:
  const std::size_t capacity_;
  std::deque<std::string> order_;
  std::unordered_set<std::string> known_;
};

}  // namespace gossip::redis
