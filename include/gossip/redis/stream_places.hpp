// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamPlaces: the streams that are read, and who wants more or fewer of them. Layer: redis.

#include <gossip/redis/stream_place.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace gossip::redis {

/// Streams by event type. Others say which shall be read, or no longer; the thread of the connection
/// takes that over when it suits it.
///
/// Thread safety: add, remove, has_changes from any thread; the rest belongs to the thread of the
/// connection.
class StreamPlaces {
 public:
  /// Some of them.
  using Places = std::vector<std::shared_ptr<StreamPlace>>;

  /// Wants that one to be read, unless its event type is read already.
  void add(std::shared_ptr<StreamPlace> place) {
    std::string type = place->subscribed->type;
    const std::lock_guard lock{mutex_};
    changes_.emplace_back(std::move(type), std::move(place));
  }
  /// Wants that event type to be read no longer, if `unwanted()`, which is asked under the lock that
  /// orders this and add(). @return whether it does
  template <class Unwanted>
  bool remove(const std::string& type, Unwanted&& unwanted) {
    const std::lock_guard lock{mutex_};
    if (!unwanted()) return false;
    changes_.emplace_back(type, nullptr);
    return true;
  }
  /// True if take_changes() would find something.
  [[nodiscard]] bool has_changes() const {
    const std::lock_guard lock{mutex_};
    return !changes_.empty();
  }

  /// Takes over what was wanted since.
  /// @param begun  called with the Subscribed of each stream that is read from now on
  /// @param ended  called with that of each that is read no longer
  /// @throws std::bad_alloc, and what they throw; what has not been taken over then is by the next call,
  ///         which calls them once more
  template <class Begun, class Ended>
  void take_changes(Begun&& begun, Ended&& ended) {
    while (next_ != taken_.size() || take()) {
      change(taken_[next_], begun, ended);
      ++next_;
    }
  }
  /// All that are read.
  [[nodiscard]] const std::map<std::string, std::shared_ptr<StreamPlace>>& all() const noexcept {
    return places_;
  }
  /// Those that can be read now.
  [[nodiscard]] Places readable() const {
    Places readable;
    for (const auto& entry : places_) {
      if (entry.second->ready) readable.push_back(entry.second);
    }
    return readable;
  }
  /// What to read next: all that can be read, unless one of them is to be read by itself.
  [[nodiscard]] Places next_to_read() const {
    Places readable = this->readable();
    for (const auto& place : readable) {
      if (place->alone) return {place};
    }
    return readable;
  }
  /// Notes one that has become readable.
  void note_fresh(const std::shared_ptr<StreamPlace>& place) { fresh_.push_back(place); }
  /// Those that have become readable since the last call.
  [[nodiscard]] Places take_fresh() noexcept { return std::exchange(fresh_, {}); }
  /// True if there are any.
  [[nodiscard]] bool has_fresh() const noexcept { return !fresh_.empty(); }

 private:
  /// An event type's name, and its stream; null: no longer.
  using Change = std::pair<std::string, std::shared_ptr<StreamPlace>>;

  bool take() noexcept {
    taken_.clear();
    next_ = 0;
    const std::lock_guard lock{mutex_};
    taken_.swap(changes_);
    return !taken_.empty();
  }
  template <class Begun, class Ended>
  void change(const Change& wanted, Begun& begun, Ended& ended) {
    const auto& [type, place] = wanted;
    const auto found = places_.find(type);
    if (found == places_.end()) {
      if (place == nullptr) return;
      begun(*place->subscribed);
      places_.emplace(type, place);
      if (place->ready) note_fresh(place);
    } else if (place == nullptr) {
      ended(*found->second->subscribed);  // first: what it throws leaves the rest to the next call
      found->second->ended = true;
      places_.erase(found);
    }  // else it is read already, and goes on
  }

  mutable std::mutex mutex_;
  std::vector<Change> changes_;

  std::map<std::string, std::shared_ptr<StreamPlace>> places_;  ///< by event type
  std::vector<Change> taken_;                                   ///< taken over up to `next_`
  std::size_t next_ = 0;
  Places fresh_;  ///< readable since the last look
};

}  // namespace gossip::redis
