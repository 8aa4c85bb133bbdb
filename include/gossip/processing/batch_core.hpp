// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BatchCore: who hands which batch to the processor, and when. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>
#include <gossip/processing/batch_buffers.hpp>
#include <gossip/processing/batch_call.hpp>
#include <gossip/processing/batch_executor.hpp>
#include <gossip/processing/batch_flights.hpp>
#include <gossip/processing/batch_intake.hpp>
#include <gossip/processing/batch_options.hpp>
#include <gossip/processing/batch_waiters.hpp>
#include <gossip/processing/retry.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>

namespace gossip::detail {

/// What a Batch shares with its processors, its timer tasks and the threads that work for it.
///
/// Whoever completes a batch takes the first that is ready, if a flush is free
/// (max_concurrent_flushes), and hands it to the processor; what is ready afterwards is posted to the
/// executor, one task at a time. The period and flush() merely demand the batch that is being filled:
/// it is closed when its turn comes, so while flushes lag behind, batches fill rather than multiply.
/// A failed batch keeps its flush while it waits for its next attempt; then it is due, which comes
/// before what is ready.
///
/// Invariant: if the lock is free and a batch can run, a thread is about to run it or a task is
/// posted.
///
/// Thread safety: all members from any thread. No user code runs under the lock, but the payload's
/// move into the buffer: where that is, is known under the lock alone.
template <Payload T>
class BatchCore : public std::enable_shared_from_this<BatchCore<T>> {
  using Buffer = BatchBuffer<T>;
  using Stage = typename Buffer::Stage;
  using Lock = std::unique_lock<std::mutex>;
  using Self = std::shared_ptr<BatchCore>;

 public:
  /// @param options  valid, see validate()
  BatchCore(BatchOptions<T> options, BatchExecutor executor, BatchCall<T> call)
      : options_{std::move(options)},
        executor_{std::move(executor)},
        call_{std::move(call)},
        intake_{options_, statistics_},
        flights_{options_.max_concurrent_flushes} {
    task_.work = [](void* core) noexcept { static_cast<BatchCore*>(core)->run_posted(); };
  }
  BatchCore(const BatchCore&) = delete;
  BatchCore& operator=(const BatchCore&) = delete;
  ~BatchCore() = default;

  [[nodiscard]] const BatchOptions<T>& options() const noexcept { return options_; }
  [[nodiscard]] const BatchExecutor& executor() const noexcept { return executor_; }

  /// See Batch::add.
  /// @param event  an Event<T>, moved from if it is accepted, or a BatchCopy<T>
  template <class E>
  Status add(E& event) {
    const std::size_t bytes = options_.bytes_of ? options_.bytes_of(event) : 0;
    {
      const std::lock_guard lock{mutex_};
      if (intake_.append_in_passing(event, bytes)) return {};
    }
    return add_with_care(static_cast<Event<T>&&>(event), bytes);
  }

  /// See Batch::flush.
  bool flush(SteadyTime deadline) {
    const Self self = this->shared_from_this();
    Lock lock{mutex_};
    intake_.demand(&BatchStatistics::by_flush);
    const std::uint64_t last = intake_.last_serial();
    bool settled = true;
    while (has_unsettled(last)) {
      if (BatchFrame::of(this) || BatchWaiters::over(deadline)) {
        settled = false;
        break;
      }
      if (can_run() && (flights_.due() || intake_.has_before(last))) {
        run_next(lock);
      } else {
        wait(lock, deadline);
      }
    }
    post_what_is_left(lock);
    return settled;
  }

  /// See Batch::close.
  bool close(SteadyTime deadline) {
    const Self self = this->shared_from_this();
    Lock lock{mutex_};
    closed_ = true;
    if (intake_.filling() != nullptr) intake_.close_filling(&BatchStatistics::by_close);
    flights_.make_all_due();
    waiters_.wake();
    while (!flights_.empty() || intake_.ready()) {
      if (BatchFrame::of(this)) {
        post_what_is_left(lock);
        return false;
      }
      if (!time_is_up_.load(std::memory_order_relaxed) && BatchWaiters::over(deadline)) {
        // (1) relaxed: it announces nothing but itself, and a batch that (2) overlooks is in time
        time_is_up_.store(true, std::memory_order_relaxed);
        lock.unlock();
        stop_.request_stop();
        lock.lock();
      } else if (can_run()) {
        run_next(lock);
      } else {
        wait(lock, time_is_up_.load(std::memory_order_relaxed) ? SteadyTime::max() : deadline);
      }
    }
    return !gave_up_;
  }

