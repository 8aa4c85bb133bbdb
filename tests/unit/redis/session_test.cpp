// SPDX-License-Identifier: MIT
#include <gossip/redis/session.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using gossip::SteadyTime;
using gossip::redis::Command;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::Session;
using gossip::redis::SessionOutput;
using gossip::redis::State;
using namespace std::chrono_literals;

namespace {

Reply hello(std::string version = "7.0.15", std::string role = "master") {
  return Reply::of_array({Reply::of_text("server"), Reply::of_text("redis"),
                          Reply::of_text("version"), Reply::of_text(std::move(version)),
                          Reply::of_text("role"), Reply::of_text(std::move(role))});
}
const Reply ok = Reply::of_status("OK");

/// A session whose time is told by hand.
struct Fixture {
  explicit Fixture(RedisOptions chosen = {}, bool needs_primary = true)
      : options{std::move(chosen)}, session{options, needs_primary, 1} {
    options.back_off_jitter = 0;
  }
  SessionOutput start() { return session.start(now); }
  SessionOutput reply(const Reply& answer) { return session.reply(answer, now); }
  void become_ready() {
    static_cast<void>(session.start(now));
    static_cast<void>(session.connected(now));
    static_cast<void>(reply(hello()));
    REQUIRE(reply(ok).ready);
  }
  SessionOutput tick_at(SteadyTime time) {
    now = time;
    return session.tick(now);
  }
  /// How long it wants to wait now.
  std::chrono::nanoseconds delay() const { return session.wake_at() - now; }

  SteadyTime now{1h};
  RedisOptions options;
  Session session;
};

}  // namespace

TEST_CASE("Session: it connects, introduces itself and is ready", "[redis]") {
  Fixture fixture;
  const auto begun = fixture.start();
  REQUIRE(begun.connect);
  REQUIRE(begun.report->first == State::connecting);
  const auto connected = fixture.session.connected(fixture.now);
  REQUIRE(connected.send == std::vector<Command>{Command{"HELLO", "2"}});
  const auto introduced = fixture.reply(hello());
  REQUIRE(introduced.send == std::vector<Command>{Command{"CLIENT", "SETNAME", "gossip"}});
  REQUIRE_FALSE(introduced.ready);
  const auto named = fixture.reply(ok);
  REQUIRE(named.ready);
  REQUIRE(named.report->first == State::ready);
  REQUIRE(fixture.session.ready());
  REQUIRE(fixture.session.server_version() == 70015);
  REQUIRE(fixture.session.generation() == 1);
}

TEST_CASE("Session: user, password and database are sent in order", "[redis]") {
  Fixture fixture{{.database = 3, .username = "ann", .password = "secret"}};
  static_cast<void>(fixture.start());
  REQUIRE(fixture.session.connected(fixture.now).send ==
          std::vector<Command>{Command{"HELLO", "2", "AUTH", "ann", "secret"}});
  REQUIRE(fixture.reply(hello()).send == std::vector<Command>{Command{"SELECT", "3"}});
  REQUIRE(fixture.reply(ok).send.at(0).name() == "CLIENT");
}

TEST_CASE("Session: a password without a user is the default user's", "[redis]") {
  Fixture fixture{{.password = "secret"}};
  static_cast<void>(fixture.start());
  REQUIRE(fixture.session.connected(fixture.now).send ==
          std::vector<Command>{Command{"HELLO", "2", "AUTH", "default", "secret"}});
}

TEST_CASE("Session: credentials are asked for at each connection", "[redis]") {
  int asked = 0;
  Fixture fixture{{.credentials = [&] {
    return std::pair{std::string{"user"}, gossip::redis::Secret{std::to_string(++asked)}};
  }}};
  static_cast<void>(fixture.start());
  REQUIRE(fixture.session.connected(fixture.now).send.at(0).arguments().back() == "1");
  static_cast<void>(fixture.session.lost(gossip::Errc::retryable, fixture.now));
  static_cast<void>(fixture.tick_at(fixture.session.wake_at()));
  REQUIRE(fixture.session.connected(fixture.now).send.at(0).arguments().back() == "2");
}

