// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamPlace: where the reader of one stream is, and how it gets there. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>

#include <memory>
#include <string>
#include <utility>

namespace gossip::redis {

/// An event type's stream as its reader sees it. Before it can be read it must be asked for its end,
/// where reading begins, and for the group, if there is one.
///
/// Thread safety: none.
struct StreamPlace {
  std::shared_ptr<const Subscribed> subscribed = {};  ///< what is read
  std::string last_id = {};  ///< the id that was read last; empty: none yet
  bool ready = false;        ///< the group exists, or the place to read from is known
  bool asked = false;        ///< that is being found out
  bool denied = false;       ///< the server refuses: another type of key, a missing right
  bool had_group = false;    ///< there was a group once
  bool gap_told = false;     ///< that it is gone has been reported
  bool ended = false;        ///< nobody wants it any more
  SteadyTime not_before{};   ///< when to try again

  /// What came of a question.
  struct Answer {
    Status refused = {};      ///< why the stream cannot be read
    bool group_gone = false;  ///< the group had to be made anew: tell of a gap
  };

  /// A place at which nobody has been yet.
  static StreamPlace begin(const RedisOptions& options, Subscribed type) {
    StreamPlace place;
    place.subscribed = std::make_shared<const Subscribed>(std::move(type));
    if (options.start_at != StartAt::now) {
      place.last_id = options.start_at == StartAt::id ? options.start_id : "0";
    }
    return place;
  }

  /// What is to be asked before the stream can be read: where it ends, so that a group that is lost can
  /// be made again from there; then the group.
  [[nodiscard]] Command next_question(const RedisOptions& options) const {
    const std::string& key = subscribed->key;
    if (asks_for_end(options)) return Command{"XREVRANGE", key, "+", "-", "COUNT", "1"};
    // After a loss the group goes on behind what was read last, not at the end of the stream.
    return Command{"XGROUP", "CREATE", key, options.group, last_id, "MKSTREAM"};
  }

  /// Takes the answer to next_question(); then it is `ready`, or there is another question.
  Answer answered(const RedisOptions& options, const Reply& reply) {
    const bool in_group = !options.group.empty();
    const bool group_exists = reply.error_code() == "BUSYGROUP";
    const bool end = asks_for_end(options);
    if (end && in_group && class_of(reply) == ErrorClass::denied) {
      last_id = "$";  // without the right to look, the server knows the end
      return {};
    }
    if (reply.is_error() && !group_exists) {
      return {status_of(reply, "subscribing to " + subscribed->type), false};
    }
    if (last_id.empty()) {
      const bool none = reply.items.empty() || reply.items[0].items.empty();
      last_id = none ? "0" : reply.items[0].items[0].text;
    }
    if (end && in_group) return {};
    const bool group_gone = had_group && !group_exists && !gap_told;
    had_group = in_group;
    gap_told = false;
    ready = true;
    return {{}, group_gone};
  }

 private:
  [[nodiscard]] bool asks_for_end(const RedisOptions& options) const {
    return options.group.empty() || last_id.empty();
  }
};

}  // namespace gossip::redis
