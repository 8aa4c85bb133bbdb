// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Conversation: what is said over one connection to Redis, and what comes of it. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/connection.hpp>
#include <gossip/redis/expected_replies.hpp>
#include <gossip/redis/lent_socket.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/session.hpp>
#include <gossip/redis/traffic.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// Does what a Session wants done with a Connection, sends what the client sends, and hands replies
/// back in order. It knows no thread and waits for nothing: Link, whose client this is as well, tells
/// it what has happened.
///
/// Where memory runs out, in the client too, the connection is dropped and made again after a back-off:
/// what was half done is then done as after any other loss.
///
/// Thread safety: traffic from any thread; the rest belongs to who has the link's turn.
template <class Client>
class Conversation {
 public:
  /// @param pushes         messages come between the answers: Pub/Sub
  /// @param needs_primary  see Session
  /// @param seed           of the jitter
  Conversation(const RedisOptions& options, Client& client, bool needs_primary, bool pushes,
               std::uint64_t seed)
      : options_{options},
        client_{client},
        pushes_{pushes},
        session_{options, needs_primary, seed} {}
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // ---- For the client -------------------------------------------------------------------------

  /// As Link says.
  /// @{
  void send(const Command& command, ReplyTo reply_to) {
    wire_.clear();
    command.append_to(wire_);
    send_wire(wire_, reply_to);
    // Assigning, or clearing, would keep it.
    if (wire_.capacity() > Connection::most_kept) std::string{}.swap(wire_);
  }
  void send_wire(std::string_view wire, ReplyTo reply_to, std::size_t count = 1) {
    expected_.add(reply_to, count);
    // Behind what is missing nothing may come: the answers would be taken for those to other commands.
    if (doubts_.ok() && !connection_.send(wire)) doubts_ = no_memory_;
  }
  void give_up(Status why) noexcept { doubts_ = std::move(why); }
  [[nodiscard]] const Session& session() const noexcept { return session_; }
  [[nodiscard]] std::size_t unanswered() const noexcept { return expected_.size(); }
  [[nodiscard]] TrafficStatistics traffic() const noexcept { return connection_.traffic(); }
  /// @}

  // ---- What has happened ----------------------------------------------------------------------

  /// It begins.
  void start(SteadyTime now) noexcept {
    contain([&] { apply(session_.start(now)); });
  }
  /// The socket is ready for that: what poll() said.
  void receive(short events, SteadyTime now) noexcept {
    contain([&] {
      const bool was_established = connection_.established();
      const Status status = connection_.advance(events);
      if (!was_established && connection_.established()) apply(session_.connected(now));
      receive(status, now);
    });
  }
  /// Somebody has read that from the lent socket.
  void receive(const LentSocket::Read& read, SteadyTime now) noexcept {
    contain([&] { receive(connection_.take(read), now); });
  }
  /// As above, on a thread that the link does not own: all but connecting, which is left to settle(), since
  /// resolving a name may take its time.
  /// @param at  when it arrived, or earlier
  void receive_elsewhere(const LentSocket::Read& read, SteadyTime at) noexcept {
    elsewhere_ = true;
    contain([&] { doubt(connection_.take(read)); });
    contain([&] { doubt(take_replies(at)); });
    elsewhere_ = false;
  }
  /// Writes what the client has sent, as far as the socket takes it.
  void write(SteadyTime now) noexcept {
    if (!connection_.established() || connection_.unsent() == 0) return;
    contain([&] { lost(connection_.advance(0), now); });
  }
  /// As above, on a thread that the link does not own. @return whether all is written
  bool write_elsewhere() noexcept {
    if (connection_.unsent() != 0) contain([&] { doubt(connection_.advance(0)); });
    return !in_doubt() && connection_.unsent() == 0;
  }
  /// Deals with what was left to the link's thread, and with the time.
  void settle(SteadyTime now) noexcept {
    contain([&] {
      leave(now);
      if (now >= session_.wake_at() && connection_.take_leaving()) session_.leaving(now);
      apply(session_.tick(now));
    });
  }
  /// No more of it.
  void close() noexcept {
    contain([&] { apply(session_.close()); });
  }
  /// Nothing more will be answered.
  void end() noexcept {
    fail_expected(Status{Errc::closed});
    connection_.close();
  }

  /// Does something of which the connection, or the client, may be left in doubt.
  /// @return  false if it threw: settle() drops the connection then
  template <class Step>
  bool contain(Step&& step) noexcept {
    try {
      step();
      return true;
    } catch (const std::bad_alloc&) {
      doubts_ = no_memory_;
    } catch (...) {  // not foreseen; as good as any other reason to begin anew
      doubts_ = status_of_current_exception();
    }
    return false;
  }