TEST_CASE("Session: a wrong password waits as long as allowed before the next try", "[redis]") {
  Fixture fixture{{.password = "wrong"}};
  static_cast<void>(fixture.start());
  static_cast<void>(fixture.session.connected(fixture.now));
  const auto refused = fixture.reply(Reply::of_error("WRONGPASS invalid username-password pair"));
  REQUIRE(refused.drop);
  REQUIRE(gossip::is_fatal(refused.report->second));
  REQUIRE(std::string{refused.report->second.what()}.find("wrong") == std::string::npos);
  REQUIRE(fixture.delay() == fixture.options.back_off_cap);
}

TEST_CASE("Session: a server that knows no HELLO is refused", "[redis]") {
  Fixture fixture;
  static_cast<void>(fixture.start());
  static_cast<void>(fixture.session.connected(fixture.now));
  const auto refused = fixture.reply(Reply::of_error("ERR unknown command 'HELLO'"));
  REQUIRE(gossip::is_fatal(refused.report->second));
}

TEST_CASE("Session: a server in protected mode is refused with its own words", "[redis]") {
  Fixture fixture;
  static_cast<void>(fixture.start());
  static_cast<void>(fixture.session.connected(fixture.now));
  const auto denied = fixture.reply(Reply::of_error("DENIED Redis is running in protected mode"));
  REQUIRE(gossip::is_fatal(denied.report->second));
  REQUIRE(denied.report->second.what().find("protected mode") != std::string::npos);
  REQUIRE(fixture.delay() == fixture.options.back_off_cap);
}

TEST_CASE("Session: a server that has too many clients is tried again soon", "[redis]") {
  // As servers up to 7.0 say it, and those of a cluster.
  for (const char* text : {"ERR max number of clients reached",
                           "ERR max number of clients + cluster connections reached"}) {
    Fixture fixture;
    static_cast<void>(fixture.start());
    static_cast<void>(fixture.session.connected(fixture.now));
    const auto full = fixture.reply(Reply::of_error(text));
    REQUIRE(full.drop);
    REQUIRE(gossip::is_retryable(full.report->second));
    REQUIRE(fixture.delay() == fixture.options.back_off_initial);
  }
}

TEST_CASE("Session: a server that is too old for groups is refused by its version", "[redis]") {
  for (const char* version : {"6.0.16", "6.2.0", "7.0.15"}) {
    for (const char* group : {"", "workers"}) {
      Fixture fixture{{.group = group}};
      static_cast<void>(fixture.start());
      static_cast<void>(fixture.session.connected(fixture.now));
      const auto output = fixture.reply(hello(version));
      const bool too_old = *group != '\0' && version == std::string{"6.0.16"};
      REQUIRE(output.drop == too_old);
      if (!too_old) continue;
      REQUIRE(gossip::is_fatal(output.report->second));
      REQUIRE(output.report->second.what().find("6.2") != std::string::npos);
      REQUIRE(fixture.delay() == fixture.options.back_off_cap);
    }
  }
}

TEST_CASE("Session: a replica will not do where events are published", "[redis]") {
  Fixture fixture;
  static_cast<void>(fixture.start());
  static_cast<void>(fixture.session.connected(fixture.now));
  const auto refused = fixture.reply(hello("7.0.15", "slave"));
  REQUIRE(refused.drop);
  REQUIRE(gossip::is_retryable(refused.report->second));
  Fixture reader{{}, false};
  static_cast<void>(reader.start());
  static_cast<void>(reader.session.connected(reader.now));
  REQUIRE_FALSE(reader.reply(hello("7.0.15", "slave")).drop);
}

TEST_CASE("Session: a user who may not name the connection works without", "[redis]") {
  Fixture fixture;
  static_cast<void>(fixture.start());
  static_cast<void>(fixture.session.connected(fixture.now));
  static_cast<void>(fixture.reply(hello()));
  REQUIRE(fixture.reply(Reply::of_error("NOPERM no client command")).ready);
}

