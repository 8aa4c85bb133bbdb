// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SendQueue: events on their way to the server, those without an answer first. Layer: redis.

#include <gossip/core/event_id.hpp>

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// What an event is called if publishing it fails.
struct EventName {
  std::string_view type;  ///< the event type's name; lives as long as the process
  EventId id;             ///< the event's id
};

/// An event that has been encoded: the command that publishes it, and what to call it if that fails.
struct EncodedEvent {
  std::string wire;  ///< the whole command
  EventName name;    ///< for reports
};

/// Events in their wire form, one behind the other.
class EventBatch {
 public:
  /// @throws std::bad_alloc; nothing has changed then
  void add(std::string_view wire, const EventName& name) {
    items_.push_back({wire_.size() + wire.size(), name});
    try {
      wire_ += wire;
    } catch (...) {
      items_.pop_back();
      throw;
    }
  }
  /// How many there are. // events
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  /// True if there are none.
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  /// What the event at that place is called. @pre at < size()
  [[nodiscard]] const EventName& operator[](std::size_t at) const { return items_[at].name; }
  /// The wire form of the events from `first` to before `last`. @pre first < last <= size()
  [[nodiscard]] std::string_view wire(std::size_t first, std::size_t last) const {
    const std::size_t begin = first == 0 ? 0 : items_[first - 1].end;
    return std::string_view{wire_}.substr(begin, items_[last - 1].end - begin);
  }
  /// Empties it, but keeps its memory if that is not much.
  void clear() noexcept {
    if (wire_.capacity() > most_kept) std::string{}.swap(wire_);  // assigning would keep it
    wire_.clear();
    items_.clear();
  }

 private:
  static constexpr std::size_t most_kept = std::size_t{1} << 20U;  // bytes

  struct Item {
    std::size_t end;  ///< of its wire form
    EventName name;
  };
  std::string wire_;
  std::vector<Item> items_;
};

/// First in, first out. What has been sent stays until it is answered, since it may have to be sent
/// again. Whole batches move, so that an event costs no allocation of its own.
///
/// Thread safety: none.
class SendQueue {
 public:
  /// Takes the events of a batch, which is empty then.
  /// @throws std::bad_alloc
  void take(EventBatch& batch) {
    if (batch.empty()) return;
    const std::size_t added = batch.size();
    batches_.push_back(std::move(batch));
    size_ += added;
    batch = std::exchange(spare_, {});
  }

  /// How many wait for their answers, or to be sent. // events
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// True if there are none.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// How many of them have been sent and not answered.
  [[nodiscard]] std::size_t sent() const noexcept { return sent_; }

  /// The wire form of the next events that have not been sent.
  /// @param most   how many, at most
  /// @param count  how many they are; 0: none
  [[nodiscard]] std::string_view next(std::size_t most, std::size_t& count) {
    count = 0;
    if (most == 0 || sent_ == size_) return {};
    if (next_item_ == batches_[next_batch_].size()) {
      ++next_batch_;
      next_item_ = 0;
    }
    const EventBatch& batch = batches_[next_batch_];
    const std::size_t left = batch.size() - next_item_;
    count = left < most ? left : most;
    return batch.wire(next_item_, next_item_ + count);
  }
  /// They are sent, now.
  /// @param count  as next() has told it
  void mark_sent(std::size_t count) noexcept {
    next_item_ += count;
    sent_ += count;
  }
  /// Everything is to be sent anew.
  void unsend() noexcept {
    sent_ = 0;
    next_batch_ = 0;
    next_item_ = first_;
  }

  /// What the first is called. @pre !empty()
  [[nodiscard]] const EventName& front() const { return batches_.front()[first_]; }
  /// The first event is done with. @pre !empty()
  void pop_front() noexcept {
    --size_;
    if (sent_ != 0) {
      --sent_;
    } else {
      ++next_item_;  // it was the next to be sent
    }
    if (++first_ < batches_.front().size()) return;
    first_ = 0;
    spare_ = std::move(batches_.front());
    spare_.clear();
    batches_.pop_front();
    if (next_batch_ != 0) {
      --next_batch_;
    } else {
      next_item_ = 0;
    }
  }

 private:
  std::deque<EventBatch> batches_;
  std::size_t first_ = 0;       ///< of the first batch, not done with
  std::size_t next_batch_ = 0;  ///< where the first event is that has not been sent
  std::size_t next_item_ = 0;
  std::size_t size_ = 0;
  std::size_t sent_ = 0;
  EventBatch spare_;
};

}  // namespace gossip::redis