  // ---- What is --------------------------------------------------------------------------------

  /// True once the client has been told that the connection may be used.
  [[nodiscard]] bool told_ready() const noexcept { return ready_; }
  /// Something that the link's thread alone deals with.
  [[nodiscard]] bool in_doubt() const noexcept { return !doubts_.ok() || left_; }
  /// The connection, to look at.
  [[nodiscard]] const Connection& connection() const noexcept { return connection_; }
  /// To lend the connection's socket; recalled before that is closed.
  [[nodiscard]] LentSocket& socket() noexcept { return socket_; }

 private:
  void doubt(const Status& status) noexcept {
    if (!status.ok()) doubts_ = status;
  }
  void lost(const Status& why, SteadyTime now) {
    if (why.ok()) return;
    // What was found wrong with it before says more than its end, and decides when to come again.
    in_doubt() ? leave(now) : apply(session_.lost(why, now));
  }
  /// For what has been found wrong with the connection, if anything has.
  void leave(SteadyTime now) {
    if (left_) apply(*std::exchange(left_, std::nullopt));
    if (!doubts_.ok()) apply(session_.unusable(std::exchange(doubts_, {}), now));
  }

  /// @param status  of what has been read
  void receive(const Status& status, SteadyTime now) {
    // What arrived before the end is told before the end.
    const Status malformed = take_replies(now);
    if (malformed.ok()) return lost(status, now);
    // What it is asked next may have the same answer: each time it is asked later.
    session_.ready() ? apply(session_.unusable(malformed, now)) : lost(malformed, now);
  }
  /// @return  why what arrived is no reply
  Status take_replies(SteadyTime at) {
    if (connection_.take_heard()) session_.alive(at);
    while (connection_.is_open() && !halted_) {
      Reply* reply = nullptr;
      if (Status malformed = connection_.next_reply(reply); !malformed.ok()) return malformed;
      if (reply == nullptr) break;
      halted_ = !contain([&] { take(*reply, at); });
    }
    return {};
  }
  void take(Reply& reply, SteadyTime at) {
    if (session_.handshaking()) return apply(session_.reply(reply, at));
    if (expected_.empty() || (pushes_ && reply.is_message())) return client_.on_push(reply);
    expected_.tell(reply);
  }
  static void on_probed(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<Conversation*>(context);
    if (lost.ok()) self.apply(self.session_.probed(reply, std::chrono::steady_clock::now()));
  }

  void apply(SessionOutput output) {
    if (elsewhere_) {
      if (output.drop) left_ = std::move(output);
      return;
    }
    if (output.drop) drop();
    if (output.report) client_.on_state(output.report->first, output.report->second);
    if (output.connect) lost(connection_.open(options_), std::chrono::steady_clock::now());
    for (const Command& command : output.send) {
      wire_.clear();
      command.append_to(wire_);
      if (!session_.handshaking()) {
        connection_.mark();
        send_wire(wire_, {&on_probed, this, 0});
      } else if (!connection_.send(wire_)) {
        doubts_ = no_memory_;
      }
    }
    if (!output.send.empty()) write(std::chrono::steady_clock::now());
    if (output.ready) {
      ready_ = true;
      connection_.introduced();
      client_.on_ready();
    }
  }

  void drop() noexcept {
    const bool was_ready = std::exchange(ready_, false);
    socket_.recall();
    connection_.close();
    halted_ = false;
    fail_expected(session_.trouble());
    if (was_ready) client_.on_lost(session_.trouble());
  }
  /// Whatever comes of it for one of them, the others are told.
  void fail_expected(const Status& why) noexcept {
    for (std::size_t left = expected_.size(); left != 0; --left) {
      contain([&] { expected_.fail_first(why); });
    }
    doubts_ = {};  // there is nothing left of the connection to be in doubt of
  }

  const RedisOptions& options_;
  Client& client_;
  const bool pushes_;
  const Status no_memory_{RetryableError{"redis: memory ran out"}};
  Session session_;
  Connection connection_;
  LentSocket socket_;
  ExpectedReplies expected_;
  std::string wire_;
  Status doubts_;                      ///< why the connection is to be dropped
  std::optional<SessionOutput> left_;  ///< to the link's thread
  bool elsewhere_ = false;             ///< another thread takes replies
  bool halted_ = false;                ///< no more replies are taken from this connection
  bool ready_ = false;                 ///< the client has been told so
};

}  // namespace gossip::redis
