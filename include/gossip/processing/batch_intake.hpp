// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BatchIntake: events that wait in batches for the processor. Layer: processing.

#include <gossip/config.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/processing/batch_buffers.hpp>
#include <gossip/processing/batch_options.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace gossip::detail {

/// A copy of an event without metadata that is yet to be made: what has to be asked for it has been,
/// so that it can be made where it is to stay, under a lock.
template <Payload T>
class BatchCopy {
 public:
  /// @throws as Event::id()
  explicit BatchCopy(const Event<T>& event)
      : event_{event}, time_{EventTime::at(event.timestamp())}, id_{event.id()} {}

  /// Makes it. @throws what copying the payload throws
  operator Event<T>() const { return EventAccess::copy(event_, time_, id_); }

 private:
  const Event<T>& event_;
  const EventTime time_;
  const EventId id_;
};

/// Takes events into a buffer, closes it when it is full or when its turn has come, and hands out
/// closed ones in order. Counts what it does in the statistics.
///
/// Thread safety: none; BatchCore's lock.
template <Payload T>
class BatchIntake {
 public:
  using Buffer = BatchBuffer<T>;
  using Counter = std::uint64_t BatchStatistics::*;

  /// @param options  valid; outlives the intake
  BatchIntake(const BatchOptions<T>& options, BatchStatistics& statistics) noexcept
      : options_{options},
        max_pending_{options.max_pending == 0 ? 8 * options.size : options.max_pending},
        statistics_{statistics},
        buffers_{options.size} {}

  /// Number of events that wait. // events
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  /// True if no more may wait. A closed batch is there then, as max_pending >= size.
  [[nodiscard]] bool crowded() const noexcept { return waiting_ == max_pending_; }
  /// The number of the last batch that was begun.
  [[nodiscard]] std::uint64_t last_serial() const noexcept { return last_serial_; }

  /// The batch that is being filled, if it has events; else null.
  [[nodiscard]] Buffer* filling() const noexcept {
    return filling_ != nullptr && !filling_->events.empty() ? filling_ : nullptr;
  }
  /// True if an event of so many bytes may join the batch that is being filled.
  [[nodiscard]] bool fits(std::size_t bytes) const noexcept {
    return options_.max_bytes == 0 || filling() == nullptr ||
           bytes <= options_.max_bytes - filling_->bytes;
  }
  /// True if the batch that is being filled, which has events, is full.
  [[nodiscard]] bool full() const noexcept {
    return filling_->events.size() == options_.size ||
           (options_.max_bytes != 0 && filling_->bytes >= options_.max_bytes);
  }

  /// Takes an event in if that is all there is to do: it is not the first of its batch, the batch will
  /// not be full, and nobody has closed it.
  /// @param event  an Event<T>, moved from if it is taken, or a BatchCopy<T>
  /// @return       false if it did not
  /// @throws       what moving or copying the payload throws; nothing has happened then
  template <class E>
  bool append_in_passing(E& event, std::size_t bytes) {
    if (in_passing_ == 0) return false;
    // Said to the compiler, too, which then leaves out what makes room.
    GOSSIP_ASSERT(filling_->events.size() < filling_->events.capacity(),
                  "a buffer has no room for a whole batch");
    filling_->events.emplace_back(std::move(event));
    filling_->bytes += bytes;
    --in_passing_;
    ++waiting_;
    ++statistics_.accepted;
    return true;
  }

  /// Takes an event in.
  /// @pre     not crowded, it fits, and the batch that is being filled is not full
  /// @throws  std::bad_alloc and what moving the payload throws; nothing has happened then
  void append(Event<T>& event, std::size_t bytes) {
    if (filling_ == nullptr) filling_ = &buffers_.take();
    filling_->events.push_back(std::move(event));
    filling_->bytes += bytes;
    if (filling_->events.size() == 1) filling_->serial = ++last_serial_;
    ++waiting_;
    ++statistics_.accepted;
    if (options_.max_bytes != 0) return;
    const std::size_t missing = options_.size - filling_->events.size();
    const std::size_t space = max_pending_ - waiting_;
    in_passing_ = missing == 0 ? 0 : missing - 1 < space ? missing - 1 : space;
  }

  /// Ends the batch that is being filled, which has events.
  /// @param why  where it is to be counted
  void close_filling(Counter why) noexcept {
    ++(statistics_.*why);
    ready_.push_back(*filling_);
    filling_ = nullptr;
    in_passing_ = 0;
    demanded_ = nullptr;
  }
  /// Demands that the batch that is being filled, if there is one, be handed out when its turn comes.
  void demand(Counter why) noexcept {
    if (filling() != nullptr && demanded_ == nullptr) demanded_ = why;
  }

  /// True if there is a batch to be handed out.
  [[nodiscard]] bool ready() const noexcept { return !ready_.empty() || demanded_ != nullptr; }
  /// True if one of the first `last` batches waits.
  [[nodiscard]] bool has_before(std::uint64_t last) const noexcept {
    const Buffer* first = ready_.empty() ? filling() : ready_.front();
    return first != nullptr && first->serial <= last;
  }
  /// Hands out the oldest batch. @pre ready()
  Buffer& take() noexcept {
    if (ready_.empty()) close_filling(demanded_);
    Buffer& buffer = ready_.pop_front();
    waiting_ -= buffer.size();
    return buffer;
  }
  /// Takes back what take() or drop_oldest() gave, cleared.
  void give_back(Buffer& buffer) noexcept { buffers_.give(buffer); }

  /// Drops the event that waits longest; it is destroyed later, with its batch.
  /// @pre     crowded
  /// @return  the batch, if no event of it is left: to be cleared and given back; else null
  [[nodiscard]] Buffer* drop_oldest() noexcept {
    Buffer& buffer = *ready_.front();
    EventAccess::header(buffer.events[buffer.first]).receipt.fail();
    ++buffer.first;
    --waiting_;
    ++statistics_.dropped_oldest;
    return buffer.size() == 0 ? &ready_.pop_front() : nullptr;
  }

 private:
  const BatchOptions<T>& options_;
  const std::size_t max_pending_;
  BatchStatistics& statistics_;
  BatchBuffers<T> buffers_;
  Buffer* filling_ = nullptr;   ///< takes what is added; null until there is something
  Counter demanded_ = nullptr;  ///< why filling_, which has events, is to be handed out; or null
  BatchList<T> ready_;          ///< closed, oldest first
  std::size_t in_passing_ = 0;  ///< that append_in_passing() takes // events
  std::size_t waiting_ = 0;     ///< in filling_ and ready_ // events
  std::uint64_t last_serial_ = 0;
};

}  // namespace gossip::detail
