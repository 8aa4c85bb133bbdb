// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What hiredis does alone, with the same commands as the bus: the floor of the Redis figures.

#include <hiredis/hiredis.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// A blocking connection and the loops one would write around it.
class BareClient {
 public:
  /// A command as hiredis takes it.
  class Words {
   public:
    Words(std::initializer_list<std::string_view> words) : texts_{words.begin(), words.end()} {}
    Words& add(std::string word) {
      texts_.push_back(std::move(word));
      return *this;
    }
    void append_to(redisContext& context) {
      parts_.clear();
      sizes_.clear();
      for (const std::string& text : texts_) {
        parts_.push_back(text.data());
        sizes_.push_back(text.size());
      }
      redisAppendCommandArgv(&context, static_cast<int>(parts_.size()), parts_.data(),
                             sizes_.data());
    }

   private:
    std::vector<std::string> texts_;
    std::vector<const char*> parts_;
    std::vector<std::size_t> sizes_;
  };

  explicit BareClient(std::uint16_t port) : context_{redisConnect("127.0.0.1", port), &redisFree} {
    if (!context_ || context_->err != 0) throw std::runtime_error{"cannot reach redis-server"};
  }

  /// Sends a command `count` times, so many before their answers are read.
  void pipelined(Words command, std::size_t count, std::size_t depth) {
    for (std::size_t done = 0; done < count;) {
      const std::size_t batch = count - done < depth ? count - done : depth;
      for (std::size_t i = 0; i < batch; ++i) command.append_to(*context_);
      for (std::size_t i = 0; i < batch; ++i) static_cast<void>(reply());
      done += batch;
    }
  }

  /// Publishes, reads and acknowledges in batches. @return how many entries it has read
  std::size_t through_a_group(Words add, const std::string& key, std::size_t count,
                              std::size_t batch) {
    static_cast<void>(ask({"XGROUP", "CREATE", key, "bare", "$", "MKSTREAM"}));
    std::size_t read = 0;
    std::size_t bytes = 0;
    for (std::size_t done = 0; done < count; done += batch) {
      pipelined(add, count - done < batch ? count - done : batch, batch);
      const auto entries = ask({"XREADGROUP", "GROUP", "bare", "one", "COUNT",
                                std::to_string(batch), "STREAMS", key, ">"});
      if (entries->type != REDIS_REPLY_ARRAY) throw std::runtime_error{"nothing to read"};
      const redisReply& list = *entries->element[0]->element[1];
      Words acknowledge{"XACK", key, "bare"};
      for (std::size_t i = 0; i < list.elements; ++i) {
        const redisReply& id = *list.element[i]->element[0];
        const redisReply& fields = *list.element[i]->element[1];
        bytes += fields.element[fields.elements - 1]->len;
        acknowledge.add({id.str, id.len});
      }
      read += list.elements;
      acknowledge.append_to(*context_);
      static_cast<void>(reply());
    }
    return bytes == 0 ? 0 : read;
  }

 private:
  using Owned = std::unique_ptr<redisReply, void (*)(void*)>;

  Owned reply() {
    void* answer = nullptr;
    if (redisGetReply(context_.get(), &answer) != REDIS_OK) {
      throw std::runtime_error{std::string{"hiredis: "} + context_->errstr};
    }
    Owned owned{static_cast<redisReply*>(answer), &freeReplyObject};
    if (owned->type == REDIS_REPLY_ERROR) throw std::runtime_error{owned->str};
    return owned;
  }
  Owned ask(Words command) {
    command.append_to(*context_);
    return reply();
  }

  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
};

}  // namespace bench
