// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ExpectedReplies: who waits for which reply. Layer: redis.

#include <gossip/core/status.hpp>
#include <gossip/redis/reply.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace gossip::redis {

/// Who is told of a reply: `done(context, tag, lost, reply)`. `lost` is success, or why the connection
/// went away before the reply came.
struct ReplyTo {
  /// Null: nobody is told.
  void (*done)(void* context, std::uint64_t tag, const Status& lost, Reply& reply) = nullptr;
  void* context = nullptr;  ///< handed to `done`
  std::uint64_t tag = 0;    ///< handed to `done`
};

/// The replies that are to come, in order: the server answers in the order in which it was asked.
///
/// Thread safety: none.
class ExpectedReplies {
 public:
  /// The next `count` replies, behind those that are expected already, are for that one.
  /// @throws std::bad_alloc
  void add(ReplyTo to, std::size_t count) {
    queue_.push_back({to, count});
    size_ += count;
  }
  /// True if no reply is expected.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// How many are. // replies
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// A reply has come. @pre !empty()
  void tell(Reply& reply) {
    const ReplyTo to = next();
    if (to.done != nullptr) to.done(to.context, to.tag, Status{}, reply);
  }
  /// The next one will not come. @pre !empty()
  void fail_first(const Status& why) {
    const ReplyTo to = next();
    Reply none;
    if (to.done != nullptr) to.done(to.context, to.tag, why, none);
  }

 private:
  /// So many replies in a row are for the same.
  struct Expected {
    ReplyTo to;
    std::size_t count;
  };

  ReplyTo next() noexcept {
    const ReplyTo to = queue_.front().to;
    if (--queue_.front().count == 0) queue_.pop_front();
    --size_;
    return to;
  }

  std::deque<Expected> queue_;
  std::size_t size_ = 0;
};

}  // namespace gossip::redis
