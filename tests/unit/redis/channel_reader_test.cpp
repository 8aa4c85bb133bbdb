// SPDX-License-Identifier: MIT
#include <gossip/redis/channel_reader.hpp>
#include <gossip/redis/framed_fields.hpp>
#include <gossip/redis/resp.hpp>

#include "support/fake_redis.hpp"
#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using gossip::Errc;
using gossip::Receipt;
using gossip::Status;
using gossip::redis::append_bulks;
using gossip::redis::ChannelReader;
using gossip::redis::Gap;
using gossip::redis::RedisOptions;
using gossip::redis::State;
using gossip::redis::Subscribed;
using gossip::redis::WireEvent;
using gossip::test::by_channel;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using gossip::test::greeting;
using gossip::test::Handled;
using gossip::test::listened_to;
using gossip::test::OnServer;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::publish;
using gossip::test::RedisBus;
using gossip::test::RedisServer;

namespace {

bool has(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

/// What a server says of a channel.
/// @{
std::string confirmed(const std::string& kind, const std::string& key = "a.b") {
  std::string reply{"*3\r\n"};
  append_bulks(reply, {kind, key});
  return reply += ":1\r\n";
}
std::string message() {
  std::string text;
  gossip::redis::frame_fields({{"type", "a.b"}, {"data", "1"}}, text);
  std::string reply{"*3\r\n"};
  append_bulks(reply, {"message", "a.b", text});
  return reply;
}
/// @}

/// What a reader has told, in order. Any thread.
class Notes {
 public:
  void note(std::string text) {
    const std::lock_guard lock{mutex_};
    notes_.push_back(std::move(text));
  }
  std::vector<std::string> noted() {
    const std::lock_guard lock{mutex_};
    return notes_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

/// A reader of the channel `a.b`, what it does in order, and a server that answers SUBSCRIBE from a script,
/// the last line again and again; and hangs up once when it is probed after `hang_up` was set.
struct Scripted : Notes {
  explicit Scripted(std::vector<std::string> to_subscribe) : answers{std::move(to_subscribe)} {}

  Status subscribe() {
    return reader.subscribe({"a.b", "a.b", [this](WireEvent&, Receipt&) -> Status {
                               note("event");
                               return full ? Status{Errc::queue_full} : Status{};
                             }});
  }
  bool wait_for(const std::vector<std::string>& expected) {
    return eventually([&] { return noted() == expected; });
  }
  RedisOptions make_options() {
    RedisOptions chosen;
    chosen.port = server.port();
    chosen.back_off_initial = chosen.back_off_cap = std::chrono::milliseconds{1};
    chosen.health_interval = std::chrono::milliseconds{1};
    chosen.on_gap = [this](const Gap& gap) {
      note("gap: " + gap.event_type + gap.reason);
      missing += gap.known;  // afterwards: who waits for it looks at the note
    };
    return chosen;
  }

  std::vector<std::string> answers;
  std::size_t next = 0;
  std::atomic<bool> hang_up{false};
  std::atomic<bool> full{false};
  std::atomic<std::uint64_t> missing{0};
  Door may_unsubscribe;
  FakeRedis server{greeting([this](const std::string& asked) -> std::string {
    if (has(asked, "UNSUBSCRIBE")) {
      static_cast<void>(may_unsubscribe.wait());
      return confirmed("unsubscribe");
    }
    if (has(asked, "SUBSCRIBE")) return answers[next + 1 < answers.size() ? next++ : next];
    return hang_up.exchange(false) ? "" : "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
  })};
  RedisOptions options = make_options();
  ChannelReader reader{options};
};

constexpr const char* lost = "gap: the connection was lost";

/// A reader of the channels `a.b` and `a.c`, and a server that may refuse them. Notes what is told.
struct TwoChannels : Notes {
  TwoChannels() {
    options.port = server.port();
    options.back_off_initial = options.back_off_cap = std::chrono::milliseconds{1};
    options.health_interval = std::chrono::milliseconds{1};
    options.on_state = [this](State state, const Status& why) {
      note(to_string(state));
      if (!why.ok()) note(std::string{why.what()});
    };
    options.on_gap = [this](const Gap& gap) { note("gap " + gap.event_type); };
    options.command_timeout = gossip::test::patience;
    reader.start();
  }
  Status subscribe(const std::string& key) {
    return reader.subscribe({key, key, [this](WireEvent& event, Receipt&) -> Status {
                               note("event of " + event.type);
                               return {};
                             }});
  }
  std::size_t count(const std::string& text) {
    const auto all = noted();
    return static_cast<std::size_t>(std::ranges::count(all, text));
  }
  std::string answer(const std::string& asked) {
    const std::string key = has(asked, "a.c") ? "a.c" : "a.b";
    if (has(asked, "PING")) return hang_up.exchange(false) ? "" : "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    if (has(asked, "UNSUBSCRIBE")) {
      return may_unsubscribe ? confirmed("unsubscribe", key) : "-NOPERM not yours\r\n";
    }
    if (!has(asked, "SUBSCRIBE")) return "-ERR what?\r\n";
    const int number = ++asked_for[key == "a.b" ? 0 : 1];
    if (refused[key == "a.b" ? 0 : 1]) return "-NOPERM not yours\r\n";
    return confirmed("subscribe", key) + (key == "a.b" && number > 1 ? message() : "");
  }

  std::atomic<bool> hang_up{false};
  std::atomic<bool> may_unsubscribe{true};
  std::atomic<bool> refused[2]{};  ///< a.b, a.c
  std::atomic<int> asked_for[2]{};
  FakeRedis server{greeting([this](const std::string& asked) { return answer(asked); })};
  RedisOptions options;
  ChannelReader reader{options};
};

}  // namespace

TEST_CASE("ChannelReader: a gap is told before what is published after it", "[redis]") {
  Scripted script{{confirmed("subscribe"), confirmed("subscribe") + message()}};
  script.reader.start();
  REQUIRE(script.subscribe().ok());
  REQUIRE(script.noted().empty());
  script.hang_up = true;
  REQUIRE(script.wait_for({lost, "event"}));
}

TEST_CASE("ChannelReader: a channel that was refused and is granted again has a gap", "[redis]") {
  Scripted script{{confirmed("subscribe"), "-NOPERM not yours\r\n", "-NOPERM not yours\r\n",
                   confirmed("subscribe") + message()}};
  script.reader.start();
  REQUIRE(script.subscribe().ok());
  script.hang_up = true;
  REQUIRE(script.wait_for({lost, lost, "event"}));
}

TEST_CASE("ChannelReader: a gap is told before what is published on the first of two channels",
          "[redis]") {
  TwoChannels two;
  REQUIRE(two.subscribe("a.b").ok());
  REQUIRE(two.subscribe("a.c").ok());
  two.hang_up = true;
  REQUIRE(eventually([&] { return two.count("event of a.b") == 1 && two.count("gap ") == 1; }));
  const auto notes = two.noted();
  const auto gap = std::ranges::find(notes, "gap a.b");
  REQUIRE(gap < std::ranges::find(notes, "event of a.b"));
  REQUIRE(std::ranges::find(notes, "event of a.b") < std::ranges::find(notes, "gap "));
  REQUIRE(two.reader.statistics().gaps == 2);
}

TEST_CASE("ChannelReader: that a channel is refused is told once, and `ready` when none is",
          "[redis]") {
  TwoChannels two;
  REQUIRE(two.subscribe("a.b").ok());
  REQUIRE(two.subscribe("a.c").ok());
  two.refused[0] = two.refused[1] = true;
  two.hang_up = true;
  REQUIRE(eventually([&] { return two.count("degraded") == 2; }));
  const auto ready = two.count("ready");  // that the connection is there again
  const auto asked = two.asked_for[1].load();
  REQUIRE(eventually([&] { return two.asked_for[1] > asked + 5; }));
  two.refused[0] = false;
  REQUIRE(eventually([&] { return two.count("event of a.b") == 1; }));
  REQUIRE(two.count("degraded") == 2);
  REQUIRE(two.count("ready") == ready);
  two.refused[1] = false;
  REQUIRE(eventually([&] { return two.count("ready") == ready + 1; }));
}

TEST_CASE("ChannelReader: who is told by subscribe() that it is refused is not told twice",
          "[redis]") {
  TwoChannels two;
  two.refused[0] = true;
  const Status refused = two.subscribe("a.b");
  REQUIRE(refused.what().find("SUBSCRIBE a.b: NOPERM") != std::string::npos);
  REQUIRE(two.count("degraded") == 0);
  two.refused[0] = false;
  REQUIRE(two.subscribe("a.b").ok());
}

TEST_CASE("ChannelReader: who has subscribed is listened for though another one is refused",
          "[redis]") {
  TwoChannels two;
  REQUIRE(two.subscribe("a.b").ok());
  two.refused[0] = true;
  REQUIRE_FALSE(two.subscribe("a.b").ok());
  REQUIRE(eventually([&] { return two.count("degraded") == 1; }));  // the first one learns it so
  two.refused[0] = false;
  REQUIRE(eventually([&] { return two.count("event of a.b") != 0; }));
}

TEST_CASE("ChannelReader: what is refused and not wanted any more is no trouble", "[redis]") {
  TwoChannels two;
  REQUIRE(two.subscribe("a.b").ok());
  two.refused[0] = true;
  REQUIRE_FALSE(two.subscribe("a.b").ok());
  REQUIRE(eventually([&] { return two.count("degraded") == 1; }));
  const auto ready = two.count("ready");
  two.reader.unsubscribe("a.b", [] { return true; });
  REQUIRE(eventually([&] { return two.count("ready") == ready + 1; }));
}

TEST_CASE("ChannelReader: an end that is refused is not waited for, and named as such", "[redis]") {
  TwoChannels two;
  REQUIRE(two.subscribe("a.b").ok());
  two.may_unsubscribe = false;
  const auto begun = std::chrono::steady_clock::now();
  two.reader.unsubscribe("a.b", [] { return true; });
  REQUIRE(std::chrono::steady_clock::now() - begun < gossip::test::patience);
  REQUIRE(eventually([&] {
    const auto notes = two.noted();
    return std::ranges::any_of(
        notes, [](const auto& note) { return has(note, "UNSUBSCRIBE a.b: NOPERM"); });
  }));
}

TEST_CASE("ChannelReader: a channel that nobody listens to any more is forgotten", "[redis]") {
  TwoChannels two;
  REQUIRE(two.subscribe("a.b").ok());
  REQUIRE(two.subscribe("a.c").ok());
  REQUIRE(two.reader.channels() == 2);
  two.reader.unsubscribe("a.b", [] { return true; });
  REQUIRE(eventually([&] { return two.reader.channels() == 1; }));
  two.refused[0] = true;
  REQUIRE_FALSE(two.subscribe("a.b").ok());
  REQUIRE(eventually([&] { return two.reader.channels() == 1; }));
  two.refused[0] = false;
  REQUIRE(two.subscribe("a.b").ok());
  REQUIRE(two.reader.channels() == 2);
}

TEST_CASE("ChannelReader: a channel whose end was refused is forgotten with the connection",
          "[redis]") {
  TwoChannels two;
  REQUIRE(two.subscribe("a.b").ok());
  two.may_unsubscribe = false;
  two.reader.unsubscribe("a.b", [] { return true; });
  REQUIRE(two.reader.channels() == 1);
  const auto ready = two.count("ready");
  two.hang_up = true;
  REQUIRE(eventually([&] { return two.reader.channels() == 0; }));
  REQUIRE(eventually([&] { return two.count("ready") > ready; }));  // it is no trouble any more
}

TEST_CASE("ChannelReader: what is not wanted any more is forgotten without a connection, too",
          "[redis]") {
  std::atomic<int> troubles{0};
  RedisOptions options;
  options.unix_socket = "/nonexistent/gossip.socket";
  options.on_state = [&](State, const Status&) { ++troubles; };
  ChannelReader reader{options};
  reader.start();
  REQUIRE(eventually([&] { return troubles > 0; }));
  const auto ignore = [](WireEvent&, Receipt&) { return Status{}; };
  REQUIRE(reader.subscribe({"a.b", "a.b", ignore}).ok());
  REQUIRE(reader.channels() == 1);
  reader.unsubscribe("a.b", [] { return true; });
  REQUIRE(eventually([&] { return reader.channels() == 0; }));
}

TEST_CASE("ChannelReader: that it has closed is for the writer to tell", "[redis]") {
  std::atomic<int> troubles{0};
  std::atomic<int> closed{0};
  RedisOptions options;
  options.unix_socket = "/nonexistent/gossip.socket";
  options.on_state = [&](State state, const Status&) {
    ++(state == State::closed ? closed : troubles);
  };
  ChannelReader reader{options};
  reader.start();
  REQUIRE(eventually([&] { return troubles > 0; }));
  reader.close(std::chrono::steady_clock::now());
  REQUIRE(closed == 0);
}

TEST_CASE("ChannelReader: who subscribes while the end of a subscription is not confirmed is told",
          "[redis]") {
  Scripted script{{confirmed("subscribe")}};
  script.options.health_interval = std::chrono::hours{1};
  script.options.command_timeout = std::chrono::milliseconds{20};
  script.reader.start();
  REQUIRE(eventually([&] { return script.server.connections() == 1; }));
  REQUIRE(script.subscribe().ok());
  script.reader.unsubscribe("a.b", [] { return true; });
  REQUIRE(script.subscribe().ok());
  const auto before = script.noted().size();
  script.may_unsubscribe.open();
  REQUIRE(eventually([&] { return script.noted().size() > before; }));
}

TEST_CASE("ChannelReader: what finds no room in the bus's queue is a gap of known size",
          "[redis]") {
  Scripted script{{confirmed("subscribe") + message() + message() + message()}};
  script.full = true;
  script.reader.start();
  REQUIRE(script.subscribe().ok());
  REQUIRE(eventually([&] { return script.missing.load() == 3; }));
  REQUIRE(script.noted().back() == "gap: a.bno room in the bus's queue");
  const auto statistics = script.reader.statistics();
  REQUIRE(statistics.dropped == 3);
  REQUIRE(statistics.gaps == script.noted().size() - 3);  // one for all that came at once
}

TEST_CASE("ChannelReader: the answer to a probe is not taken for that to a question", "[redis]") {
  std::atomic<int> held{0};  // probes without an answer
  bool asked = false;
  FakeRedis server{greeting([&](const std::string& command) -> std::string {
    const std::string refusal{"-NOPERM you may not PING\r\n"};
    if (has(command, "PING")) {
      if (asked) return refusal;
      return ++held == 1 ? "-NOPERM" : "x";  // the answer goes on and on
    }
    asked = true;
    std::string answer{"\r\n"};
    for (int i = 1; i < held; ++i) answer += refusal;
    return answer + confirmed("subscribe");
  })};
  RedisOptions options;
  options.port = server.port();
  options.health_interval = std::chrono::milliseconds{1};
  ChannelReader reader{options};
  reader.start();
  REQUIRE(eventually([&] { return held.load() != 0; }));
  const auto ignore = [](WireEvent&, Receipt&) { return Status{}; };
  REQUIRE(reader.subscribe({"a.b", "a.b", ignore}).ok());
}

TEST_CASE("ChannelReader: after a loss every channel is listened to again", "[redis]") {
  std::mutex mutex;
  std::map<std::string, int> asked;  // by channel // times
  std::atomic<bool> hang_up{false};
  FakeRedis server{greeting([&](const std::string& command) -> std::string {
    if (has(command, "PING"))
      return hang_up.exchange(false) ? "" : "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    const std::lock_guard lock{mutex};
    for (const char* key : {"a.b", "a.c", "a.d"}) {
      if (!has(command, key)) continue;
      const bool ends = has(command, "UNSUBSCRIBE");
      if (!ends) ++asked[key];
      std::string reply{"*3\r\n"};
      append_bulks(reply, {ends ? "unsubscribe" : "subscribe", key});
      return reply += ":1\r\n";
    }
    return "-ERR what?\r\n";
  })};
  RedisOptions options;
  options.port = server.port();
  options.health_interval = options.back_off_initial = std::chrono::milliseconds{1};
  ChannelReader reader{options};
  reader.start();
  const auto ignore = [](WireEvent&, Receipt&) { return Status{}; };
  for (const char* key : {"a.b", "a.c", "a.d"}) REQUIRE(reader.subscribe({key, key, ignore}).ok());
  reader.unsubscribe("a.c", [] { return true; });
  const auto by_channel_now = [&] {
    const std::lock_guard lock{mutex};
    return asked;
  };
  auto before = by_channel_now();
  hang_up = true;
  REQUIRE(eventually([&] {
    auto now = by_channel_now();
    return now["a.b"] > before["a.b"] && now["a.d"] > before["a.d"];
  }));
  REQUIRE(by_channel_now()["a.c"] == before["a.c"]);
}

TEST_CASE("ChannelReader: a server that answers something else is given up", "[redis]") {
  const std::string other =
      GENERATE(std::string{"*2\r\n$4\r\npong\r\n$0\r\n\r\n"}, confirmed("subscribe", "a.c"));
  Scripted script{{other, confirmed("subscribe") + message()}};
  script.reader.start();
  static_cast<void>(script.subscribe());
  REQUIRE(script.wait_for({lost, "event"}));
}

TEST_CASE("ChannelReader: events reach every bus that listens", "[redis]") {
  RedisServer server;
  Handled first_handled;
  Handled second_handled;
  RedisBus first{{.workers = 1}, by_channel(server)};
  RedisBus second{{.workers = 1}, by_channel(server)};
  const auto one =
      first.subscribe(order_placed, [&](const Order& order) { first_handled.add(order); });
  const auto two =
      second.subscribe(order_placed, [&](const Order& order) { second_handled.add(order); });
  REQUIRE(listened_to(server, 2));
  for (int i = 0; i < 100; ++i) REQUIRE(first.publish(order_placed, Order{i, "ann"}).ok());
  REQUIRE(first_handled.wait_for(100));
  REQUIRE(second_handled.wait_for(100));
}

TEST_CASE_METHOD(OnServer, "ChannelReader: a lost connection is made again, and the gap reported",
                 "[redis]") {
  RedisBus& bus = listen(by_channel(server));
  REQUIRE(told.ready());
  server.restart();
  REQUIRE(told.wait_for("gap: the connection was lost"));
  REQUIRE(listened_to(server));
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
}

TEST_CASE_METHOD(OnServer, "ChannelReader: a message that is no event is reported", "[redis]") {
  RedisBus& bus = listen(by_channel(server));
  REQUIRE(told.ready());
  REQUIRE(gossip::test::eventually([&] {
    return server.ask({"PUBLISH", "order.placed", "nonsense"}) == "1";
  }));
  REQUIRE(told.wait_for("undecodable order.placed"));
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
}