  /// See Batch::stats.
  [[nodiscard]] BatchStatistics statistics() const {
    const Lock lock{mutex_};
    BatchStatistics statistics = statistics_;
    statistics.pending = intake_.waiting() + flights_.events();
    return statistics;
  }

 private:
  enum class Space : std::uint8_t { found, dropped, full, closed };

  /// Out of line, to keep add() short.
  [[gnu::noinline]] Status add_with_care(Event<T>&& event, std::size_t bytes) {
    Self self;  // set before other code runs, which may destroy the batch; outlives the lock
    Lock lock{mutex_};
    for (;;) {
      if (closed_ || intake_.crowded()) [[unlikely]] {
        switch (make_space(lock, self)) {
          case Space::found: break;
          case Space::dropped: return EventAccess::header(event).receipt.fail(), Status{};
          case Space::full: return Errc::queue_full;
          case Space::closed: return Errc::closed;
        }
      }
      if (intake_.fits(bytes)) break;
      intake_.close_filling(&BatchStatistics::by_size);
      pump(lock, self);
    }
    intake_.append(event, bytes);
    if (intake_.full()) {
      intake_.close_filling(&BatchStatistics::by_size);
      pump(lock, self);
    } else if (options_.period.count() != 0 && intake_.filling()->events.size() == 1) {
      await_period(lock, self);
    }
    return {};
  }

  /// What the overflow policy says.
  Space make_space(Lock& lock, Self& self) {
    for (;;) {
      if (closed_) return ++statistics_.refused_closed, Space::closed;
      if (!intake_.crowded()) return Space::found;
      switch (options_.overflow) {
        case OverflowPolicy::reject: return ++statistics_.rejected, Space::full;
        case OverflowPolicy::drop_newest: return ++statistics_.dropped_newest, Space::dropped;
        case OverflowPolicy::drop_oldest: drop_oldest(lock); break;
        case OverflowPolicy::block:
          self = this->shared_from_this();
          if (can_run()) {
            run_next(lock);
            post_what_is_left(lock);
          } else if (BatchFrame::any() || !wait(lock, SteadyTime::max())) {
            // A processor that waits for others to process may wait for itself.
            return ++statistics_.rejected, Space::full;
          }
      }
    }
  }

  void drop_oldest(Lock& lock) noexcept {
    Buffer* buffer = intake_.drop_oldest();
    if (buffer == nullptr) return;
    lock.unlock();
    buffer->clear();
    lock.lock();
    intake_.give_back(*buffer);
    waiters_.wake();
  }

  bool wait(Lock& lock, SteadyTime deadline) {
    return waiters_.wait(lock, deadline, [this] { return !can_run(); });
  }

  /// Notes when the first event of a batch came, and sets the timer, unless it is set.
  void await_period(Lock& lock, Self& self) {
    const std::uint64_t serial = intake_.filling()->serial;
    lock.unlock();
    const SteadyTime now = executor_.now(executor_.owner.get());
    lock.lock();
    Buffer* filling = intake_.filling();
    if (filling == nullptr || filling->serial != serial) return;  // flushed already
    filling->since = now;
    if (timer_set_) return;
    set_timer(lock, later(now, options_.period));
    pump(lock, self);
  }

  void set_timer(Lock& lock, SteadyTime time) {
    timer_set_ = true;
    lock.unlock();
    const bool set = executor_.schedule(time, [weak = this->weak_from_this()] {
      if (const Self self = weak.lock()) self->period_is_over();
    });
    lock.lock();
    if (set) return;
    timer_set_ = false;
    intake_.demand(&BatchStatistics::by_period);  // early rather than never
  }

  /// On the timer's thread.
  void period_is_over() {
    const SteadyTime now = executor_.now(executor_.owner.get());
    Lock lock{mutex_};
    timer_set_ = false;
    const Buffer* filling = intake_.filling();
    // If it is not yet known when the first event came, its adder is about to set the timer.
    if (filling == nullptr || filling->since == SteadyTime::max()) return;
    const SteadyTime end = later(filling->since, options_.period);
    if (end <= now) {
      intake_.demand(&BatchStatistics::by_period);
    } else {
      set_timer(lock, end);
    }
    post_what_is_left(lock);
  }

  /// True if a batch could be handed to the processor now.
  [[nodiscard]] bool can_run() const noexcept {
    return flights_.due() || (intake_.ready() && !flights_.full());
  }

  /// Runs a batch on this thread, if there is one to run, and posts the next.
  void pump(Lock& lock, Self& self) {
    if (!can_run()) return;
    self = this->shared_from_this();
    run_next(lock);
    post_what_is_left(lock);
  }

