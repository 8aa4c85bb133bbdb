// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BatchBuffers: reused storage for the events of batches. Layer: processing.

#include <gossip/core/clock.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace gossip::detail {

/// The events of one batch, from the first that is added until the processor is done with all.
template <Payload T>
struct BatchBuffer {
  enum class Stage : std::uint8_t {
    waiting,  ///< to be handed to the processor for the first time
    running,  ///< some thread calls the processor, or is about to
    delayed,  ///< a timer will bring the next attempt
  };

  std::vector<Event<T>> events;
  std::size_t first = 0;     ///< events before it have been dropped
  std::size_t bytes = 0;     ///< of the events, as BatchOptions::bytes_of measures them
  std::uint64_t serial = 0;  ///< batches are numbered in the order of their first events
  SteadyTime since = SteadyTime::max();  ///< when the first event came; max() while not known
  Stage stage = Stage::waiting;          ///< under the lock of the batch, always
  unsigned attempt = 0;                  ///< calls of the processor so far
  Status failure = {};                   ///< of the last call
  BatchBuffer* next = nullptr;           ///< in the list that it is in

  /// Number of events. // events
  [[nodiscard]] std::size_t size() const noexcept { return events.size() - first; }
  /// The events.
  [[nodiscard]] std::span<const Event<T>> span() const noexcept {
    return std::span<const Event<T>>{events}.subspan(first);
  }
  /// Destroys the events and keeps the storage; leaves the stage alone.
  void clear() noexcept {
    events.clear();
    first = 0;
    bytes = 0;
    since = SteadyTime::max();
    attempt = 0;
    failure = {};
  }
};

/// A list, first in, first out, of buffers that belong to BatchBuffers.
template <Payload T>
class BatchList {
 public:
  using Buffer = BatchBuffer<T>;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] Buffer* front() const noexcept { return first_; }

  void push_back(Buffer& buffer) noexcept {
    buffer.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &buffer;
    last_ = &buffer;
  }
  /// @pre not empty
  Buffer& pop_front() noexcept {
    Buffer& buffer = *first_;
    first_ = buffer.next;
    return buffer;
  }

 private:
  Buffer* first_ = nullptr;
  Buffer* last_ = nullptr;
};

/// Owns the buffers of a batch; makes one only if none is free.
/// Thread safety: none.
template <Payload T>
class BatchBuffers {
 public:
  using Buffer = BatchBuffer<T>;

  /// @param capacity  of each buffer // events
  explicit BatchBuffers(std::size_t capacity) noexcept : capacity_{capacity} {}

  /// An empty buffer. @throws std::bad_alloc
  [[nodiscard]] Buffer& take() {
    if (free_ == nullptr) {
      auto buffer = std::make_unique<Buffer>();
      buffer->events.reserve(capacity_);
      all_.push_back(std::move(buffer));
      return *all_.back();
    }
    Buffer& buffer = *free_;
    free_ = buffer.next;
    return buffer;
  }
  /// Takes a buffer back, which has been cleared.
  void give(Buffer& buffer) noexcept {
    buffer.next = free_;
    free_ = &buffer;
  }
  /// How many there are. // buffers
  [[nodiscard]] std::size_t count() const noexcept { return all_.size(); }

 private:
  const std::size_t capacity_;
  Buffer* free_ = nullptr;
  std::vector<std::unique_ptr<Buffer>> all_;
};

}  // namespace gossip::detail
