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
#include <gossip/redis/expected_replies.hpp>
#include <gossip/redis/lent_socket.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/session.hpp>
#include <gossip/redis/traffic.hpp>
#include <gossip/redis/wake_up.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace gossip::redis {

/// Owns a connection, drives its Session, writes what the client sends, and hands replies back in
/// order. Nothing of it waits but poll(), and the resolution of the server's name.
///
/// Its thread sleeps most of the time. Meanwhile another one may take its turn: to send at once what
/// would else need a wake-up (try_turn), or to read the answer that it waits for itself (help_until).
/// Whoever is at work holds `turn_`. Only the link's thread ever waits for it, only the link's thread
/// opens and closes the connection, and nobody holds it while waiting for the server.
///
/// The client, which outlives the link, is called by whoever has the turn:
/// - `on_ready()`: the connection may be used, from the beginning;
/// - `on_lost(const Status&)`: it is gone; what was sent and not answered has been told so before;
/// - `on_push(Reply&)`: what answers nothing: a message;
/// - `on_state(State, const Status&)`: for the user;
/// - `on_turn() -> SteadyTime`: before each wait; sends what there is to send; answers when it wants
///   the next turn;
/// - `has_work()`: whether on_turn would find something that came since;
/// - `drained()`: whether nothing is left to be done before closing.
///
/// Thread safety: start, close, notify, try_turn, help_until, take_turn, napping from any thread; the rest
/// belongs to who has the turn.
template <class Client>
class Link {
 public:
  /// @param pushes         messages come between the answers: Pub/Sub
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

  /// Gives the client its turn at once, on the calling thread, and writes what it sends; or has the
  /// link's thread do so, if that is at work, or the connection does not work.
  /// @par Blocking never
  void try_turn() noexcept {
    const std::unique_lock turn{turn_, std::try_to_lock};
    if (!turn || !usable()) return notify();
    const NeverWaits never_waits;
    if (!lent_turn()) notify();
  }

  /// Does the link's work on the calling thread until `done()`, the deadline, or there is nothing to wait
  /// for; saves two changes of threads where an answer is waited for. `done` is asked without the turn.
  template <class Done>
  void help_until(SteadyTime deadline, Done&& done) {
    if (helping_.exchange(true, std::memory_order_acq_rel)) return;  // one is enough
    bool nothing_left = false;
    while (help_once(deadline, nothing_left) && !done()) {
    }
    helping_.store(false);
    if (!nothing_left && napping_.load()) notify();  // (3) pairs with (1)
  }

  /// The turn; waits until nobody else has it. Only once the link's thread has ended.
  [[nodiscard]] std::unique_lock<std::mutex> take_turn() { return std::unique_lock{turn_}; }
  /// True while the link's thread leaves the reading to others: it has to be notified even of what it
  /// would else find when the next answer comes.
  [[nodiscard]] bool napping() const noexcept { return napping_.load(std::memory_order_acquire); }

  // ---- For the client, on the link's thread ---------------------------------------------------

