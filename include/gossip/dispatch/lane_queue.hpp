// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// LaneQueue: events that wait under their keys, of which each is with one worker at a time.
/// Layer: dispatch.

#include <gossip/config.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/shared_event.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace gossip::detail {

struct Task;
struct TypeEntry;

/// The state of a lane, by itself: who runs what when, without threads or time.
///
/// A key exists while one of its events waits, runs, or is to be tried again. It is *ready* if it
/// has an event and none of them is with a worker: the keys that are ready take turns, first in,
/// first out, and so do the events of a key. Where nothing orders the events, each has a key of its
/// own, which no other event finds (`put` without a key).
///
/// Everything is allocated by the constructor. Indices stand for pointers, since they are half as
/// large. Thread safety: none.
class LaneQueue {
 public:
  using Index = std::uint32_t;
  static constexpr Index none = static_cast<Index>(-1);

  /// What a worker has taken: an event, or one that is to be tried again.
  struct Taken {
    SharedEvent event;
    TypeEntry* type = nullptr;  ///< of the event
    Task* retry = nullptr;      ///< if not null it has the event and the type, and `event` is empty
    Index key = none;           ///< to be given back by done() or suspend()
  };

  /// @param capacity  how many events may wait
  /// @param runners   how many may be taken at once
  /// @throws std::bad_alloc
  LaneQueue(std::size_t capacity, std::size_t runners)
      : capacity_{static_cast<Index>(capacity)},
        keys_total_{static_cast<Index>(2 * (capacity + runners))},
        mask_{std::bit_ceil(keys_total_) - 1},
        entries_{capacity},
        keys_{keys_total_},
        buckets_{std::size_t{mask_} + 1} {
    for (Index i = 0; i < capacity_; ++i) entries_[i].next = i + 1 < capacity_ ? i + 1 : none;
    for (Index i = 0; i < keys_total_; ++i) keys_[i].next = i + 1 < keys_total_ ? i + 1 : none;
    for (Index i = 0; i <= mask_; ++i) buckets_[i] = none;
  }
  LaneQueue(const LaneQueue&) = delete;
  LaneQueue& operator=(const LaneQueue&) = delete;
  ~LaneQueue() = default;

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  /// Events that may be taken, now or after others of their key.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  /// Keys whose event is to be tried again.
  [[nodiscard]] std::size_t retrying() const noexcept { return retrying_; }
  /// Keys of which take() would give an event.
  [[nodiscard]] std::size_t ready() const noexcept { return ready_; }
  [[nodiscard]] bool full() const noexcept { return waiting_ == capacity_; }

  /// Lets an event wait under a key. @pre not full
  void put(std::uint64_t key, SharedEvent event, TypeEntry& type) noexcept {
    Index at = find(key);
    if (at == none) {
      at = make_key();
      keys_[at].hash = key;
      keys_[at].listed = true;
      Index& bucket = bucket_of(key);
      keys_[at].next = bucket;
      bucket = at;
    }
    append(at, std::move(event), type);
  }
  /// Lets an event wait that no other is ordered against. @pre not full
  void put(SharedEvent event, TypeEntry& type) noexcept {
    append(make_key(), std::move(event), type);
  }

  /// Puts `event` in the place of the one that waits last under that key.
  /// @param event  is given the one that was there
  /// @return       false, having done nothing, if none waits
  bool replace(std::uint64_t key, SharedEvent& event, TypeEntry& type) noexcept {
    const Index at = find(key);
    if (at == none || keys_[at].last == none) return false;
    Entry& entry = entries_[keys_[at].last];
    std::swap(entry.event, event);
    entry.type = &type;
    return true;
  }

  /// Takes the event that waits longest out of its turn. @return empty if none waits
  SharedEvent drop_oldest() noexcept {
    if (oldest_ == none) return {};
    const Index at = entries_[oldest_].key;
    Taken dropped;
    take_first(at, dropped);
    if (keys_[at].first == none && keys_[at].state == State::ready && keys_[at].retry == nullptr) {
      remove_ready(at);
      free_key(at);
    }
    return std::move(dropped.event);
  }

  /// Takes the first event of the key whose turn it is, which has none until done() or suspend().
  /// @return  false if no key is ready
  bool take(Taken& taken) noexcept {
    const Index at = first_ready_;
    if (at == none) return false;
    remove_ready(at);
    keys_[at].state = State::taken;
    taken.key = at;
    taken.retry = keys_[at].retry;
    keys_[at].retry = nullptr;
    if (taken.retry != nullptr) {
      --retrying_;
    } else {
      take_first(at, taken);
    }
    return true;
  }

  /// After the last attempt for what take() gave.
  void done(Index at) noexcept {
    if (keys_[at].first != none) {
      append_ready(at);
    } else {
      free_key(at);
    }
  }

