// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ManualClock: time that stands still until it is told to go on, for tests. Layer: core.

#include <gossip/core/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gossip {

/// A clock that moves only by advance(). Copies share the same time. Timers that follow it run what
/// has become due inside advance(), on the thread that calls it, so a test needs no sleep.
///
/// Thread safety: any thread; advance() from one thread at a time.
class ManualClock {
 public:
  /// @param start  the time to begin with; after the Unix epoch
  explicit ManualClock(Timestamp start = Timestamp{std::chrono::seconds{1'700'000'000}})
      : state_{std::make_shared<State>()} {
    state_->unix_ns.store(start.time_since_epoch().count(), std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t ticks() const noexcept {
    return static_cast<std::uint64_t>(state_->unix_ns.load(std::memory_order_acquire));
  }
  [[nodiscard]] Timestamp to_time(std::uint64_t ticks) const noexcept {
    return Timestamp{std::chrono::nanoseconds{static_cast<std::int64_t>(ticks)}};
  }
  [[nodiscard]] SteadyTime now() const noexcept {
    return SteadyTime{std::chrono::nanoseconds{static_cast<std::int64_t>(ticks())}};
  }

  /// Moves the time on and runs what has become due, on this thread.
  /// @param step  not negative
  void advance(std::chrono::nanoseconds step) {
    state_->unix_ns.fetch_add(step.count(), std::memory_order_acq_rel);
    std::vector<std::shared_ptr<Follower>> followers;
    {
      const std::lock_guard lock{state_->mutex};
      for (const auto& entry : state_->followers) followers.push_back(entry.second);
    }
    for (const auto& follower : followers) follower->run();
  }

  /// Calls `run` at the end of every advance(), until the returned handle is destroyed; that waits
  /// for a running call, unless it is made from inside it.
  [[nodiscard]] std::shared_ptr<void> follow(std::function<void()> run) const {
    auto follower = std::make_shared<Follower>(std::move(run));
    Follower* key = follower.get();
    {
      const std::lock_guard lock{state_->mutex};
      state_->followers.emplace(key, std::move(follower));
    }
    return {key, [state = state_](Follower* gone) { state->forget(gone); }};
  }

 private:
  struct Follower {
    explicit Follower(std::function<void()> action) : task{std::move(action)} {}
    void run() {
      const std::lock_guard lock{mutex};
      if (active) task();
    }
    const std::function<void()> task;
    std::recursive_mutex mutex;
    bool active = true;
  };

  struct State {
    void forget(Follower* gone) {
      std::shared_ptr<Follower> follower;
      {
        const std::lock_guard lock{mutex};
        const auto at = followers.find(gone);
        follower = at->second;
        followers.erase(at);
      }
      const std::lock_guard lock{follower->mutex};
      follower->active = false;
    }

    std::atomic<std::int64_t> unix_ns{0};
    std::mutex mutex;
    std::map<Follower*, std::shared_ptr<Follower>> followers;
  };

  std::shared_ptr<State> state_;
};

static_assert(Clock<ManualClock>);

}  // namespace gossip
