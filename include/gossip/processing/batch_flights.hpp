// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BatchFlights: batches that are with the processor. Layer: processing.

#include <gossip/core/payload.hpp>
#include <gossip/processing/batch_buffers.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gossip::detail {

/// Batches from the moment at which they are handed to the processor until they are settled: each has
/// one of a few flushes, also while it waits for its next attempt.
///
/// Thread safety: none; BatchCore's lock.
template <Payload T>
class BatchFlights {
 public:
  using Buffer = BatchBuffer<T>;
  using Stage = typename Buffer::Stage;

  /// @param limit  how many batches there may be // batches
  /// @throws std::bad_alloc
  explicit BatchFlights(std::size_t limit) : limit_{limit} { all_.reserve(limit); }

  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  [[nodiscard]] bool full() const noexcept { return all_.size() == limit_; }
  /// Number of events in them, as of begin(). // events
  [[nodiscard]] std::size_t events() const noexcept { return events_; }
  /// True if one of the first `last` batches is among them.
  [[nodiscard]] bool has_before(std::uint64_t last) const noexcept {
    std::size_t after = 0;
    while (after < all_.size() && all_[after]->serial > last) ++after;
    return after < all_.size();
  }

  /// Takes a batch in, which is about to be handed to the processor. @pre not full
  void begin(Buffer& buffer) noexcept {
    buffer.stage = Stage::running;
    all_.push_back(&buffer);
    events_ += buffer.size();
  }
  /// Lets a batch go that had so many events.
  void end(Buffer& buffer, std::size_t count) noexcept {
    buffer.stage = Stage::waiting;
    std::erase(all_, &buffer);
    events_ -= count;
  }

  /// The next attempt of a delayed batch may begin.
  void make_due(Buffer& buffer) noexcept {
    buffer.stage = Stage::running;
    due_.push_back(buffer);
  }
  /// The same for all that are delayed.
  void make_all_due() noexcept {
    for (Buffer* buffer : all_) {
      if (buffer->stage == Stage::delayed) make_due(*buffer);
    }
  }
  /// True if there is a batch whose next attempt may begin.
  [[nodiscard]] bool due() const noexcept { return !due_.empty(); }
  /// The one that has waited longest. @pre due()
  Buffer& take_due() noexcept { return due_.pop_front(); }

 private:
  const std::size_t limit_;
  std::vector<Buffer*> all_;
  BatchList<T> due_;
  std::size_t events_ = 0;
};

}  // namespace gossip::detail