  /// What take() gave is to be tried again. The key waits for resume(), which may have come already.
  void suspend(Index at) noexcept {
    ++retrying_;
    if (keys_[at].retry != nullptr) {
      append_ready(at);
    } else {
      keys_[at].state = State::suspended;
    }
  }
  /// Makes the key's turn come again, for `retry`. @pre its event is taken, or it is suspended
  void resume(Index at, Task& retry) noexcept {
    keys_[at].retry = &retry;
    if (keys_[at].state == State::suspended) append_ready(at);
  }

  /// Calls `visit(const SharedEvent&)` for what waits.
  template <class Visit>
  void for_each_event(Visit&& visit) const {
    for (Index at = oldest_; at != none; at = entries_[at].newer) visit(entries_[at].event);
  }
  /// Calls `visit(Task&)` for what resume() was given and nobody has taken yet.
  template <class Visit>
  void for_each_retry(Visit&& visit) const {
    for (Index at = 0; at < keys_total_; ++at) {
      if (keys_[at].retry != nullptr) visit(*keys_[at].retry);
    }
  }

 private:
  enum class State : std::uint8_t { fresh, ready, taken, suspended };

  struct Entry {
    SharedEvent event;
    TypeEntry* type = nullptr;
    Index key = none;
    Index next = none;   ///< of the same key, or of those that are free
    Index older = none;  ///< neighbours by age
    Index newer = none;
  };
  struct Key {
    std::uint64_t hash = 0;
    Task* retry = nullptr;
    Index first = none;  ///< entries
    Index last = none;
    Index next = none;     ///< in the same bucket, or of those that are free
    Index earlier = none;  ///< neighbours among those that are ready
    Index later = none;
    State state = State::fresh;
    bool listed = false;  ///< in a bucket
  };

  Index& bucket_of(std::uint64_t hash) noexcept {
    // Fibonacci hashing: std::hash of a number is often the number itself.
    return buckets_[static_cast<Index>((hash * 0x9E3779B97F4A7C15U) >> 32U) & mask_];
  }
  Index find(std::uint64_t hash) noexcept {
    Index at = bucket_of(hash);
    while (at != none && keys_[at].hash != hash) at = keys_[at].next;
    return at;
  }

  /// There is always one: a key has an event that waits, or is taken, or is to be tried again.
  Index make_key() noexcept {
    GOSSIP_ASSERT(free_keys_ != none, "a lane has more keys in use than it has events");
    const Index at = free_keys_;
    free_keys_ = keys_[at].next;
    keys_[at] = Key{};
    return at;
  }
  void free_key(Index at) noexcept {
    if (keys_[at].listed) {
      Index* link = &bucket_of(keys_[at].hash);
      while (*link != at) link = &keys_[*link].next;
      *link = keys_[at].next;
    }
    keys_[at].next = free_keys_;
    free_keys_ = at;
  }

  void append(Index at, SharedEvent event, TypeEntry& type) noexcept {
    const Index place = free_entries_;
    Entry& entry = entries_[place];
    free_entries_ = entry.next;
    entry.event = std::move(event);
    entry.type = &type;
    entry.key = at;
    entry.next = none;
    entry.newer = none;
    entry.older = newest_;
    newest_ = place;
    (entry.older != none ? entries_[entry.older].newer : oldest_) = place;
    ++waiting_;
    Key& key = keys_[at];
    (key.last != none ? entries_[key.last].next : key.first) = place;
    key.last = place;
    if (key.state == State::fresh) append_ready(at);
  }

  /// Moves a key's first event out.
  void take_first(Index at, Taken& taken) noexcept {
    Key& key = keys_[at];
    const Index place = key.first;
    Entry& entry = entries_[place];
    taken.event = std::move(entry.event);
    taken.type = entry.type;
    key.first = entry.next;
    if (key.first == none) key.last = none;
    (entry.older != none ? entries_[entry.older].newer : oldest_) = entry.newer;
    (entry.newer != none ? entries_[entry.newer].older : newest_) = entry.older;
    entry.next = free_entries_;
    free_entries_ = place;
    --waiting_;
  }

  void append_ready(Index at) noexcept {
    Key& key = keys_[at];
    key.state = State::ready;
    key.later = none;
    key.earlier = last_ready_;
    last_ready_ = at;
    (key.earlier != none ? keys_[key.earlier].later : first_ready_) = at;
    ++ready_;
  }
  void remove_ready(Index at) noexcept {
    const Key& key = keys_[at];
    (key.earlier != none ? keys_[key.earlier].later : first_ready_) = key.later;
    (key.later != none ? keys_[key.later].earlier : last_ready_) = key.earlier;
    --ready_;
  }

  const Index capacity_;
  const Index keys_total_;
  const Index mask_;
  const Owner<Entry[]> entries_;
  const Owner<Key[]> keys_;
  const Owner<Index[]> buckets_;
  Index free_entries_ = 0;
  Index free_keys_ = 0;
  Index oldest_ = none;
  Index newest_ = none;
  Index first_ready_ = none;
  Index last_ready_ = none;
  Index waiting_ = 0;
  Index retrying_ = 0;
  Index ready_ = 0;
};

}  // namespace gossip::detail
