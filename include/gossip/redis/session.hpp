// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Session: everything that is to be decided about one connection to Redis, without any input or
/// output. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace gossip::redis {

/// What a session wants done: to drop, to report, to connect, to send, to be ready, in this order.
struct SessionOutput {
  bool drop = false;                                    ///< close the socket, if there is one
  bool connect = false;                                 ///< begin to connect
  std::vector<Command> send = {};                       ///< write these
  bool ready = false;                                   ///< the connection may be used from now on
  std::optional<std::pair<State, Status>> report = {};  ///< tell the user
};

/// A state machine: connect, introduce and authenticate, choose the database, be ready; notice that
/// the server is silent; back off and connect again.
///
/// Whoever drives it tells it what has happened, does what it answers, and calls tick() when wake_at()
/// has come. While `handshaking()`, every reply goes to reply(). That something has arrived, be it part
/// of a reply, is told by alive(); that what was sent before a probe leaves, by leaving().
///
/// Thread safety: none: it belongs to the thread of the connection.
class Session {
 public:
  /// @param needs_primary  a replica will not do
  /// @param seed           of the jitter
  Session(const RedisOptions& options, bool needs_primary, std::uint64_t seed)
      : options_{options}, needs_primary_{needs_primary}, random_{seed} {}

  // ---- What has happened ----------------------------------------------------------------------

  /// It begins.
  [[nodiscard]] SessionOutput start(SteadyTime now) { return connect(now); }

  /// The socket, and TLS where it is asked for, are there.
  [[nodiscard]] SessionOutput connected(SteadyTime now) {
    SessionOutput output;
    phase_ = Phase::handshaking;
    last_life_ = now;
    wake_at_ = now + options_.command_timeout;
    try {
      steps_ = introduction();
    } catch (...) {  // the user's callback
      return back_off(status_of_current_exception(), now);
    }
    step_ = 0;
    output.send.push_back(steps_[0]);
    return output;
  }

  /// The socket could not be opened, or is gone.
  [[nodiscard]] SessionOutput lost(Status why, SteadyTime now) {
    return phase_ == Phase::closed ? SessionOutput{} : back_off(std::move(why), now);
  }

  /// A reply to what the session sent. @pre handshaking()
  [[nodiscard]] SessionOutput reply(const Reply& reply, SteadyTime now) {
    last_life_ = now;
    const std::string& asked = steps_[step_].name();
    const ErrorClass error = class_of(reply);
    if (asked == "HELLO" && is_full(reply)) {
      return back_off(RetryableError{connecting() + ": too many are connected already"}, now);
    }
    if (error == ErrorClass::other && asked == "HELLO" && reply.error_code() != "DENIED") {
      // Whoever does not know a command repeats its arguments, the password among them.
      return refuse(status_of(Reply::of_error(std::string{reply.error_code()}), asked), now);
    }
    if (error == ErrorClass::authentication || reply.error_code() == "DENIED")
      return refuse(status_of(reply, asked), now);
    if (asked == "HELLO" && error != ErrorClass::none)
      return back_off(status_of(reply, asked), now);
    if (asked == "HELLO") {
      if (Status status = read_introduction(reply); !status.ok()) return back_off(status, now);
      if (version_ < 60200 && options_.delivery == Delivery::streams && !options_.group.empty()) {
        return refuse(FatalError{"redis: the server is older than 6.2, which groups need"}, now);
      }
    }
    if (asked == "SELECT" && error != ErrorClass::none) return refuse(status_of(reply, asked), now);
    // A name is a courtesy: a user who may not set one works without.
    if (++step_ < steps_.size()) {
      SessionOutput output;
      output.send.push_back(steps_[step_]);
      return output;
    }
    return become_ready(now);
  }

  /// The reply to a probe.
  [[nodiscard]] SessionOutput probed(const Reply& reply, SteadyTime now) {
    if (!doubts_role() || reply.is_error()) return {};
    const Status status = read_introduction(reply);
    return status.ok() ? SessionOutput{} : back_off(status, now);
  }

  /// Something arrived: the server lives.
  void alive(SteadyTime now) noexcept {
    last_life_ = now;
    if (std::exchange(probing_, false)) wake_at_ = now + options_.health_interval;
  }