  void post_what_is_left(Lock& lock) noexcept {
    while (can_run() && !posted_) {
      posted_ = true;
      lock.unlock();
      task_.batch = this->shared_from_this();
      if (executor_.post(executor_.owner.get(), task_)) {
        lock.lock();
        return;
      }
      task_.batch = nullptr;  // somebody else holds on to it
      lock.lock();
      posted_ = false;
      if (can_run()) run_next(lock);
    }
  }

  void run_posted() noexcept {
    Lock lock{mutex_};
    posted_ = false;
    if (can_run()) run_next(lock);
    post_what_is_left(lock);
  }

  /// Hands a batch to the processor. Unlocks meanwhile. @pre can_run()
  void run_next(Lock& lock) noexcept {
    Buffer* buffer = nullptr;
    if (flights_.due()) {
      buffer = &flights_.take_due();
    } else {
      buffer = &intake_.take();
      flights_.begin(*buffer);
      waiters_.wake();
    }
    lock.unlock();
    while (try_again(*buffer)) {
    }
    lock.lock();
  }

  [[nodiscard]] bool has_unsettled(std::uint64_t last) const noexcept {
    return flights_.has_before(last) || intake_.has_before(last);
  }

  /// Makes one attempt, and then whatever follows from its result.
  /// @return  true if the next attempt is to follow at once; else the buffer is no longer ours
  bool try_again(Buffer& buffer) noexcept {
    if (time_is_up_.load(std::memory_order_relaxed)) {  // (2) see (1)
      if (buffer.failure.ok()) buffer.failure = Errc::timeout;
      give_up(buffer, true);
      return false;
    }
    ++buffer.attempt;
    buffer.failure = call_batch<T>(this, call_, buffer.span(), stop_token_, buffer.attempt);
    if (buffer.failure.ok()) {
      settle(buffer, &BatchStatistics::processed, false);
      return false;
    }
    const bool again =
        buffer.attempt < options_.retry.max_attempts && WorthRetrying{}(buffer.failure);
    Lock lock{mutex_};
    ++statistics_.failed;
    if (again) {
      ++statistics_.retried;
      return closed_ || !delay(lock, buffer);
    }
    lock.unlock();
    give_up(buffer, false);
    return false;
  }

  /// Has the timer bring the next attempt. @return false if that is impossible
  bool delay(Lock& lock, Buffer& buffer) noexcept {
    const std::chrono::nanoseconds pause =
        retry_delay(options_.retry, buffer.attempt, RandomShare{}());
    buffer.stage = Stage::delayed;
    lock.unlock();
    const SteadyTime time = later(executor_.now(executor_.owner.get()), pause);
    const bool set = executor_.schedule(time, [weak = this->weak_from_this(), &buffer] {
      const Self self = weak.lock();
      if (!self) return;
      Lock relock{self->mutex_};
      if (buffer.stage != Stage::delayed) return;  // close() did not wait
      self->make_due(buffer);
      self->post_what_is_left(relock);
    });
    lock.lock();
    if (set || buffer.stage != Stage::delayed) return true;
    buffer.stage = Stage::running;
    return false;
  }

  /// Under the lock.
  void make_due(Buffer& buffer) noexcept {
    flights_.make_due(buffer);
    waiters_.wake();
  }

  void give_up(Buffer& buffer, bool for_want_of_time) noexcept {
    settle(buffer, bury_batch<T>(this, options_, buffer.span(), buffer.failure), for_want_of_time);
  }

  void settle(Buffer& buffer, std::uint64_t BatchStatistics::*outcome,
              bool for_want_of_time) noexcept {
    const std::size_t count = buffer.size();
    buffer.clear();
    const Lock lock{mutex_};
    statistics_.*outcome += count;
    gave_up_ = gave_up_ || for_want_of_time;
    flights_.end(buffer, count);
    intake_.give_back(buffer);
    waiters_.wake();
  }

  const BatchOptions<T> options_;
  const BatchExecutor executor_;
  const BatchCall<T> call_;
  std::stop_source stop_;
  const std::stop_token stop_token_ = stop_.get_token();
  std::atomic<bool> time_is_up_{false};  ///< of close(): nothing more reaches the processor

  mutable std::mutex mutex_;
  BatchWaiters waiters_;
  BatchStatistics statistics_;
  BatchIntake<T> intake_;
  BatchFlights<T> flights_;
  bool timer_set_ = false;  ///< period_is_over() will be called
  bool posted_ = false;     ///< `task_` is under way; run_posted() will be called
  BatchTask task_;
  bool closed_ = false;
  bool gave_up_ = false;  ///< on a batch, for want of time
};

}  // namespace gossip::detail
