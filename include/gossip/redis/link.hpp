// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Link: the thread that owns one connection to Redis. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/connection.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/session.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <deque>
#include <memory>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace gossip::redis {

/// Who is told of a reply: `done(context, tag, lost, reply)`. `lost` is success, or why the connection
/// went away before the reply came.
struct ReplyTo {
  /// Null: nobody is told.
  void (*done)(void* context, std::uint64_t tag, const Status& lost, Reply& reply) = nullptr;
  void* context = nullptr;  ///< handed to `done`
  std::uint64_t tag = 0;    ///< handed to `done`
};

/// A file descriptor by which a thread in poll() is woken.
class WakeUp {
 public:
  /// @throws std::system_error
  WakeUp() : descriptor_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
    if (descriptor_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
  }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;
  ~WakeUp() { ::close(descriptor_); }

  /// For poll(); readable once notify() has been called.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  /// Wakes the thread, if it sleeps or is about to.
  /// @par Thread safety any thread
  void notify() noexcept {
    // (1) acq_rel: either this reads what (2) wrote, or (2) comes later and the sleeper's last look
    // for work sees what the caller did before.
    if (!sleeping_.exchange(false, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
  }

  /// For the thread itself: says that it is about to sleep; it then looks for work once more.
  void about_to_sleep() noexcept {
    sleeping_.exchange(true, std::memory_order_acq_rel);  // (2) pairs with (1)
  }
  /// For the thread itself: says that it sleeps no longer.
  void awake() noexcept {
    sleeping_.store(false, std::memory_order_relaxed);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(descriptor_, &count, sizeof count);
  }

 private:
  const int descriptor_;
  std::atomic<bool> sleeping_{false};
};

/// Owns a connection, drives its Session, writes what the client sends, and hands replies back in
/// order. Nothing of it waits but poll(), and the resolution of the server's name.
///
/// The client, which outlives the link, is called on the link's thread alone:
/// - `on_ready()`: the connection may be used, from the beginning;
/// - `on_lost(const Status&)`: it is gone; what was sent and not answered has been told so before;
/// - `on_push(Reply&)`: a reply that nobody waits for;
/// - `on_state(State, const Status&)`: for the user;
/// - `on_turn(SteadyTime now) -> SteadyTime`: before each wait; sends what there is to send; answers
///   when it wants the next turn;
/// - `has_work()`: whether on_turn would find something that came since;
/// - `drained()`: whether nothing is left to be done before closing.
///
/// Thread safety: start, close and notify from any thread; the rest on the link's thread.
template <class Client>
class Link {
 public:
  /// @param pushes         every reply of a ready connection goes to on_push: Pub/Sub
  /// @param needs_primary  see Session
  Link(const RedisOptions& options, Client& client, bool needs_primary, bool pushes = false)
      : options_{options},
        client_{client},
        pushes_{pushes},
        session_{options, needs_primary, seed(this)} {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { close(std::chrono::steady_clock::now()); }

  /// Starts the thread. @throws std::system_error
  void start() {
    thread_ = std::thread{[this] { run(); }};
  }

  /// Ends the connection once the client is drained, at the latest at `deadline`, and the thread.
  /// Idempotent; not from two threads at once.
  void close(SteadyTime deadline) {
    close_by_.store(deadline.time_since_epoch().count(), std::memory_order_relaxed);
    closing_.store(true, std::memory_order_release);
    wake_.notify();
    if (thread_.joinable()) thread_.join();
  }

  /// Gives the client a turn soon. @par Thread safety any thread
  void notify() noexcept { wake_.notify(); }

  // ---- For the client, on the link's thread ---------------------------------------------------

  /// Sends a command. @pre ready()
  void send(const Command& command, ReplyTo reply_to) {
    wire_.clear();
    command.append_to(wire_);
    send_wire(wire_, reply_to);
  }
  /// Sends a command that is already in its wire form. @pre ready()
  void send_wire(std::string_view wire, ReplyTo reply_to) {
    if (!pushes_) waiting_.push_back(reply_to);
    if (!connection_.send(wire)) out_of_memory_ = true;
  }
  /// True once commands may be sent.
  [[nodiscard]] bool ready() const noexcept { return session_.ready(); }
  /// What is known of the connection.
  [[nodiscard]] const Session& session() const noexcept { return session_; }
  /// How many replies are waited for. // replies
  [[nodiscard]] std::size_t unanswered() const noexcept { return waiting_.size(); }
  /// True once close() has been called.
  [[nodiscard]] bool closing() const noexcept { return closing_.load(std::memory_order_acquire); }
  /// Gives the connection up: the server is the wrong one, or talks nonsense.
  void give_up(Status why) { doubts_ = std::move(why); }

 private:
  static std::uint64_t seed(const void* self) noexcept {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
           reinterpret_cast<std::uintptr_t>(self);
  }
  static SteadyTime now() noexcept { return std::chrono::steady_clock::now(); }

  void run() {
    gossip::detail::current_thread.never_waits = true;
    apply(session_.start(now()));
    while (!session_.closed()) {
      const SteadyTime next = client_.on_turn(now());
      write_now();
      if (closing() && (client_.drained() || now() >= close_by())) {
        apply(session_.close());
        break;
      }
      wait(std::min(next, session_.wake_at()));
      if (doubts_.ok() && out_of_memory_) doubts_ = RetryableError{"redis: no memory to send"};
      if (!doubts_.ok()) apply(session_.unusable(std::exchange(doubts_, {}), now()));
      out_of_memory_ = false;
      apply(session_.tick(now()));
    }
    fail_waiting(Status{Errc::closed});
    connection_.close();
  }

  [[nodiscard]] SteadyTime close_by() const noexcept {
    return SteadyTime{SteadyTime::duration{close_by_.load(std::memory_order_relaxed)}};
  }

  void write_now() {
    if (connection_.established() && connection_.unsent() != 0) settle(connection_.advance(0));
  }

  /// Sleeps until something arrives, somebody calls notify(), or the time has come.
  void wait(SteadyTime until) {
    if (closing()) until = std::min(until, close_by());
    wake_.about_to_sleep();
    const bool busy = client_.has_work() || (closing() && client_.drained()) || !doubts_.ok();
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - now());
    timespec limit{};
    if (!busy && left.count() > 0) {
      const auto capped = std::min<std::int64_t>(left.count(), 3'600'000'000'000);
      limit.tv_sec = static_cast<std::time_t>(capped / 1'000'000'000);
      limit.tv_nsec = static_cast<long>(capped % 1'000'000'000);
    }
    pollfd sockets[2] = {{wake_.descriptor(), POLLIN, 0},
                         {connection_.descriptor(), connection_.interest(), 0}};
    const int ready = ::ppoll(sockets, connection_.is_open() ? 2 : 1, &limit, nullptr);
    wake_.awake();
    if (ready > 0 && connection_.is_open() && sockets[1].revents != 0) {
      receive(sockets[1].revents);
    }
  }

  void receive(short events) {
    const bool was_established = connection_.established();
    const Status status = connection_.advance(events);
    if (!was_established && connection_.established()) apply(session_.connected(now()));
    // What arrived before the end is told before the end.
    while (connection_.is_open()) {
      std::unique_ptr<Reply> reply;
      if (Status malformed = connection_.next_reply(reply); !malformed.ok())
        return settle(malformed);
      if (reply == nullptr) break;
      take(*reply);
    }
    settle(status);
  }

  void take(Reply& reply) {
    if (session_.handshaking()) return apply(session_.reply(reply, now()));
    session_.alive(now());
    if (pushes_) return client_.on_push(reply);
    if (waiting_.empty()) return client_.on_push(reply);
    const ReplyTo to = waiting_.front();
    waiting_.pop_front();
    if (to.done != nullptr) to.done(to.context, to.tag, Status{}, reply);
  }

  static void on_probed(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<Link*>(context);
    if (lost.ok()) self.apply(self.session_.probed(reply, now()));
  }

  void settle(const Status& status) {
    if (!status.ok()) apply(session_.lost(status, now()));
  }

  void apply(SessionOutput output) {
    if (output.drop) {
      const bool was_ready = std::exchange(ready_, false);
      connection_.close();
      fail_waiting(session_.trouble());
      if (was_ready) client_.on_lost(session_.trouble());
    }
    if (output.report) client_.on_state(output.report->first, output.report->second);
    if (output.connect) settle(connection_.open(options_));
    for (const Command& command : output.send) {
      wire_.clear();
      command.append_to(wire_);
      if (session_.handshaking()) {
        if (!connection_.send(wire_)) out_of_memory_ = true;
      } else {
        send_wire(wire_, {&on_probed, this, 0});
      }
    }
    if (!output.send.empty()) write_now();
    if (output.ready) {
      ready_ = true;
      client_.on_ready();
    }
  }

  void fail_waiting(const Status& why) {
    std::deque<ReplyTo> waiting;
    waiting.swap(waiting_);
    for (const ReplyTo& to : waiting) {
      Reply none;
      if (to.done != nullptr) to.done(to.context, to.tag, why, none);
    }
  }

  const RedisOptions& options_;
  Client& client_;
  const bool pushes_;
  Session session_;
  Connection connection_;
  WakeUp wake_;
  std::deque<ReplyTo> waiting_;  ///< in the order in which replies will come
  std::string wire_;
  Status doubts_;
  bool out_of_memory_ = false;
  bool ready_ = false;  ///< the client has been told so
  std::atomic<bool> closing_{false};
  std::atomic<SteadyTime::rep> close_by_{0};
  std::thread thread_;
};

}  // namespace gossip::redis
