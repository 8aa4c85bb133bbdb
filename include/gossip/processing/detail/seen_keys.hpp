// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SeenKeys: the keys of the latest deliveries, bounded by number and by time. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/shared.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gossip::detail {

/// A key of one of the kinds that are compared without code of the user's: SeenKeys does so under
/// its lock.
struct SeenKey {
  explicit SeenKey(EventId id) noexcept : number{id.sequence}, origin{id.origin} {}
  template <class I>
    requires(std::integral<I> || std::is_enum_v<I>)
  explicit SeenKey(I value) noexcept : number{static_cast<std::uint64_t>(value)} {}
  explicit SeenKey(std::string value) noexcept : text{std::move(value)} {}
  explicit SeenKey(std::string_view value) : text{value} {}
  explicit SeenKey(const char* value) : text{value} {}

  [[nodiscard]] std::size_t hash() const noexcept {
    // The finaliser of MurmurHash3, by A. Appleby.
    std::uint64_t mixed = number ^ (origin * 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 33U)) * 0xff51afd7ed558ccdU;
    mixed = (mixed ^ (mixed >> 33U)) * 0xc4ceb9fe1a85ec53U;
    mixed ^= mixed >> 33U;
    return static_cast<std::size_t>(mixed) ^ std::hash<std::string_view>{}(text);
  }

  [[nodiscard]] friend bool operator==(const SeenKey&, const SeenKey&) = default;

  std::uint64_t number = 0;
  std::uint64_t origin = 0;
  std::string text;
};

/// Entries in the order of entering, found through a hash table with chains.
///
/// Thread safety: any thread. Blocking: a mutex; under it nothing runs but what is here.
class SeenKeys {
 public:
  enum class Found : std::uint8_t {
    nothing,     ///< it is new, or may pass: report to finish() or forget()
    unfinished,  ///< the first has not been finished
    finished,    ///< the first has been finished
  };
  struct Place {
    Found found;
    std::uint32_t index;
    std::uint64_t ticket;  ///< the entry at `index` has it, until it is forgotten
  };

  SeenKeys(std::size_t capacity, std::chrono::nanoseconds window)
      : window_{window},
        last_head_{table_size(capacity) - 1},
        entries_{capacity},
        heads_{last_head_ + 1} {
    for (std::size_t i = 0; i <= last_head_; ++i) heads_[i] = none;
    for (std::uint32_t i = 0; i < capacity; ++i) {
      entries_[i].newer = i + 1 < capacity ? i + 1 : none;
    }
  }

  SharedCount count;  ///< of the copies of a processor

  /// Enters a key, unless it is there; forgets the oldest if there is no room.
  /// @param again  it may pass although it is there
  Place enter(SeenKey key, SteadyTime now, bool again) {
    const std::size_t hash = key.hash();
    const std::lock_guard lock{mutex_};
    while (oldest_ != none && now - entries_[oldest_].entered >= window_) remove(oldest_);
    if (const std::uint32_t at = find(key, hash); at != none) {
      const Entry& entry = entries_[at];
      const Found found = again            ? Found::nothing
                          : entry.finished ? Found::finished
                                           : Found::unfinished;
      return {found, at, entry.ticket};
    }
    if (free_ == none) remove(oldest_);
    const std::uint32_t index = free_;
    Entry& entry = entries_[index];
    free_ = entry.newer;
    std::swap(entry.key, key);  // what was there is freed after the lock
    entry.hash = hash;
    entry.ticket = next_ticket_++;
    entry.entered = now;
    entry.finished = false;
    entry.chain = head(hash);
    head(hash) = index;
    entry.newer = none;
    entry.older = newest_;
    newest_ = index;
    (entry.older == none ? oldest_ : entries_[entry.older].newer) = index;
    return {Found::nothing, index, entry.ticket};
  }

  /// The delivery at `place` succeeded.
  void finish(const Place& place) noexcept {
    const std::lock_guard lock{mutex_};
    if (entries_[place.index].ticket == place.ticket) entries_[place.index].finished = true;
  }

  /// The delivery at `place` failed.
  void forget(const Place& place) noexcept {
    const std::lock_guard lock{mutex_};
    if (entries_[place.index].ticket == place.ticket) remove(place.index);
  }

 private:
  static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

  struct Entry {
    SeenKey key{0};
    std::size_t hash = 0;
    std::uint64_t ticket = 0;  // 0: free
    SteadyTime entered{};
    std::uint32_t chain = none;  // the next one with a hash like this
    std::uint32_t older = none;
    std::uint32_t newer = none;  // or the next free one
    bool finished = false;
  };

  static std::size_t table_size(std::size_t capacity) noexcept {
    std::size_t size = 1;
    while (size < capacity) size *= 2;
    return size;
  }

  std::uint32_t& head(std::size_t hash) noexcept { return heads_[hash & last_head_]; }

  std::uint32_t find(const SeenKey& key, std::size_t hash) noexcept {
    std::uint32_t at = head(hash);
    while (at != none && !(entries_[at].hash == hash && entries_[at].key == key)) {
      at = entries_[at].chain;
    }
    return at;
  }

  void remove(std::uint32_t index) noexcept {
    Entry& entry = entries_[index];
    std::uint32_t* link = &head(entry.hash);
    while (*link != index) link = &entries_[*link].chain;
    *link = entry.chain;
    (entry.older == none ? oldest_ : entries_[entry.older].newer) = entry.newer;
    (entry.newer == none ? newest_ : entries_[entry.newer].older) = entry.older;
    entry.ticket = 0;
    entry.newer = free_;
    free_ = index;
  }

  const std::chrono::nanoseconds window_;
  std::mutex mutex_;
  const std::size_t last_head_;  ///< of a power of two
  Owner<Entry[]> entries_;
  Owner<std::uint32_t[]> heads_;  ///< of the chains
  std::uint32_t free_ = 0;
  std::uint32_t oldest_ = none;
  std::uint32_t newest_ = none;
  std::uint64_t next_ticket_ = 1;
};

}  // namespace gossip::detail
