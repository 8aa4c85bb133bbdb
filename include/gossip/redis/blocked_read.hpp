// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BlockedRead: makes a read return that waits at the server. Layer: redis.

#include <gossip/redis/command.hpp>
#include <gossip/redis/writer.hpp>

#include <cstdint>
#include <mutex>
#include <new>

namespace gossip::redis {

/// Ends the read that blocks a reader's connection, over another one: the writer's. Only if both lead to
/// the same server, in the same life: one that has been restarted gives the numbers of its clients anew, and
/// what is meant for the reader would end a stranger's command.
///
/// That they do is taken as known once a read was answered that had been sent while the writer had its
/// present connection: both were alive at once. So the first read must not block. It is not known where the
/// address itself leads to several servers, such as a balancer, or a name with two primaries: RedisOptions
/// are to name one. Else a stranger's command that blocks may return as if its time were over, and our read
/// returns when its own is.
///
/// Thread safety: end from any thread; the rest belongs to the thread of the reader's connection.
class BlockedRead {
 public:
  /// @param writer  outlives it
  explicit BlockedRead(Writer& writer) : writer_{writer} {}

  /// The reader has a connection. @param client  the server's number for it; 0: unknown
  void connected(std::int64_t client) noexcept {
    const std::lock_guard lock{mutex_};
    client_ = client;
    known_ = 0;
  }
  /// It is lost.
  void lost() noexcept { connected(0); }

  /// A read is about to be sent. @return whether it may block: else its answer shows who can end the next
  [[nodiscard]] bool begin() noexcept {
    const std::lock_guard lock{mutex_};
    begun_ = writer_.connection();
    return begun_ == 0 || begun_ == known_ || client_ == 0;
  }
  /// It was answered.
  void answered() noexcept {
    const std::lock_guard lock{mutex_};
    known_ = begun_;
  }
  /// If it blocks, it does no longer, soon; unless memory runs out, or who is at that number is not known:
  /// then it ends by itself before long.
  void end() noexcept {
    const std::lock_guard lock{mutex_};
    if (client_ == 0 || known_ == 0) return;
    try {
      writer_.ask_now(known_, Command{"CLIENT", "UNBLOCK"}.add(client_));
    } catch (const std::bad_alloc&) {
    }
  }

 private:
  Writer& writer_;
  std::mutex mutex_;
  std::int64_t client_ = 0;  ///< of the reader's connection; 0: none
  std::uint64_t begun_ = 0;  ///< the writer's connection when the last read began; 0: none
  std::uint64_t known_ = 0;  ///< that which leads to the same server; 0: none
};

}  // namespace gossip::redis