TEST_CASE("Session: it backs off twice as long each time, up to the cap", "[redis]") {
  Fixture fixture{{.back_off_initial = 100ms, .back_off_cap = 1s}};
  static_cast<void>(fixture.start());
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto output = fixture.session.lost(gossip::Errc::retryable, fixture.now);
    REQUIRE(output.drop);
    REQUIRE(fixture.delay() == expected);
    REQUIRE_FALSE(fixture.tick_at(fixture.session.wake_at() - 1ns).connect);
    REQUIRE(fixture.tick_at(fixture.session.wake_at()).connect);
  }
}

TEST_CASE("Session: once it was ready it backs off from the beginning", "[redis]") {
  Fixture fixture{{.back_off_initial = 100ms, .back_off_cap = 1s}};
  for (int i = 0; i < 3; ++i) {
    fixture.become_ready();
    for (const auto expected : {100ms, 200ms}) {
      static_cast<void>(fixture.session.lost(gossip::Errc::retryable, fixture.now));
      REQUIRE(fixture.delay() == expected);
    }
  }
}

TEST_CASE("Session: the jitter shortens the delay by at most its share", "[redis]") {
  RedisOptions options{.back_off_initial = 1s, .back_off_cap = 1s, .back_off_jitter = 0.5};
  Session session{options, true, 7};
  SteadyTime now{1h};
  static_cast<void>(session.start(now));
  bool varied = false;
  auto last = std::chrono::nanoseconds::zero();
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(session.lost(gossip::Errc::retryable, now));
    const auto delay = session.wake_at() - now;
    REQUIRE(delay >= 500ms);
    REQUIRE(delay <= 1s);
    varied = varied || (i > 0 && delay != last);
    last = delay;
    now = session.wake_at();
    static_cast<void>(session.tick(now));
  }
  REQUIRE(varied);
}

TEST_CASE("Session: the same trouble is reported once", "[redis]") {
  Fixture fixture;
  static_cast<void>(fixture.start());
  const gossip::Status refused = gossip::RetryableError{"connection refused"};
  REQUIRE(fixture.session.lost(refused, fixture.now).report);
  static_cast<void>(fixture.tick_at(fixture.session.wake_at()));
  REQUIRE_FALSE(fixture.session.lost(refused, fixture.now).report);
}

TEST_CASE("Session: a connection that does not come about in time is given up", "[redis]") {
  Fixture fixture;
  static_cast<void>(fixture.start());
  REQUIRE(fixture.delay() == fixture.options.connect_timeout);
  const auto late = fixture.tick_at(fixture.session.wake_at());
  REQUIRE(late.drop);
  REQUIRE(gossip::is_timeout(late.report->second));
  REQUIRE(late.report->second.what().find("connecting to 127.0.0.1:6379") !=
          std::string_view::npos);
}

TEST_CASE("Session: a server that does not answer the probe is given up", "[redis]") {
  Fixture fixture{{.health_interval = 1s}};
  fixture.become_ready();
  const auto probe = fixture.tick_at(fixture.session.wake_at());
  REQUIRE(probe.send == std::vector<Command>{Command{"PING"}});
  REQUIRE(fixture.delay() == fixture.options.command_timeout);
  SECTION("silence") {
    const auto late = fixture.tick_at(fixture.session.wake_at());
    REQUIRE(late.drop);
    REQUIRE(gossip::is_timeout(late.report->second));
    REQUIRE(late.report->first == State::connecting);
  }
  SECTION("what was sent before it leaves still") {
    for (int i = 0; i < 3; ++i) {
      fixture.now = fixture.session.wake_at();
      fixture.session.leaving(fixture.now);
      REQUIRE_FALSE(fixture.tick_at(fixture.now).drop);
      REQUIRE(fixture.delay() == fixture.options.command_timeout);
    }
    REQUIRE(fixture.tick_at(fixture.session.wake_at()).drop);
  }
  SECTION("an answer") {
    fixture.session.alive(fixture.now);
    REQUIRE(fixture.delay() ==
            fixture.options.health_interval);  // not when it would have timed out
    REQUIRE(fixture.tick_at(fixture.session.wake_at()).send.size() == 1);
    REQUIRE(fixture.session.ready());
  }
}

