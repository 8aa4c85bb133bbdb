// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Link: the thread that owns one connection to Redis. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/connection.hpp>
#include <gossip/redis/conversation.hpp>
#include <gossip/redis/expected_replies.hpp>
#include <gossip/redis/lent_socket.hpp>
#include <gossip/redis/options.hpp>
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
#include <poll.h>
#include <string_view>
#include <thread>
#include <utility>

namespace gossip::redis {

/// Owns a Conversation with a server: gives it what arrives, and the client its turns. Nothing of it
/// waits but poll(), and the resolution of the server's name.
///
/// Its thread sleeps most of the time. Meanwhile another one may take its turn: to send at once what
/// would else need a wake-up (try_turn), or to read the answer that it waits for itself (help_until).
/// Whoever is at work holds `turn_`. Only the link's thread ever waits for it, only the link's thread
/// opens and closes the connection, and nobody holds it while waiting for the server.
///
/// The client, which outlives the link, is called by whoever has the turn. Where memory runs out in it,
/// or in what is told of a reply, the connection is lost, so that the client finds the way back that it
/// knows anyway; what a reply has begun by then it need not finish, but must not lose.
/// - `on_ready()`: the connection may be used, from the beginning;
/// - `on_lost(const Status&)`: it is gone; what was sent and not answered has been told so before; throws
///   nothing;
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
        talk_{options, client, needs_primary, pushes, seed(this)} {}
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
  void send(const Command& command, ReplyTo reply_to) { talk_.send(command, reply_to); }
  /// As send(), for what is in its wire form already.
  /// @param count  how many commands they are, one behind the other; each has its answer
  void send_wire(std::string_view wire, ReplyTo reply_to, std::size_t count = 1) {
    talk_.send_wire(wire, reply_to, count);
  }
  /// True once commands may be sent.
  [[nodiscard]] bool ready() const noexcept { return talk_.session().ready(); }
  /// What is known of it.
  [[nodiscard]] const Session& session() const noexcept { return talk_.session(); }
  /// How many replies are waited for. // replies
  [[nodiscard]] std::size_t unanswered() const noexcept { return talk_.unanswered(); }
  /// What has gone to and fro. @par Thread safety any thread
  [[nodiscard]] TrafficStatistics traffic() const noexcept { return talk_.traffic(); }
  /// True once close() has been called.
  [[nodiscard]] bool closing() const noexcept { return closing_.load(std::memory_order_acquire); }
  /// Gives the connection up: the server is the wrong one, or talks nonsense.
  void give_up(Status why) noexcept { talk_.give_up(std::move(why)); }

 private:
  static std::uint64_t seed(const void* self) noexcept {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
           reinterpret_cast<std::uintptr_t>(self);
  }
  static SteadyTime now() noexcept { return std::chrono::steady_clock::now(); }

  void run() noexcept {
    gossip::detail::current_thread.never_waits = true;
    const gossip::detail::ProviderCall call{&options_};  // credentials and codecs, too
    Connection::ignore_broken_pipes();
    std::unique_lock turn{turn_};
    talk_.start(now());
    while (!talk_.session().closed()) {
      const SteadyTime next = clients_turn();
      talk_.write(now());
      if (closing() && (client_.drained() || now() >= close_by())) {
        talk_.close();
        break;
      }
      wait(turn, std::min(next, talk_.session().wake_at()));
      talk_.settle(now());
    }
    talk_.end();
  }

  /// What it was about to do when memory ran out, it does later, on another connection.
  SteadyTime clients_turn() noexcept {
    if (now() < next_turn_) return next_turn_;
    SteadyTime next = SteadyTime::max();
    if (!talk_.contain([&] { next = client_.on_turn(); })) {
      next_turn_ = now() + options_.back_off_initial;
    }
    return next;
  }
  [[nodiscard]] SteadyTime close_by() const noexcept {
    return SteadyTime{SteadyTime::duration{close_by_.load(std::memory_order_relaxed)}};
  }

