// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ManualClock: time that stands still until it is told to go on, for tests. Layer: core.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/shared.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace gossip {

/// A clock that moves only by advance(). Copies share the same time. Timers that follow it run what
/// has become due inside advance(), on the thread that calls it, so a test needs no sleep.
///
/// Thread safety: any thread; advance() from one thread at a time.
class ManualClock {
 public:
  /// @param start  the time to begin with; after the Unix epoch
  explicit ManualClock(Timestamp start = Timestamp{std::chrono::seconds{1'700'000'000}})
      : state_{new State} {
    state_->unix_ns.store(start.time_since_epoch().count(), std::memory_order_relaxed);
  }

  /// What Clock asks for.
  /// @{
  [[nodiscard]] std::uint64_t ticks() const noexcept {
    return static_cast<std::uint64_t>(state_->unix_ns.load(std::memory_order_acquire));
  }
  [[nodiscard]] Timestamp to_time(std::uint64_t ticks) const noexcept {
    return Timestamp{std::chrono::nanoseconds{static_cast<std::int64_t>(ticks)}};
  }
  [[nodiscard]] SteadyTime now() const noexcept {
    return SteadyTime{std::chrono::nanoseconds{static_cast<std::int64_t>(ticks())}};
  }
  /// @}

  /// Moves the time on and runs what has become due, on this thread.
  /// @param step  not negative
  void advance(std::chrono::nanoseconds step) {
    state_->unix_ns.fetch_add(step.count(), std::memory_order_acq_rel);
    state_->run_all();
  }

  /// Calls `run()`, which must not throw, at the end of every advance(), until the returned handle is
  /// destroyed; that waits for a running call, unless it is made from inside it.
  /// @throws std::bad_alloc, what moving `run` throws
  template <class Run>
  [[nodiscard]] std::shared_ptr<void> follow(Run run) const {
    struct Following : Follower {
      explicit Following(Run&& what)
          : Follower{[](Follower& self) { static_cast<Following&>(self).action(); },
                     [](Follower* self) noexcept { delete static_cast<Following*>(self); }},
            action{std::move(what)} {}
      Run action;
    };
    struct Handle {
      explicit Handle(const detail::Shared<State>& of) noexcept : state{of} {}
      Handle(const Handle&) = delete;
      Handle& operator=(const Handle&) = delete;
      ~Handle() {
        if (follower != nullptr) state->forget(*follower);
      }
      const detail::Shared<State> state;
      Follower* follower = nullptr;
    };
    auto handle = std::make_shared<Handle>(state_);
    handle->follower = new Following{std::move(run)};
    state_->add(*handle->follower);
    return handle;
  }

 private:
  struct Follower {
    void (*run)(Follower& self);
    void (*destroy)(Follower* self) noexcept;
    std::recursive_mutex mutex{};  ///< held while it runs
    bool active = true;            ///< until the handle is gone; under its mutex
    // Under the mutex of the State.
    unsigned users = 1;  ///< the handle, and those who are about to run it
    Follower* next = nullptr;
  };

  struct State {
    void add(Follower& follower) noexcept {
      const std::lock_guard lock{mutex};
      follower.next = first;
      first = &follower;
    }

    void run_all() {
      for (Follower* follower = hold(nullptr); follower != nullptr;) {
        {
          const std::lock_guard running{follower->mutex};
          if (follower->active) follower->run(*follower);
        }
        Follower* next = hold(follower);
        drop(*follower);
        follower = next;
      }
    }

    void forget(Follower& follower) noexcept {
      {
        const std::lock_guard running{follower.mutex};
        follower.active = false;
      }
      drop(follower);
    }

    /// The one after `before`, or the first, made to stay; null if there is none.
    Follower* hold(const Follower* before) noexcept {
      const std::lock_guard lock{mutex};
      Follower* next = before != nullptr ? before->next : first;
      if (next != nullptr) ++next->users;
      return next;
    }

    void drop(Follower& follower) noexcept {
      {
        const std::lock_guard lock{mutex};
        if (--follower.users != 0) return;
        Follower** place = &first;
        while (*place != &follower) place = &(*place)->next;
        *place = follower.next;
      }
      follower.destroy(&follower);
    }

    detail::SharedCount count;
    std::atomic<std::int64_t> unix_ns{0};
    std::mutex mutex;
    Follower* first = nullptr;
  };

  detail::Shared<State> state_;
};

}  // namespace gossip
