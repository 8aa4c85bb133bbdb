// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Writer: publishes events over one connection, many at a time, and asks what readers want to know.
/// Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/errc.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/condition.hpp>
#include <gossip/redis/link.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/question.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/send_queue.hpp>
#include <gossip/redis/send_window.hpp>
#include <gossip/redis/statistics.hpp>
#include <gossip/redis/tell.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// Takes encoded events from many threads and sends what has gathered in one go, up to a bound
/// without answer. Each event is confirmed by the server's reply, or reported as failed.
///
/// After a lost connection, what was not answered is sent again: an event whose answer was lost then
/// arrives twice, with one id, by which readers tell. How much is under way is halved each time, see
/// SendWindow. Where a repetition could not be told (Pub/Sub), it is reported instead: whether the
/// server took it is unknown.
///
/// Thread safety: publish, ask, flush, statistics from any thread; start and close from one.
class Writer {
 public:
  /// @param options     valid; outlive the writer
  /// @param repeatable  whether an event may be sent again without being told from a new one
  Writer(const RedisOptions& options, bool repeatable)
      : options_{options},
        repeatable_{repeatable},
        window_{options.pipeline},
        link_{options, *this, true} {
    condition_->expect(Part::writer);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { close(std::chrono::steady_clock::now()); }

  /// Connects. @throws std::system_error
  void start() { link_.start(); }

  /// Takes an event over.
  /// @return          ok, Errc::queue_full, Errc::closed
  /// @par Blocking    with WriterOverflow::block while too many wait; never on a bus's worker
  Status publish(const EncodedEvent& event) {
    std::unique_lock lock{mutex_};
    while (!closed_ && waiting_ >= options_.writer_capacity) {
      if (options_.writer_overflow == WriterOverflow::reject || must_not_wait()) {
        ++statistics_.rejected;
        return Errc::queue_full;
      }
      ++blocked_;
      space_.wait(lock);
      --blocked_;
    }
    if (closed_) return Errc::closed;
    arrived_.add(event.wire, event.name);
    ++waiting_;
    ++statistics_.accepted;
    const bool alone = waiting_ == 1;
    const bool due = is_due() || link_.napping();
    lock.unlock();
    // With nothing under way there is nothing to gather: the link's thread would only be a detour.
    if (alone && !on_links_thread()) {
      link_.try_turn();
    } else if (due) {
      link_.notify();
    }
    return {};
  }

  /// Sends a command of another kind. `answer` is called on the thread that takes the reply: the writer's, or
  /// one that publishes or flushes; with a failure if the connection is lost before the answer, the server
  /// is the wrong one, or at the end: on the thread that closes, or, once it is closed, that asks.
  void ask(Command command, OnAnswer answer, AtTheEnd at_the_end = AtTheEnd::dropped) {
    Question question{std::move(command), std::move(answer), at_the_end};
    {
      std::unique_lock lock{mutex_};
      if (!closed_) {
        questions_.add(std::move(question));
        lock.unlock();
        return link_.notify();
      }
    }
    Reply none;
    question.answer(Status{Errc::closed}, none);
  }

  /// Sends a command on that connection() or not at all; nobody is told what comes of it.
  /// @throws std::bad_alloc
  void ask_now(std::uint64_t connection, Command command) {
    Question question{std::move(command), [](const Status&, Reply&) {}, AtTheEnd::dropped, true};
    std::unique_lock lock{mutex_};
    if (closed_ || !connected() || generation_ != connection) return;
    questions_.add(std::move(question));
    lock.unlock();
    link_.notify();
  }

  /// As ask(), and waits for the answer. Not on the writer's own thread.
  /// @return  Errc::timeout if it did not come in time; then it may still have an effect
  Status ask_and_wait(Command command, Reply& reply, SteadyTime deadline) {
    AwaitedAnswer answer;
    ask(std::move(command), answer.taker());
    return answer.wait(reply, deadline);
  }

  /// Waits until everything that was taken over before the call is confirmed or has failed.
  /// @return  ok, Errc::timeout
  Status flush(SteadyTime deadline) {
    std::unique_lock lock{mutex_};
    const std::uint64_t goal = statistics_.accepted;
    const auto done = [&] { return statistics_.published + statistics_.failed >= goal || closed_; };
    if (!done() && waiting_ <= few && !on_links_thread()) {
      lock.unlock();
      link_.help_until(deadline, [&] {
        lock.lock();
        if (done()) return true;  // and keeps the lock
        lock.unlock();
        return false;
      });
      if (!lock.owns_lock()) lock.lock();
    }
    return changed_.wait_until(lock, deadline, done) ? Status{} : Status{Errc::timeout};
  }

  /// Sends what was taken over, up to the deadline, reports the rest as failed, and ends. Idempotent.
  void close(SteadyTime deadline) {
    if (const std::lock_guard lock{mutex_}; closed_) return;
    link_.close(deadline);
    const auto turn = link_.take_turn();  // from a flush that helps
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;  // nothing arrives from now on
      changed_.notify_all();
      space_.notify_all();
    }
    while (!in_flight_.empty()) settle_first(Status{Errc::closed});
    for (std::size_t i = 0; i < arrived_.size(); ++i, ++settled_) {
      report(arrived_[i], Status{Errc::closed});
    }
    arrived_.clear();
    tell_settled();
    for (const Question& question : take_questions()) {
      Reply none;
      question.answer(Status{Errc::closed}, none);
    }
    condition_->close();
  }