  /// What was sent before the probe still leaves: the server cannot have been asked yet.
  void leaving(SteadyTime now) noexcept {
    if (probing_) wake_at_ = now + options_.command_timeout;
  }

  /// The server refuses to write: it has become a replica, say.
  [[nodiscard]] SessionOutput unusable(Status why, SteadyTime now) {
    // Though it answered: one that is loading its data for minutes is not asked again and again.
    const bool soon = now - ready_since_ < options_.health_interval;
    attempts_ = short_lived_ = soon ? std::min(short_lived_ + 1, 64U) : 0;
    return back_off(std::move(why), now);
  }

  /// Time has passed.
  [[nodiscard]] SessionOutput tick(SteadyTime now) {
    SessionOutput output;
    if (now < wake_at_) return output;
    switch (phase_) {
      case Phase::backing_off: return connect(now);
      case Phase::connecting:
        return back_off(TimeoutError{options_.connect_timeout, connecting()}, now);
      case Phase::handshaking:
        return back_off(TimeoutError{options_.command_timeout, "redis: introduction"}, now);
      case Phase::ready: return probe(now);
      case Phase::idle:
      case Phase::closed: break;
    }
    wake_at_ = SteadyTime::max();
    return output;
  }

  /// No more connecting.
  [[nodiscard]] SessionOutput close() {
    SessionOutput output;
    if (phase_ == Phase::closed) return output;
    phase_ = Phase::closed;
    trouble_ = Errc::closed;
    wake_at_ = SteadyTime::max();
    output.drop = true;
    output.report = {State::closed, Status{}};
    return output;
  }

  // ---- What is --------------------------------------------------------------------------------

  /// When to call tick().
  [[nodiscard]] SteadyTime wake_at() const noexcept { return wake_at_; }
  /// The phase it is in; none of them: it connects, or waits before it does.
  /// @{
  [[nodiscard]] bool handshaking() const noexcept { return phase_ == Phase::handshaking; }
  [[nodiscard]] bool ready() const noexcept { return phase_ == Phase::ready; }
  [[nodiscard]] bool closed() const noexcept { return phase_ == Phase::closed; }
  /// @}
  /// How often the connection became ready. // times
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  /// The server's version as major * 10000 + minor * 100 + patch; 0 while unknown.
  [[nodiscard]] unsigned server_version() const noexcept { return version_; }
  /// The server's number for this connection.
  [[nodiscard]] std::int64_t client_id() const noexcept { return client_id_; }
  /// Why the last connection was lost, or refused.
  [[nodiscard]] const Status& trouble() const noexcept { return trouble_; }

 private:
  enum class Phase : std::uint8_t { idle, connecting, handshaking, ready, backing_off, closed };

  /// What an error says that comes before the server has let us in.
  [[nodiscard]] std::string connecting() const {
    return "redis: connecting to " + address_of(options_);
  }

  /// What a server says to a connection that is one too many, before it closes it. The one error that is
  /// known by its text: every version says it with the word ERR, as an old one says that it knows no
  /// HELLO, and in the place of the answer that would tell the version.
  static bool is_full(const Reply& reply) noexcept {
    return reply.is_error() && reply.text.starts_with("ERR max number of clients");
  }

  /// What to say first. HELLO needs Redis 6 and no right of its own.
  [[nodiscard]] std::vector<Command> introduction() const {
    std::string user = options_.username;
    Secret password = options_.password;
    if (options_.credentials) std::tie(user, password) = options_.credentials();
    std::vector<Command> steps;
    Command hello{"HELLO", "2"};
    if (!user.empty() || !password.empty()) {
      hello.add("AUTH").add(user.empty() ? "default" : user).add(password.reveal());
    }
    steps.push_back(std::move(hello));
    if (options_.database != 0) {
      steps.push_back(Command{"SELECT"}.add(std::int64_t{options_.database}));
    }
    steps.push_back(Command{"CLIENT", "SETNAME", options_.client_name});
    return steps;
  }