  /// Sends a command. @pre ready()
  /// @throws std::bad_alloc; nothing has been sent then, and `reply_to` is told nothing
  void send(const Command& command, ReplyTo reply_to) {
    wire_.clear();
    command.append_to(wire_);
    send_wire(wire_, reply_to);
  }
  /// As send(), for what is in its wire form already.
  /// @param count  how many commands they are, one behind the other; each has its answer
  void send_wire(std::string_view wire, ReplyTo reply_to, std::size_t count = 1) {
    expected_.add(reply_to, count);
    // Behind what is missing nothing may come: the answers would be taken for those to other commands.
    out_of_memory_ = out_of_memory_ || !connection_.send(wire);
  }
  /// True once commands may be sent.
  [[nodiscard]] bool ready() const noexcept { return session_.ready(); }
  /// What is known of it.
  [[nodiscard]] const Session& session() const noexcept { return session_; }
  /// How many replies are waited for. // replies
  [[nodiscard]] std::size_t unanswered() const noexcept { return expected_.size(); }
  /// What has gone to and fro. @par Thread safety any thread
  [[nodiscard]] TrafficStatistics traffic() const noexcept { return connection_.traffic(); }
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
    Connection::ignore_broken_pipes();
    std::unique_lock turn{turn_};
    apply(session_.start(now()));
    while (!session_.closed()) {
      const SteadyTime next = clients_turn();
      write_now();
      if (closing() && (client_.drained() || now() >= close_by())) {
        apply(session_.close());
        break;
      }
      wait(turn, std::min(next, session_.wake_at()));
      if (deferred_) apply(*std::exchange(deferred_, std::nullopt));
      if (doubts_.ok() && out_of_memory_) doubts_ = RetryableError{"redis: no memory to send"};
      if (!doubts_.ok()) apply(session_.unusable(std::exchange(doubts_, {}), now()));
      out_of_memory_ = false;
      apply(session_.tick(now()));
    }
    expected_.fail(Status{Errc::closed});
    connection_.close();
  }

  /// What it was about to send when memory ran out, it sends on another connection.
  SteadyTime clients_turn() {
    try {
      return client_.on_turn();
    } catch (const std::bad_alloc&) {
      out_of_memory_ = true;
      return now();
    }
  }
  [[nodiscard]] SteadyTime close_by() const noexcept {
    return SteadyTime{SteadyTime::duration{close_by_.load(std::memory_order_relaxed)}};
  }

  void write_now() {
    if (connection_.established() && connection_.unsent() != 0) settle(connection_.advance(0));
  }

  /// Sleeps until something arrives, somebody calls notify(), or the time has come; without the turn.
  void wait(std::unique_lock<std::mutex>& turn, SteadyTime until) {
    wake_.about_to_sleep();  // before the look at what close() sets, and who helps
    if (closing()) until = std::min(until, close_by());
    const bool nap = begin_nap();
    if (nap) until = std::min(until, now() + nap_time);
    const bool busy = client_.has_work() || (closing() && client_.drained()) || in_doubt();
    const auto left = busy || socket_.full() ? SteadyTime::duration::zero() : until - now();
    short events = nap ? short{0} : connection_.interest();
    if (socket_.lent()) events = static_cast<short>(events & ~POLLIN);
    const int descriptor = events != 0 ? connection_.descriptor() : -1;
    turn.unlock();
    events = wake_.sleep(descriptor, events, left);
    turn.lock();
    napping_.store(false, std::memory_order_relaxed);
    wake_.awake();
    if (!connection_.is_open() || socket_.lent()) return;
    if (socket_.full()) receive(connection_.take(socket_.take()));
    if (events != 0 && connection_.is_open()) receive(events);
  }

  /// While another thread reads, this one would be woken for nothing.
  bool begin_nap() noexcept {
    if (!ready_ || closing() || (connection_.interest() & POLLOUT) != 0) return false;
    // (1) seq_cst: either (2) sees that somebody helps no more, or (3) sees this
    napping_.store(true);
    if (helped_.exchange(false, std::memory_order_relaxed) || helping_.load()) return true;  // (2)
    napping_.store(false, std::memory_order_relaxed);
    return false;
  }

  // ---- On another thread ----------------------------------------------------------------------

  /// As on the link's thread, as long as it lives.
  struct NeverWaits {
    NeverWaits() noexcept { gossip::detail::current_thread.never_waits = true; }
    NeverWaits(const NeverWaits&) = delete;
    NeverWaits& operator=(const NeverWaits&) = delete;
    ~NeverWaits() { gossip::detail::current_thread.never_waits = before; }
    const bool before = gossip::detail::current_thread.never_waits;
  };

  /// Something that the link's thread alone deals with.
  [[nodiscard]] bool in_doubt() const noexcept {
    return out_of_memory_ || !doubts_.ok() || deferred_;
  }
  [[nodiscard]] bool usable() const noexcept {
    return ready_ && !closing() && !in_doubt() && !connection_.secured();
  }

  /// Gives the client its turn, and writes. @return false if the link's thread has to look
  bool lent_turn() noexcept {
    try {
      client_.on_turn();
    } catch (const std::bad_alloc&) {
      return false;  // for the link's thread to try again
    }
    if (connection_.unsent() != 0) doubt(connection_.advance(0));
    return !in_doubt() && connection_.unsent() == 0;
  }
  void doubt(const Status& status) {
    if (!status.ok()) doubts_ = status;
  }

  /// Sends what there is, waits for an answer, and takes it. @return false to leave the rest to others
  /// @param nothing_left  set to whether no answer is expected any more
  bool help_once(SteadyTime deadline, bool& nothing_left) {
    nothing_left = false;
    const SteadyTime begun = now();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - begun);
    if (left.count() <= 0) return false;
    {
      const std::unique_lock turn{turn_, std::try_to_lock};
      if (!turn || !usable() || socket_.full()) return false;
      // What the caller wants to be sent, it has sent by try_turn(), most likely.
      if (expected_.empty()) {
        const NeverWaits never_waits;
        if (!lent_turn()) {
          notify();
          return false;
        }
        nothing_left = expected_.empty();
        if (nothing_left) return false;
      }
      helped_.store(true, std::memory_order_relaxed);
      socket_.lend(connection_.descriptor());
    }
    const LentSocket::Read read = socket_.wait(left, Connection::receive_limit);
    const std::unique_lock turn{turn_, std::try_to_lock};
    if (!turn || !usable() || read.is_end()) {
      socket_.leave();
      notify();
      return false;
    }
    socket_.give_back();
    const NeverWaits never_waits;
    lent_ = true;
    doubt(connection_.take(read));
    doubt(take_replies(begun));
    lent_ = false;
    if (!lent_turn()) notify();
    nothing_left = expected_.empty();
    return true;
  }

  // ---- Replies --------------------------------------------------------------------------------

  void receive(short events) {
    const bool was_established = connection_.established();
    const Status status = connection_.advance(events);
    if (!was_established && connection_.established()) apply(session_.connected(now()));
    receive(status);
  }
  /// @param status  of what has been read
  void receive(const Status& status) {
    // What arrived before the end is told before the end.
    if (const Status malformed = take_replies(now()); !malformed.ok()) return settle(malformed);
    settle(status);
  }

  /// @param at  when they arrived, or earlier
  /// @return    why what arrived is no reply
  Status take_replies(SteadyTime at) {
    if (connection_.take_heard()) session_.alive(at);
    while (connection_.is_open()) {
      Reply* reply = nullptr;
      if (Status malformed = connection_.next_reply(reply); !malformed.ok()) return malformed;
      if (reply == nullptr) break;
      take(*reply, at);
    }
    return {};
  }

  void take(Reply& reply, SteadyTime at) {
    if (session_.handshaking()) return apply(session_.reply(reply, at));
    if (expected_.empty() || (pushes_ && reply.is_message())) return client_.on_push(reply);
    expected_.tell(reply);
  }

  static void on_probed(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<Link*>(context);
    if (lost.ok()) self.apply(self.session_.probed(reply, now()));
  }

  void settle(const Status& status) {
    if (!status.ok()) apply(session_.lost(status, now()));
  }

  void apply(SessionOutput output) {
    if (lent_) {  // connecting is for the link's thread, since resolving a name may take its time
      if (output.drop) deferred_ = std::move(output);
      return;
    }
    if (output.drop) {
      const bool was_ready = std::exchange(ready_, false);
      socket_.recall();
      connection_.close();
      expected_.fail(session_.trouble());
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
      connection_.introduced();
      client_.on_ready();
    }
  }

  /// How long the link's thread leaves the reading to another one that has just read, at most.
  /// Waking it often is not free for the others: the scheduler takes notice of who wakes whom.
  static constexpr std::chrono::milliseconds nap_time{50};

  const RedisOptions& options_;
  Client& client_;
  const bool pushes_;
  std::mutex turn_;  ///< held by who is at work on what follows, but for the atomics
  Session session_;
  Connection connection_;
  LentSocket socket_;
  WakeUp wake_;
  ExpectedReplies expected_;
  std::string wire_;
  Status doubts_;
  std::optional<SessionOutput> deferred_;  ///< for the link's thread
  bool lent_ = false;                      ///< another thread takes replies
  bool out_of_memory_ = false;
  bool ready_ = false;                ///< the client has been told so
  std::atomic<bool> helping_{false};  ///< another thread waits for answers
  std::atomic<bool> helped_{false};   ///< it has done so since the last nap
  std::atomic<bool> napping_{false};  ///< nobody but that thread reads
  std::atomic<bool> closing_{false};
  std::atomic<SteadyTime::rep> close_by_{0};
  std::thread thread_;
};

}  // namespace gossip::redis