  /// Of the provider, whose end is the writer's. @par Thread safety any thread
  [[nodiscard]] const std::shared_ptr<Condition>& condition() const noexcept { return condition_; }
  /// What it has done. @par Thread safety any thread
  [[nodiscard]] WriterStatistics statistics() const {
    const std::lock_guard lock{mutex_};
    WriterStatistics statistics = statistics_;
    statistics.waiting = waiting_;
    return statistics;
  }
  /// Of its connection. @par Thread safety any thread
  [[nodiscard]] TrafficStatistics traffic() const noexcept { return link_.traffic(); }
  /// True while the connection works. @par Thread safety any thread
  [[nodiscard]] bool connected() const noexcept {
    return connected_.load(std::memory_order_acquire);
  }
  /// Which of its connections that is, from 1 on; 0: none. @par Thread safety any thread
  [[nodiscard]] std::uint64_t connection() const noexcept {
    const std::lock_guard lock{mutex_};
    return connected() ? generation_ : 0;
  }
  /// Waits for the connection. @return why it does not come about: Errc::closed at the end
  Status wait_until_connected(SteadyTime deadline) {
    std::unique_lock lock{mutex_};
    const auto known = [this] { return connected() || !trouble_.ok() || closed_; };
    if (!changed_.wait_until(lock, deadline, known)) return Errc::timeout;
    if (closed_) return Errc::closed;
    return connected() ? Status{} : trouble_;
  }

  /// What Link asks of its client, on its own thread.
  /// @{
  void on_ready() {
    const std::lock_guard lock{mutex_};
    connected_.store(true, std::memory_order_release);
    trouble_ = {};
    if (generation_++ != 0) ++statistics_.reconnects;
    changed_.notify_all();
  }
  void on_lost(const Status&) noexcept {
    connected_.store(false, std::memory_order_release);
    window_.lost(in_flight_.sent());
    on_hold_ = false;
    const std::lock_guard lock{mutex_};
    statistics_.sent_again += in_flight_.sent();
    in_flight_.unsend();
    questions_.drop_outdated();
  }
  void on_push(Reply&) {}
  void on_state(State state, const Status& why) {
    if (!why.ok()) {
      const std::lock_guard lock{mutex_};
      trouble_ = why;
      changed_.notify_all();
    }
    condition_->connection(Part::writer, state, why);
  }

  SteadyTime on_turn() {
    bool questions = false;
    {
      const std::lock_guard lock{mutex_};
      count_settled();
      in_flight_.take(arrived_);
      questions = !questions_.empty();
    }
    if (!link_.ready()) return SteadyTime::max();
    while (in_flight_.sent() < window_.size()) {
      std::size_t count = 0;
      const std::string_view wire = in_flight_.next(window_.size() - in_flight_.sent(), count);
      if (count == 0) break;
      link_.send_wire(wire, {&on_published, this, 0}, count);
      in_flight_.mark_sent(count);
    }
    if (questions) send_questions();
    return SteadyTime::max();
  }
  [[nodiscard]] bool has_work() const {
    const std::lock_guard lock{mutex_};
    return settled_ != 0 || (!arrived_.empty() && waiting_ == arrived_.size()) ||
           arrived_.size() >= gather || (link_.ready() && !questions_.empty());
  }
  [[nodiscard]] bool drained() const {
    const std::lock_guard lock{mutex_};
    return arrived_.empty() && in_flight_.empty() && !questions_.owes();
  }
  /// @}

 private:
  /// One after the other: those that no memory is left for are sent by the next turn.
  void send_questions() {
    const std::lock_guard lock{mutex_};
    for (; !questions_.empty(); questions_.sent()) {
      link_.send(questions_.front(), {&on_answer, this, 0});
    }
  }
  [[nodiscard]] Questions::List take_questions() noexcept {
    const std::lock_guard lock{mutex_};
    return questions_.take_unsent();
  }

