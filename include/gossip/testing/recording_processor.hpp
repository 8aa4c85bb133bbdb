// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RecordingProcessor: a processor that keeps what it was called with, for tests. Layer: testing.

#include <gossip/core/any_event.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/testing/wait.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gossip {

namespace detail {

/// A list that several threads append to, and wait for. Its lock is never held while elements are
/// made, copied or destroyed, whose code may be a user's.
template <class E>
class RecordedList {
 public:
  void add(E event) {
    auto made = std::make_shared<const E>(std::move(event));
    const std::lock_guard lock{mutex_};
    events_.push_back(std::move(made));
    changed_.notify_all();
  }

  [[nodiscard]] bool wait_for(std::size_t count, std::chrono::nanoseconds timeout) {
    const SteadyTime deadline = later(std::chrono::steady_clock::now(), timeout);
    const auto enough = [&] { return events_.size() >= count; };
    std::unique_lock lock{mutex_};
    while (!enough()) {
      lock.unlock();
      const bool ran = run_while_waiting();
      lock.lock();
      if (ran || enough()) continue;
      const SteadyTime now = std::chrono::steady_clock::now();
      if (now >= deadline) return false;
      // What other threads publish on a TestBus does not wake its thread.
      changed_.wait_until(lock,
                          runs_while_waiting() ? std::min(deadline, now + look_again) : deadline);
    }
    return true;
  }

  [[nodiscard]] std::vector<E> events() const {
    std::vector<E> copies;
    for (const std::shared_ptr<const E>& event : shared()) copies.push_back(*event);
    return copies;
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock{mutex_};
    return events_.size();
  }
  void clear() {
    Events gone;  // destroyed outside the lock
    const std::lock_guard lock{mutex_};
    gone.swap(events_);
  }

 private:
  using Events = std::vector<std::shared_ptr<const E>>;

  static constexpr std::chrono::milliseconds look_again{1};

  [[nodiscard]] Events shared() const {
    const std::lock_guard lock{mutex_};
    return events_;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Events events_;
};

}  // namespace detail

namespace testing {

/// Keeps a copy of every event that it is called with. Copies of the processor share what is kept, so
/// one is subscribed and the other one asked:
///
/// @code
/// testing::RecordingProcessor<Order> orders;
/// auto subscription = bus.subscribe(order_created, orders);
/// ...
/// REQUIRE(orders.wait_for(2));
/// CHECK(orders.data()[1].amount == 150);
/// @endcode
///
/// `RecordingProcessor<AnyEvent>` is for patterns. Example: tests/unit/testing/recording_processor_test.cpp.
///
/// Thread safety: any thread.
template <class T>
class RecordingProcessor {
  static_assert(std::copy_constructible<StoredPayload<T>>, "the payload cannot be copied");

 public:
  RecordingProcessor() : list_{std::make_shared<detail::RecordedList<Event<T>>>()} {}

  /// Keeps a copy. @throws std::bad_alloc, and what copying the payload throws
  void operator()(const Event<T>& event) const { list_->add(event); }

  /// What came so far, in the order of the calls.
  /// @{
  [[nodiscard]] std::vector<Event<T>> events() const { return list_->events(); }
  [[nodiscard]] std::vector<StoredPayload<T>> data() const {
    std::vector<StoredPayload<T>> data;
    for (const Event<T>& event : events()) data.push_back(event.data());
    return data;
  }
  /// @}
  /// How many came so far. // events
  [[nodiscard]] std::size_t count() const { return list_->count(); }
  /// Forgets what came so far.
  void clear() const { list_->clear(); }

  /// Waits until at least `count` have come. On the thread of a TestBus, runs what that bus has to do
  /// meanwhile.
  /// @param timeout  real time
  /// @return         false if they did not come in time
  [[nodiscard]] bool wait_for(std::size_t count,
                              std::chrono::nanoseconds timeout = patience) const {
    return list_->wait_for(count, timeout);
  }

 private:
  std::shared_ptr<detail::RecordedList<Event<T>>> list_;
};

/// The same for events of any types, of which it keeps an AnyEvent each.
template <>
class RecordingProcessor<AnyEvent> {
 public:
  RecordingProcessor() : list_{std::make_shared<detail::RecordedList<AnyEvent>>()} {}

  /// @throws NoDataError  the payload cannot be copied
  void operator()(const AnyEvent& event) const { list_->add(event); }

  /// As above.
  /// @{
  [[nodiscard]] std::vector<AnyEvent> events() const { return list_->events(); }
  [[nodiscard]] std::size_t count() const { return list_->count(); }
  void clear() const { list_->clear(); }
  [[nodiscard]] bool wait_for(std::size_t count,
                              std::chrono::nanoseconds timeout = patience) const {
    return list_->wait_for(count, timeout);
  }
  /// @}

 private:
  std::shared_ptr<detail::RecordedList<AnyEvent>> list_;
};

}  // namespace testing
}  // namespace gossip
