// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Condition: what a provider as a whole is doing, out of what its parts report. Layer: redis.

#include <gossip/core/status.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/tell.hpp>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace gossip::redis {

/// One of a provider's connections.
enum class Part : std::uint8_t {
  writer,  ///< that publishes
  reader,  ///< that receives
};

/// Tells RedisOptions::on_state of the whole: `ready` if each connection is and nothing is refused,
/// `degraded` while something is, `connecting` while a connection is missing. What changes is told, and each
/// new trouble of the present state; a refusal once, until it is none any more. `closed` is told once, and
/// nothing beside it or after it.
///
/// on_state is called by whoever reports, without a lock, for one news after the other: who comes while
/// it is being called leaves his news to the caller.
///
/// Thread safety: any thread.
class Condition {
 public:
  /// @param options  outlive it
  explicit Condition(const RedisOptions& options) : options_{options} {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// There will be that connection: until it is ready the whole is not.
  void expect(Part part) {
    const std::lock_guard lock{mutex_};
    connections_[index(part)].emplace(Connecting{});
  }
  /// What a connection reports; its end is nothing to tell. @throws std::bad_alloc
  void connection(Part part, State state, const Status& why) {
    if (state == State::closed) return;
    std::unique_lock lock{mutex_};
    connections_[index(part)].emplace(Connecting{state == State::ready, why});
    tell_news(lock, State::connecting, why);
  }
  /// Something is refused while everything else goes on.
  /// @param what  names it
  /// @return      whether it is known now; not where memory runs out: the next call tells it
  /// @throws      nothing
  bool refused(std::string_view what, const Status& why) noexcept {
    std::unique_lock lock{mutex_};
    try {
      const auto [place, is_new] = refusals_.emplace(what, why);
      if (!is_new) return true;
      try {
        tell_news(lock, State::degraded, why);
      } catch (const std::bad_alloc&) {
        refusals_.erase(place);
        return false;
      }
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  /// It is not, or nobody asks for it any more.
  /// @throws nothing: where memory runs out, the next news tell it
  void works(std::string_view what) noexcept {
    std::unique_lock lock{mutex_};
    const auto found = refusals_.find(what);
    if (found == refusals_.end()) return;
    refusals_.erase(found);
    try {
      tell_news(lock, State::degraded, Status{});
    } catch (const std::bad_alloc&) {
    }
  }
  /// Nothing is told any more once it returns. What has not been told by now is not; for a call of
  /// on_state that runs it waits, unless it is called from there. Idempotent. One thread at a time.
  void close() noexcept {
    std::unique_lock lock{mutex_};
    if (std::exchange(closed_, true)) return;
    news_.clear();
    if (teller_ != std::this_thread::get_id()) {
      told_all_.wait(lock, [this] { return teller_ == std::thread::id{}; });
    }
    lock.unlock();
    tell(options_.on_state, State::closed, Status{});
  }

 private:
  struct Connecting {
    bool done = false;
    Status why{};
  };
  using News = std::pair<State, Status>;

  static constexpr std::size_t index(Part part) noexcept { return static_cast<std::size_t>(part); }

  /// The state of the whole, and a reason. @pre the lock is held
  [[nodiscard]] News whole() const {
    for (const auto& connection : connections_) {
      if (connection && !connection->done) return {State::connecting, connection->why};
    }
    if (refusals_.empty()) return {State::ready, Status{}};
    return {State::degraded, refusals_.begin()->second};
  }

  /// @param kind  the state to which the trouble belongs, if there is one
  /// @param why   of the trouble; success: it is over
  void tell_news(std::unique_lock<std::mutex>& lock, State kind, const Status& why) {
    if (closed_) return;
    News now = whole();
    const bool is_reason = !why.ok() && now.first == kind;
    if (is_reason) now.second = why;
    if (now.first == told_ && !is_reason) return;
    news_.push_back(std::move(now));
    told_ = news_.back().first;
    if (teller_ != std::thread::id{}) return;
    teller_ = std::this_thread::get_id();
    for (; !news_.empty(); lock.lock()) {
      const News next = std::move(news_.front());
      news_.pop_front();
      lock.unlock();
      tell(options_.on_state, next.first, next.second);
    }
    teller_ = {};
    told_all_.notify_all();
  }

  const RedisOptions& options_;
  std::mutex mutex_;
  std::condition_variable told_all_;
  std::array<std::optional<Connecting>, 2> connections_;
  std::map<std::string, Status, std::less<>> refusals_;
  std::optional<State> told_;
  std::deque<News> news_;   ///< not told yet
  std::thread::id teller_;  ///< who does; nobody by default
  bool closed_ = false;
};

}  // namespace gossip::redis
