// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Recording: a bounded ring of events of any types, behind an interface. Layer: processing.

#include <gossip/core/any_event.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/shared.hpp>

#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace gossip::detail {

/// The last events that were added, each until it is too old or too many came after it. An interface,
/// so that only who makes a Recorder compiles what is behind it.
///
/// Thread safety: any thread. Events are copied before and destroyed after the lock is held.
class Recording {
 public:
  virtual ~Recording() = default;

  SharedCount count;  ///< of the recorder and what it gives out

  /// Adds an event, which owns itself. @throws nothing
  virtual void add(AnyEvent&& event) = 0;
  /// Adds copies, oldest first. @throws std::bad_alloc
  virtual void copy_to(std::vector<AnyEvent>& copies) = 0;
  [[nodiscard]] virtual std::size_t size() = 0;
  /// Forgets what is there now.
  virtual void clear() = 0;
};

/// The one there is, in a ring. Ages are measured by a `C`.
template <Clock C>
class RecordingRing final : public Recording {
 public:
  /// @param capacity  1 or more // events
  /// @param max_age   0 for none
  RecordingRing(std::size_t capacity, std::chrono::nanoseconds max_age, C clock)
      : capacity_{capacity}, max_age_{max_age}, clock_{std::move(clock)}, ring_(capacity) {}

  void add(AnyEvent&& event) override {
    drop_expired();
    std::optional<Entry> entry{Entry{std::move(event), now()}};
    const std::lock_guard lock{mutex_};
    entry.swap(ring_[(first_ + size_) % capacity_]);
    if (size_ < capacity_) {
      ++size_;
    } else {
      first_ = (first_ + 1) % capacity_;
    }
  }

  void copy_to(std::vector<AnyEvent>& copies) override {
    drop_expired();
    // By a type whose members only who makes a ring compiles.
    std::vector<decltype(Entry::event)>& to = copies;
    const std::lock_guard lock{mutex_};
    to.reserve(size_);
    for (std::size_t i = 0; i < size_; ++i) {
      to.push_back(ring_[(first_ + i) % capacity_]->event);  // shares it
    }
  }

  [[nodiscard]] std::size_t size() override {
    drop_expired();
    const std::lock_guard lock{mutex_};
    return size_;
  }

  void clear() override {
    std::vector<std::optional<Entry>> emptied(capacity_);
    const std::lock_guard lock{mutex_};
    emptied.swap(ring_);
    size_ = 0;
  }

 private:
  struct Entry {
    AnyEvent event;
    SteadyTime time;  ///< of the recording
  };

  [[nodiscard]] SteadyTime now() const {
    return max_age_.count() != 0 ? clock_.now() : SteadyTime{};
  }

  void drop_expired() {
    if (max_age_.count() == 0) return;
    const SteadyTime time = now();
    for (;;) {
      std::optional<Entry> oldest;  // destroyed outside the lock
      const std::lock_guard lock{mutex_};
      if (size_ == 0 || later(ring_[first_]->time, max_age_) > time) return;
      oldest.swap(ring_[first_]);
      first_ = (first_ + 1) % capacity_;
      --size_;
    }
  }

  const std::size_t capacity_;
  const std::chrono::nanoseconds max_age_;
  const C clock_;
  std::mutex mutex_;
  std::vector<std::optional<Entry>> ring_;
  std::size_t first_ = 0;  ///< the oldest
  std::size_t size_ = 0;
};

}  // namespace gossip::detail