  /// Sleeps until something arrives, somebody calls notify(), or the time has come; without the turn.
  void wait(std::unique_lock<std::mutex>& turn, SteadyTime until) {
    wake_.about_to_sleep();  // before the look at what close() sets, and who helps
    if (closing()) until = std::min(until, close_by());
    const bool nap = begin_nap();
    if (nap) until = std::min(until, now() + nap_time);
    const bool has_work = client_.has_work() && now() >= next_turn_;
    const bool busy = has_work || (closing() && client_.drained()) || talk_.in_doubt();
    const auto left = busy || socket().full() ? SteadyTime::duration::zero() : until - now();
    short events = nap ? short{0} : connection().interest();
    if (socket().lent()) events = static_cast<short>(events & ~POLLIN);
    const int descriptor = events != 0 ? connection().descriptor() : -1;
    sleeps_until_ = until;
    turn.unlock();
    events = wake_.sleep(descriptor, events, left);
    turn.lock();
    napping_.store(false, std::memory_order_relaxed);
    wake_.awake();
    if (!connection().is_open() || socket().lent()) return;
    if (socket().full()) talk_.receive(socket().take(), now());
    if (events != 0 && connection().is_open()) talk_.receive(events, now());
  }

  /// While another thread reads, this one would be woken for nothing.
  bool begin_nap() noexcept {
    if (!talk_.told_ready() || closing() || (connection().interest() & POLLOUT) != 0) return false;
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

  [[nodiscard]] bool usable() const noexcept {
    return talk_.told_ready() && !closing() && !talk_.in_doubt() && !connection().secured();
  }

  /// Gives the client its turn, and writes.
  /// @return  false if the link's thread has to look, or to sleep less: what answers a probe moves the time
  ///          of the next one, too
  bool lent_turn() noexcept {
    SteadyTime next;
    try {
      next = client_.on_turn();
    } catch (const std::bad_alloc&) {
      return false;  // for the link's thread to try again
    }
    next = std::min(next, talk_.session().wake_at());
    return talk_.write_elsewhere() && next >= sleeps_until_;
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
      if (!turn || !usable() || socket().full()) return false;
      // What the caller wants to be sent, it has sent by try_turn(), most likely.
      if (talk_.unanswered() == 0) {
        const NeverWaits never_waits;
        if (!lent_turn()) {
          notify();
          return false;
        }
        nothing_left = talk_.unanswered() == 0;
        if (nothing_left) return false;
      }
      helped_.store(true, std::memory_order_relaxed);
      socket().lend(connection().descriptor());
    }
    const LentSocket::Read read = socket().wait(left, Connection::receive_limit);
    const std::unique_lock turn{turn_, std::try_to_lock};
    if (!turn || !usable() || read.is_end()) {
      socket().leave();
      notify();
      return false;
    }
    socket().give_back();
    const NeverWaits never_waits;
    talk_.receive_elsewhere(read, begun);
    if (!lent_turn()) notify();
    nothing_left = talk_.unanswered() == 0;
    return true;
  }

  [[nodiscard]] LentSocket& socket() noexcept { return talk_.socket(); }
  [[nodiscard]] const Connection& connection() const noexcept { return talk_.connection(); }

  /// How long the link's thread leaves the reading to another one that has just read, at most.
  /// Waking it often is not free for the others: the scheduler takes notice of who wakes whom.
  static constexpr std::chrono::milliseconds nap_time{50};

  const RedisOptions& options_;
  Client& client_;
  std::mutex turn_;  ///< held by who is at work on what follows, but for the atomics
  Conversation<Client> talk_;
  WakeUp wake_;
  SteadyTime next_turn_{};            ///< of the client; memory ran out in its last one
  SteadyTime sleeps_until_{};         ///< the link's thread, at the latest
  std::atomic<bool> helping_{false};  ///< another thread waits for answers
  std::atomic<bool> helped_{false};   ///< it has done so since the last nap
  std::atomic<bool> napping_{false};  ///< nobody but that thread reads
  std::atomic<bool> closing_{false};
  std::atomic<SteadyTime::rep> close_by_{0};
  std::thread thread_;
};

}  // namespace gossip::redis