TEST_CASE("Session: a probe over Pub/Sub asks whether the server is a replica now", "[redis]") {
  Fixture fixture{{.delivery = gossip::redis::Delivery::pub_sub}};
  fixture.become_ready();
  REQUIRE(fixture.tick_at(fixture.session.wake_at()).send ==
          std::vector<Command>{Command{"HELLO", "2"}});
  fixture.session.alive(fixture.now);
  REQUIRE_FALSE(fixture.session.probed(hello(), fixture.now).drop);
  REQUIRE(fixture.session.ready());
  REQUIRE(fixture.session.probed(hello("7.0.15", "slave"), fixture.now).drop);
  REQUIRE_FALSE(fixture.session.ready());
}

TEST_CASE("Session: no probe while the server talks anyway", "[redis]") {
  Fixture fixture;
  fixture.become_ready();
  for (int i = 0; i < 10; ++i) {
    fixture.now += fixture.options.health_interval / 2;
    fixture.session.alive(fixture.now);
    REQUIRE(fixture.session.tick(fixture.now).send.empty());
  }
}

TEST_CASE("Session: closed, it does nothing any more", "[redis]") {
  Fixture fixture;
  fixture.become_ready();
  const auto closed = fixture.session.close();
  REQUIRE(closed.drop);
  REQUIRE(closed.report->first == State::closed);
  REQUIRE(fixture.session.closed());
  REQUIRE_FALSE(fixture.session.close().drop);
  REQUIRE_FALSE(fixture.session.lost(gossip::Errc::retryable, fixture.now).drop);
  REQUIRE_FALSE(fixture.tick_at(fixture.now + 1h).connect);
}

TEST_CASE("Session: a server that is of no use time and again is asked less and less often",
          "[redis]") {
  Fixture fixture{{.health_interval = 5s, .back_off_initial = 100ms, .back_off_cap = 1s}};
  for (const auto expected : {200ms, 400ms, 800ms, 1000ms}) {
    fixture.become_ready();
    const auto output = fixture.session.unusable(gossip::Errc::retryable, fixture.now);
    REQUIRE(output.drop);
    REQUIRE(fixture.delay() == expected);
    fixture.now = fixture.session.wake_at();
  }
  fixture.become_ready();
  fixture.now += 6s;  // it was of use for a while
  static_cast<void>(fixture.session.unusable(gossip::Errc::retryable, fixture.now));
  REQUIRE(fixture.delay() == 100ms);
}

TEST_CASE("Session: a server that repeats its arguments does not get the password told",
          "[redis]") {
  RedisOptions options;
  options.password = gossip::redis::Secret{"sesame"};
  Fixture fixture{options};
  static_cast<void>(fixture.start());
  static_cast<void>(fixture.session.connected(fixture.now));
  const auto refused = fixture.reply(Reply::of_error(
      "ERR unknown command 'HELLO', with args beginning with: '2' 'AUTH' 'default' 'sesame' "));
  REQUIRE(refused.drop);
  REQUIRE(refused.report->second.what() == "fatal error: redis: HELLO: ERR");
}

TEST_CASE("Session: credentials that cannot be had are a connection that failed", "[redis]") {
  RedisOptions options;
  options.credentials = []() -> std::pair<std::string, gossip::redis::Secret> {
    throw std::runtime_error{"the vault is closed"};
  };
  Fixture fixture{options};
  static_cast<void>(fixture.start());
  const auto failed = fixture.session.connected(fixture.now);
  REQUIRE(failed.drop);
  REQUIRE(failed.send.empty());
  REQUIRE(std::string{failed.report->second.what()}.find("the vault is closed") !=
          std::string::npos);
  REQUIRE(fixture.delay() > 0s);
}

TEST_CASE("Session: a user without a password is told to the server", "[redis]") {
  RedisOptions options;
  options.username = "guest";
  Fixture fixture{options};
  static_cast<void>(fixture.start());
  const auto connected = fixture.session.connected(fixture.now);
  REQUIRE(connected.send == std::vector<Command>{Command{"HELLO", "2", "AUTH", "guest", ""}});
}