  /// HELLO answers names and values in turn.
  Status read_introduction(const Reply& reply) {
    std::string role;
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
      const Reply& value = reply.items[i + 1];
      if (reply.items[i].text == "version") version_ = parse_version(value.text);
      if (reply.items[i].text == "role") role = value.text;
      if (reply.items[i].text == "id") client_id_ = value.integer;
    }
    if (version_ == 0) return RetryableError{"redis: HELLO: no version in the answer"};
    if (needs_primary_ && role != "master") {
      return RetryableError{"redis: the server is a replica; events cannot be published there"};
    }
    return {};
  }

  static unsigned parse_version(std::string_view text) noexcept {
    unsigned parts[3] = {};
    std::size_t part = 0;
    for (const char c : text) {
      if (c == '.') {
        if (++part == 3) break;
      } else if (c < '0' || c > '9' || parts[part] > 9999) {
        break;
      } else {
        parts[part] = parts[part] * 10 + static_cast<unsigned>(c - '0');
      }
    }
    return parts[0] * 10000 + parts[1] * 100 + parts[2];
  }

  SessionOutput connect(SteadyTime now) {
    SessionOutput output;
    phase_ = Phase::connecting;
    wake_at_ = now + options_.connect_timeout;
    output.connect = true;
    if (attempts_ == 0) output.report = {State::connecting, Status{}};
    return output;
  }

  SessionOutput become_ready(SteadyTime now) {
    SessionOutput output;
    phase_ = Phase::ready;
    attempts_ = 0;
    probing_ = false;
    trouble_ = {};
    ++generation_;
    ready_since_ = now;
    wake_at_ = now + options_.health_interval;
    output.ready = true;
    output.report = {State::ready, Status{}};
    return output;
  }

  /// Only what arrives counts as life: a server that is stopped takes what is written. But see leaving().
  SessionOutput probe(SteadyTime now) {
    SessionOutput output;
    if (probing_) {
      return back_off(TimeoutError{options_.command_timeout, "redis: the server does not answer"},
                      now);
    }
    if (now - last_life_ < options_.health_interval) {
      wake_at_ = last_life_ + options_.health_interval;
      return output;
    }
    probing_ = true;
    wake_at_ = now + options_.command_timeout;
    output.send.push_back(doubts_role() ? Command{"HELLO", "2"} : Command{"PING"});
    return output;
  }
  /// A replica takes PUBLISH without a word of complaint; of streams it says READONLY.
  [[nodiscard]] bool doubts_role() const noexcept {
    return needs_primary_ && options_.delivery == Delivery::pub_sub;
  }

  /// The server is there and says no: a faster retry cannot help.
  SessionOutput refuse(Status why, SteadyTime now) {
    attempts_ = 64;
    return back_off(std::move(why), now);
  }

  /// Exponential with full jitter on the share that options name.
  SessionOutput back_off(Status why, SteadyTime now) {
    SessionOutput output;
    output.drop = true;
    const bool news = phase_ == Phase::ready || trouble_.what() != why.what();
    trouble_ = std::move(why);
    phase_ = Phase::backing_off;
    probing_ = false;
    const auto doublings = std::min(attempts_, 30U);
    const double cap = std::chrono::duration<double>(options_.back_off_cap).count();
    const double delay =
        std::min(cap, std::chrono::duration<double>(options_.back_off_initial).count() *
                          static_cast<double>(std::uint64_t{1} << doublings));
    std::uniform_real_distribution<double> share{1.0 - options_.back_off_jitter, 1.0};
    const std::chrono::duration<double> jittered{delay * share(random_)};
    wake_at_ = now + std::chrono::duration_cast<std::chrono::nanoseconds>(jittered);
    attempts_ = std::min(attempts_ + 1, 64U);
    if (news) output.report = {State::connecting, trouble_};
    return output;
  }

  const RedisOptions& options_;
  const bool needs_primary_;
  std::minstd_rand random_;
  Phase phase_ = Phase::idle;
  SteadyTime wake_at_ = SteadyTime::max();
  SteadyTime last_life_{};
  bool probing_ = false;
  SteadyTime ready_since_{};
  unsigned short_lived_ = 0;  ///< connections that soon were of no use, in a row // times
  unsigned attempts_ = 0;     ///< since it was ready last // times
  unsigned version_ = 0;
  std::int64_t client_id_ = 0;
  std::uint64_t generation_ = 0;
  std::vector<Command> steps_;
  std::size_t step_ = 0;
  Status trouble_;
};

}  // namespace gossip::redis
