// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Refusals: tells of commands that the server refuses, each once. Layer: redis.

#include <gossip/core/status.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/tell.hpp>

#include <mutex>
#include <new>
#include <set>
#include <string>
#include <string_view>

namespace gossip::redis {

/// Notes which kinds of commands are refused, such as "XACK", while everything else goes on. The first
/// refusal of a kind goes to RedisOptions::on_state as State::degraded, with the server's words, which
/// name the missing right. Once the last of them works again, State::ready is told.
///
/// Thread safety: any thread.
class Refusals {
 public:
  /// @param options  outlive it
  explicit Refusals(const RedisOptions& options) : options_{options} {}

  /// Takes the server's answer to a command of that kind.
  /// @param kind  such as "XACK"
  /// @param key   of the stream that it was about
  /// @return      true if it was refused
  /// @throws      nothing: where memory runs out, the next refusal is told
  bool refused(std::string_view kind, std::string_view key, const Reply& reply) noexcept {
    if (!reply.is_error()) {
      if (remove(kind)) tell(options_.on_state, State::ready, Status{});
      return false;
    }
    if (add(kind)) tell(options_.on_state, State::degraded, status_of(reply, kind, key));
    return true;
  }

 private:
  /// @return  true if it is a new one
  bool add(std::string_view kind) noexcept {
    const std::lock_guard lock{mutex_};
    try {
      return kinds_.emplace(kind).second;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  /// @return  true if it was the last one
  bool remove(std::string_view kind) noexcept {
    const std::lock_guard lock{mutex_};
    const auto found = kinds_.find(kind);
    if (found == kinds_.end()) return false;
    kinds_.erase(found);
    return kinds_.empty();
  }

  const RedisOptions& options_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> kinds_;
};

}  // namespace gossip::redis
