// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Refusals: notes which commands the server refuses. Layer: redis.

#include <gossip/redis/condition.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// Notes which kinds of commands are refused, such as "XACK", while everything else goes on. The first
/// refusal of a kind is told as a part of the provider's Condition, with the server's words, which name the
/// missing right; so is that it works again.
///
/// Thread safety: any thread.
class Refusals {
 public:
  /// @param condition  of the provider
  explicit Refusals(std::shared_ptr<Condition> condition) : condition_{std::move(condition)} {}

  /// Takes the server's answer to a command of that kind.
  /// @param kind  such as "XACK"
  /// @param key   of the stream that it was about
  /// @return      true if it was refused
  /// @throws      nothing: where memory runs out, the next refusal is told
  bool refused(std::string_view kind, std::string_view key, const Reply& reply) noexcept {
    if (reply.is_error()) {
      condition_->refused(kind, status_of(reply, kind, key));
    } else {
      condition_->works(kind);
    }
    return reply.is_error();
  }

 private:
  const std::shared_ptr<Condition> condition_;
};

}  // namespace gossip::redis
