// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Refusals: notes which commands about streams the server refuses. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/condition.hpp>
#include <gossip/redis/dead_letter.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// Notes which kinds of commands are refused, such as "XACK", and of which stream, while everything else goes
/// on. The first refusal of a kind, for each stream, is told as a part of the provider's Condition, with the
/// server's words, which name the missing right; so is that it works again, or that the stream is not read
/// any more. Of a stream that is not read nothing is told: nobody would find out that it works again.
///
/// Thread safety: any thread; refused() on one at a time.
class Refusals {
 public:
  /// @param condition  of the provider
  explicit Refusals(std::shared_ptr<Condition> condition) : condition_{std::move(condition)} {}

  /// A stream is read from now on. @throws std::bad_alloc
  void reads(const std::string& key) {
    const std::lock_guard lock{mutex_};
    read_.insert(key);
  }
  /// It is not any more.
  void forget(const std::string& key) noexcept {
    {
      const std::lock_guard lock{mutex_};
      read_.erase(key);
    }
    for (;;) {
      const std::string what = take([this](const Refused& one) { return !is_read(one.key); });
      if (what.empty()) return;
      condition_->works(what);
    }
  }

  /// Takes the server's answer to a command of that kind.
  /// @param kind  such as "XACK"
  /// @param key   of the stream that it was about, or of its dead letters
  /// @return      true if it was refused
  /// @throws      nothing: where memory runs out, the next refusal is told
  bool refused(std::string_view kind, std::string_view key, const Reply& reply) noexcept {
    if (reply.is_error()) {
      note(kind, key, status_of(reply, kind, key));
    } else if (const std::string what =
                   take([&](const Refused& one) { return one.kind == kind && one.key == key; });
               !what.empty()) {
      condition_->works(what);
    }
    return reply.is_error();
  }

 private:
  struct Refused {
    std::string kind;
    std::string key;
    std::string what;  ///< as the condition knows it
  };

  void note(std::string_view kind, std::string_view key, const Status& why) noexcept {
    try {
      const std::string what = gossip::detail::join({kind, " ", key});
      {
        const std::lock_guard lock{mutex_};
        if (!is_read(key)) return;
        const auto same = [&](const Refused& one) { return one.what == what; };
        if (std::ranges::none_of(refused_, same)) {
          refused_.push_back({std::string{kind}, std::string{key}, what});
        }
      }
      condition_->refused(what, why);  // which knows whether it is news
      {
        const std::lock_guard lock{mutex_};
        if (is_read(key)) return;
      }
      condition_->works(what);  // forgotten meanwhile
    } catch (const std::bad_alloc&) {
    }
  }
  /// The first of those, which is none any more; empty: there is none.
  template <class Is>
  std::string take(Is&& is) noexcept {
    std::string what;
    const std::lock_guard lock{mutex_};
    const auto found = std::ranges::find_if(refused_, is);
    if (found == refused_.end()) return what;
    what = std::move(found->what);
    refused_.erase(found);
    return what;
  }
  /// @pre the lock is held
  [[nodiscard]] bool is_read(std::string_view key) const noexcept {
    return std::ranges::any_of(read_, [&](const std::string& stream) {
      return key == stream || is_grave_of(key, stream);
    });
  }

  const std::shared_ptr<Condition> condition_;
  std::mutex mutex_;
  std::set<std::string> read_;
  std::vector<Refused> refused_;  ///< and have been told; few
};

}  // namespace gossip::redis
