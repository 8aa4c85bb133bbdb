// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ReplyBuilder: makes hiredis build our replies. Layer: redis.

#include <gossip/redis/reply.hpp>
#include <gossip/redis/reply_limits.hpp>

#include <hiredis/hiredis.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#if HIREDIS_MAJOR < 1
#error "gossip needs hiredis 1.0 or newer"
#endif

namespace gossip::redis {

/// Builds replies while hiredis parses. The outermost is always the same object, whose memory is used
/// again. A reply deeper than max_depth is refused before any recursion, and one that is too large as
/// soon as it is. An array within an array, such as the fields of an entry, is truncated instead: nothing
/// is kept of it from the part on by which it is too large.
class ReplyBuilder {
 public:
  static constexpr int max_depth = 16;  ///< levels

  /// What hiredis is to be given as its private data.
  struct Building {
    Reply reply;                        ///< the outermost
    ReplyLimits limits;                 ///< what it may take
    std::size_t bytes = 0;              ///< so far, of what is kept
    bool too_large = false;             ///< it had more
    bool skipped = false;               ///< the next part is a text that was too large to be kept
    const Reply* counted = nullptr;     ///< the array that has had parts last
    std::size_t counted_bytes = 0;      ///< of these // bytes
    Reply left_out{.truncated = true};  ///< stands for what is not kept
  };

  /// What hiredis calls.
  [[nodiscard]] static redisReplyObjectFunctions functions() noexcept {
    return {&make_text, &make_array, &make_integer, &make_double, &make_nil, &make_bool, &destroy};
  }

 private:
  /// An empty reply of that kind where the task says; null if the whole becomes too large by it; one that
  /// is truncated if it is not kept.
  /// @param size  of its text // bytes
  static Reply* place(const redisReadTask* task, Reply::Kind kind, std::size_t size = 0) {
    auto& building = *static_cast<Building*>(task->privdata);
    if (task->parent == nullptr) building.bytes = 0;
    if (is_left_out(building, task, kind, size)) return &building.left_out;
    building.bytes += sizeof(Reply) + size;
    building.too_large = building.bytes > building.limits.whole || size > building.limits.entry;
    if (building.too_large) return nullptr;
    Reply* reply = nullptr;
    if (task->parent == nullptr) {
      reply = &building.reply;
      // Assigning {} would keep the memory.
      if (reply->text.capacity() > most_kept) std::string{}.swap(reply->text);
      if (reply->items.capacity() > most_reserved) std::vector<Reply>{}.swap(reply->items);
      reply->text.clear();
      reply->items.clear();
      reply->integer = 0;
    } else {
      reply = &static_cast<Reply*>(task->parent->obj)->items.emplace_back();
    }
    reply->kind = kind;
    return reply;
  }
  /// Counts the parts of an array within an array. Arrays in it are counted for themselves.
  static bool is_left_out(Building& building, const redisReadTask* task, Reply::Kind kind,
                          std::size_t size) noexcept {
    if (kind == Reply::Kind::array) building.counted = nullptr;
    if (task->parent == nullptr || task->parent->parent == nullptr) return false;
    auto& array = *static_cast<Reply*>(task->parent->obj);
    if (kind == Reply::Kind::array) return array.truncated;
    if (std::exchange(building.counted, &array) != &array) building.counted_bytes = 0;
    building.counted_bytes += sizeof(Reply) + size;
    if (std::exchange(building.skipped, false) || building.counted_bytes > building.limits.entry) {
      array.truncated = true;
    }
    return array.truncated;
  }
  static void* make_text(const redisReadTask* task, char* text, std::size_t size) noexcept {
    const Reply::Kind kind = task->type == REDIS_REPLY_ERROR    ? Reply::Kind::error
                             : task->type == REDIS_REPLY_STATUS ? Reply::Kind::status
                                                                : Reply::Kind::text;
    try {
      Reply* reply = place(task, kind, size);
      if (reply != nullptr && !reply->truncated) reply->text.assign(text, size);
      return reply;
    } catch (...) {
      return nullptr;  // hiredis reports that memory ran out
    }
  }
  static void* make_array(const redisReadTask* task, std::size_t size) noexcept {
    int depth = 0;
    for (const redisReadTask* at = task; at != nullptr; at = at->parent) ++depth;
    if (depth > max_depth) return nullptr;
    auto& building = *static_cast<Building*>(task->privdata);
    building.too_large = depth == 1 && size > ReplyLimits::elements;
    if (building.too_large) return nullptr;
    try {
      Reply* reply = place(task, Reply::Kind::array);
      if (reply == nullptr || reply->truncated) return reply;
      reply->items.reserve(size < most_reserved ? size : most_reserved);
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
