// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Tally: counts by key, from any thread.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace logwatch {

/// Counts how often each key occurs. Processors run on several threads at once, so it has a lock of
/// its own.
template <class Key>
class Tally {
 public:
  using Row = std::pair<Key, std::uint64_t>;

  /// @param key  a Key, or what is compared with one and makes one
  /// @return     how often it has been counted by now: of the callers for one key, exactly one is
  ///             told each number
  template <class K>
  std::uint64_t add(const K& key) {
    const std::lock_guard lock{mutex_};
    auto at = counts_.find(key);
    if (at == counts_.end()) at = counts_.emplace(Key{key}, 0).first;
    return ++at->second;
  }

  /// All, in the order of the keys.
  [[nodiscard]] std::vector<Row> rows() const {
    const std::lock_guard lock{mutex_};
    return {counts_.begin(), counts_.end()};
  }

  /// The most frequent ones, at most `limit`; of equals, the lesser key first.
  [[nodiscard]] std::vector<Row> top(std::size_t limit) const {
    std::vector<Row> all = rows();
    std::stable_sort(all.begin(), all.end(),
                     [](const Row& a, const Row& b) { return a.second > b.second; });
    if (all.size() > limit) all.resize(limit);
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::map<Key, std::uint64_t, std::less<>> counts_;
};

}  // namespace logwatch
