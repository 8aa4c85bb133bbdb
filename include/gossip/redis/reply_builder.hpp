// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ReplyBuilder: makes hiredis build our replies. Layer: redis.

#include <gossip/redis/reply.hpp>

#include <hiredis/hiredis.h>

#include <cstddef>

#if HIREDIS_MAJOR < 1
#error "gossip needs hiredis 1.0 or newer"
#endif

namespace gossip::redis {

/// Builds replies while hiredis parses. The outermost is always the same object, whose memory is used
/// again. A reply deeper than max_depth is refused before any recursion, and one that is too large as
/// soon as it is.
class ReplyBuilder {
 public:
  static constexpr int max_depth = 16;  ///< levels

  /// What hiredis is to be given as its private data.
  struct Building {
    Reply reply;             ///< the outermost
    std::size_t bytes = 0;   ///< so far
    std::size_t most = 0;    ///< it may have // bytes
    bool too_large = false;  ///< it had more
  };

  /// What hiredis calls.
  [[nodiscard]] static redisReplyObjectFunctions functions() noexcept {
    return {&make_text, &make_array, &make_integer, &make_double, &make_nil, &make_bool, &destroy};
  }

 private:
  /// An empty reply of that kind where the task says; null if the whole becomes too large by it.
  /// @param size  of its text // bytes
  static Reply* place(const redisReadTask* task, Reply::Kind kind, std::size_t size = 0) {
    auto& building = *static_cast<Building*>(task->privdata);
    if (task->parent == nullptr) building.bytes = 0;
    building.bytes += sizeof(Reply) + size;
    building.too_large = building.bytes > building.most;
    if (building.too_large) return nullptr;
    Reply* reply = nullptr;
    if (task->parent == nullptr) {
      reply = &building.reply;
      if (reply->text.capacity() > most_kept) reply->text = {};
      if (reply->items.capacity() > most_reserved) reply->items = {};
      reply->text.clear();
      reply->items.clear();
      reply->integer = 0;
    } else {
      reply = &static_cast<Reply*>(task->parent->obj)->items.emplace_back();
    }
    reply->kind = kind;
    return reply;
  }
  static void* make_text(const redisReadTask* task, char* text, std::size_t size) noexcept {
    const Reply::Kind kind = task->type == REDIS_REPLY_ERROR    ? Reply::Kind::error
                             : task->type == REDIS_REPLY_STATUS ? Reply::Kind::status
                                                                : Reply::Kind::text;
    try {
      Reply* reply = place(task, kind, size);
      if (reply != nullptr) reply->text.assign(text, size);
      return reply;
    } catch (...) {
      return nullptr;  // hiredis reports that memory ran out
    }
  }
  static void* make_array(const redisReadTask* task, std::size_t size) noexcept {
    int depth = 0;
    for (const redisReadTask* at = task; at != nullptr; at = at->parent) ++depth;
    if (depth > max_depth) return nullptr;
    try {
      Reply* reply = place(task, Reply::Kind::array);
      if (reply != nullptr) reply->items.reserve(size < most_reserved ? size : most_reserved);
      return reply;
    } catch (...) {
      return nullptr;
    }
  }
  static void* make_integer(const redisReadTask* task, long long number) noexcept {
    try {
      Reply* reply = place(task, Reply::Kind::integer);
      if (reply != nullptr) reply->integer = number;
      return reply;
    } catch (...) {
      return nullptr;
    }
  }
  static void* make_double(const redisReadTask* task, double, char* text,
                           std::size_t size) noexcept {
    return make_text(task, text, size);
  }
  static void* make_nil(const redisReadTask* task) noexcept {
    try {
      return place(task, Reply::Kind::nil);
    } catch (...) {
      return nullptr;
    }
  }
  static void* make_bool(const redisReadTask* task, int value) noexcept {
    return make_integer(task, value);
  }
  static void destroy(void*) noexcept {}  // the connection owns it

  /// A server that lies about sizes gets no memory for it.
  static constexpr std::size_t most_reserved = 256;  // elements
  static constexpr std::size_t most_kept = 4096;     // bytes of the outermost
};

}  // namespace gossip::redis