  /// True in what a link calls, too.
  static bool on_links_thread() noexcept { return gossip::detail::current_thread.never_waits; }
  static bool must_not_wait() noexcept {
    return gossip::detail::current_thread.worker_of != nullptr || on_links_thread();
  }

  static void on_answer(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<Writer*>(context);
    const Questions::List first = self.take_answered();
    const OnAnswer& answer = first.front().answer;
    if (class_of(reply) != ErrorClass::reconnect) return answer(lost, reply);
    const Status wrong = status_of(reply, "asking");  // throws nothing: whoever asked is told
    self.link_.give_up(wrong);
    answer(wrong, reply);
  }
  [[nodiscard]] Questions::List take_answered() noexcept {
    const std::lock_guard lock{mutex_};
    return questions_.answered();
  }

  /// The reply to the first event in flight.
  static void on_published(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<Writer*>(context);
    if (!lost.ok()) {
      if (!self.repeatable_) self.settle_first(unknown_outcome(lost));
      return;
    }
    // Behind one that is kept, the answers are not for the first in flight: all are sent again.
    if (self.on_hold_) return;
    self.window_.answered();
    const ErrorClass error = class_of(reply);
    if (error == ErrorClass::none) return self.settle_first({});
    Status failure = status_of(reply, "publishing", self.in_flight_.front().type);
    if (error == ErrorClass::reconnect) {
      // Kept, to be sent to the server that takes it; so are those behind it.
      self.link_.give_up(std::move(failure));
      self.on_hold_ = true;
      return;
    }
    self.settle_first(failure);
  }

  static Status unknown_outcome(const Status& lost) noexcept {
    try {
      return RetryableError{"redis: the connection was lost before the server answered",
                            lost.error()};
    } catch (const std::bad_alloc&) {
      return lost;
    }
  }

  /// The first in flight is done with, in one way or the other. Throws nothing, since the next answer is
  /// for the next one.
  void settle_first(const Status& outcome) noexcept {
    ++settled_;
    if (outcome.ok()) return in_flight_.pop_front();
    const EventName event = in_flight_.front();
    in_flight_.pop_front();
    report(event, outcome);
  }
  void report(const EventName& event, const Status& why) noexcept {
    ++settled_badly_;
    char digits[32];
    tell(options_.on_publish_error, event.type, gossip::detail::write_digits(event.id, digits),
         why);
  }

  void tell_settled() {
    const std::lock_guard lock{mutex_};
    count_settled();
  }
  /// Once per turn, not per event. @pre the lock is held
  void count_settled() {
    if (settled_ == 0) return;
    statistics_.published += settled_ - settled_badly_;
    statistics_.failed += settled_badly_;
    waiting_ -= settled_;
    settled_ = 0;
    settled_badly_ = 0;
    changed_.notify_all();
    // Not for each event: who is woken shall have something to do.
    if (blocked_ != 0 && waiting_ <= options_.writer_capacity / 2) space_.notify_all();
  }

  /// Whether the link's thread is to be told that something has arrived. While answers are on their
  /// way it will come by itself, and find what has gathered. @pre the lock is held
  [[nodiscard]] bool is_due() const noexcept {
    return waiting_ == arrived_.size() ? arrived_.size() == 1 : arrived_.size() == gather;
  }

  /// What is worth a turn though answers are on their way. // events
  static constexpr std::size_t gather = 64;
  /// Up to here a flush does the work itself; more is pipelined better by the link's thread. // events
  static constexpr std::size_t few = 8;

  const RedisOptions& options_;
  const bool repeatable_;
  const std::shared_ptr<Condition> condition_ = std::make_shared<Condition>(options_);
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable space_;
  EventBatch arrived_;
  Questions questions_;
  std::size_t waiting_ = 0;  ///< taken over and not yet confirmed // events
  std::size_t blocked_ = 0;  ///< wait for space // threads
  bool closed_ = false;
  std::uint64_t generation_ = 0;  ///< of the connection, from 1 on
  Status trouble_;
  WriterStatistics statistics_;
  std::atomic<bool> connected_{false};

  // The link's thread alone.
  SendQueue in_flight_;
  SendWindow window_;
  std::size_t settled_ = 0;        ///< not yet counted // events
  std::size_t settled_badly_ = 0;  ///< of these // events
  bool on_hold_ = false;           ///< the server is the wrong one
  Link<Writer> link_;
};

}  // namespace gossip::redis
