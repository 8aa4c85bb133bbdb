// SPDX-License-Identifier: MIT
#include <gossip/redis/tap.hpp>

#include "support/fake_redis.hpp"
#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using gossip::Event;
using gossip::EventPattern;
using gossip::EventType;
using gossip::redis::Delivery;
using gossip::redis::glob_literal;
using gossip::redis::RedisOptions;
using gossip::redis::RedisTap;
using gossip::redis::StartAt;
using gossip::redis::TappedEvent;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using gossip::test::greeting;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::test::Told;

namespace {

constexpr EventType<int> order_counted{"order.counted"};
constexpr EventType<int> user_counted{"user.counted"};

/// What a tap has seen, as text.
class Noted {
 public:
  RedisTap::OnEvent listen() {
    return [this](const TappedEvent& event) {
      const std::lock_guard lock{mutex_};
      notes_.push_back(event.name + " " + event.event.type + " " +
                       (event.status.ok() ? event.event.data : "?" + event.event.data));
    };
  }
  [[nodiscard]] std::size_t count(const std::string& note) const {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(std::count(notes_.begin(), notes_.end(), note));
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return notes_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

}  // namespace

TEST_CASE("RedisTap: names are no globs", "[redis]") {
  REQUIRE(glob_literal("shop:a-b*[x]") == "shop:a\\-b\\*\\[x\\]");
}

TEST_CASE("RedisTap: options out of range are refused", "[redis]") {
  REQUIRE_THROWS_AS((RedisTap{{.read_count = 0}, EventPattern{">"}, {}}), std::invalid_argument);
}

TEST_CASE("RedisTap: follows the streams that match, old and new", "[redis]") {
  RedisServer server;
  RedisOptions options = server.options();
  options.key_prefix = "shop[1]:";
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(bus.publish(order_counted, 1).ok());
  REQUIRE(bus.publish(user_counted, 2).ok());
  REQUIRE(bus.flush(std::chrono::seconds{20}).ok());
  Told told;
  told.listen(options);
  Noted now;
  Noted all;
  RedisTap from_now{options, EventPattern{"order.>"}, now.listen()};
  options.start_at = StartAt::beginning;
  RedisTap from_beginning{options, EventPattern{"order.>"}, all.listen()};
  Noted short_names;
  RedisTap of_two_tokens{options, EventPattern{"order.*"}, short_names.listen()};
  from_now.start();
  from_beginning.start();
  of_two_tokens.start();
  REQUIRE(told.wait_for("ready", 3));
  // To Redis, `order.*` is more than to us.
  static_cast<void>(
      server.ask({"XADD", "shop[1]:order.a.b", "*", "type", "order.a.b", "data", "5"}));
  REQUIRE(bus.publish(order_counted, 3).ok());
  REQUIRE(bus.publish(order_placed, Order{4, "ann"}).ok());  // a stream that did not exist
  for (const Noted* noted : {&now, &all, &short_names}) {
    REQUIRE(eventually([&] { return noted->count("order.counted order.counted 3") == 1; }));
    REQUIRE(eventually([&] {
      return noted->count("order.placed order.placed {\"customer\":\"ann\",\"number\":4}") == 1;
    }));
  }
  REQUIRE(eventually([&] { return now.size() == 3 && all.size() == 4; }));
  REQUIRE(all.count("order.counted order.counted 1") == 1);
  REQUIRE(short_names.size() == 3);
}

TEST_CASE("RedisTap: hears the channels that match", "[redis]") {
  RedisServer server;
  RedisOptions options = server.options();
  options.delivery = Delivery::pub_sub;
  RedisBus bus{{.workers = 1}, options};
  Told told;
  told.listen(options);
  Noted noted;
  RedisTap tap{options, EventPattern{"*.counted"}, noted.listen()};
  tap.start();
  REQUIRE(told.wait_for("ready"));
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(bus.publish(order_counted, 1).ok());
  REQUIRE(bus.publish(user_counted, 2).ok());
  REQUIRE(eventually([&] { return noted.size() == 2; }));
  REQUIRE(noted.count("user.counted user.counted 2") == 1);
  static_cast<void>(server.ask({"CLIENT", "KILL", "TYPE", "pubsub"}));
  REQUIRE(told.wait_for("gap: the connection was lost"));
}

TEST_CASE("RedisTap: a gap is told once it hears again", "[redis]") {
  Told told;
  std::atomic<int> asked_to_listen{0};
  std::atomic<std::size_t> gaps_before{0};
  FakeRedis server{[&](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    if (asked.find("PSUBSCRIBE") == std::string::npos) return "";  // a probe
    if (++asked_to_listen == 2) gaps_before = told.count("gap: ");
    return "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n";
  }};
  RedisOptions options;
  options.port = server.port();
  options.delivery = Delivery::pub_sub;
  options.back_off_initial = options.health_interval = std::chrono::milliseconds{1};
  told.listen(options);
  RedisTap tap{options, EventPattern{">"}, [](const TappedEvent&) {}};
  tap.start();
  REQUIRE(told.wait_for("gap: the connection was lost"));
  REQUIRE(asked_to_listen >= 2);
  REQUIRE(gaps_before == 0);
}

TEST_CASE("RedisTap: a right that is missing is told once, and asked for again", "[redis]") {
  std::atomic<int> asked_to_listen{0};
  FakeRedis server{greeting([&](const std::string& asked) -> std::string {
    if (asked.find("PSUBSCRIBE") == std::string::npos) return "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    if (++asked_to_listen < 3) return "-NOPERM not yours\r\n";
    return "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n";
  })};
  Told told;
  RedisOptions options;
  options.port = server.port();
  options.delivery = Delivery::pub_sub;
  options.back_off_initial = options.back_off_cap = std::chrono::milliseconds{1};
  told.listen(options);
  RedisTap tap{options, EventPattern{">"}, [](const TappedEvent&) {}};
  tap.start();
  REQUIRE(told.wait_for("ready"));
  REQUIRE(told.count("degraded") == 1);
  REQUIRE(asked_to_listen == 3);
}

TEST_CASE("RedisTap: a command that is refused is told once, and `ready` when it is not any more",
          "[redis]") {
  const std::string refused = GENERATE("SCAN", "XREAD");
  std::atomic<int> refusals{0};
  FakeRedis server{greeting([&](const std::string& asked) -> std::string {
    const auto has = [&](const std::string& word) {
      return asked.find("\r\n" + word + "\r\n") != std::string::npos;
    };
    if (has(refused) && refusals < 3) return ++refusals, "-NOPERM not yours\r\n";
    if (has("SCAN")) return "*2\r\n$1\r\n0\r\n*1\r\n$3\r\na.b\r\n";
    if (has("XREVRANGE")) return "*0\r\n";
    return has("XREAD") ? "*-1\r\n" : "+PONG\r\n";
  })};
  Told told;
  RedisOptions options;
  options.port = server.port();
  told.listen(options);
  RedisTap tap{options, EventPattern{">"}, [](const TappedEvent&) {}};
  tap.start();
  REQUIRE(eventually([&] { return refusals == 3; }));
  REQUIRE(told.wait_for("ready"));
  tap.close();
  REQUIRE(told.count("degraded") == 1);
  REQUIRE(told.count("ready") == 1);
}

TEST_CASE("RedisTap: no more entries are asked for at once than one read may have", "[redis]") {
  const auto [most, each] = GENERATE(std::pair{10, 5}, std::pair{1, 1});
  std::mutex mutex;
  std::string read;
  FakeRedis server{greeting([&](const std::string& asked) -> std::string {
    const auto has = [&](const char* word) { return asked.find(word) != std::string::npos; };
    if (has("SCAN")) return "*2\r\n$1\r\n0\r\n*2\r\n$3\r\na.b\r\n$3\r\na.c\r\n";
    if (!has("XREAD")) return "*0\r\n";
    const std::lock_guard lock{mutex};
    if (read.empty()) read = asked;
    return "*-1\r\n";
  })};
  RedisOptions options;
  options.port = server.port();
  options.read_count = static_cast<std::size_t>(most);
  RedisTap tap{options, EventPattern{">"}, [](const TappedEvent&) {}};
  tap.start();
  const auto text = [&] {
    const std::lock_guard lock{mutex};
    return read;
  };
  REQUIRE(eventually([&] { return !text().empty(); }));
  REQUIRE(text().find("COUNT\r\n$1\r\n" + std::to_string(each) + "\r\n") != std::string::npos);
}

TEST_CASE("RedisTap: a probe that is refused is no refusal to listen", "[redis]") {
  std::atomic<int> probes{0};
  FakeRedis server{greeting([&](const std::string& asked) -> std::string {
    if (asked.find("PSUBSCRIBE") != std::string::npos) {
      return "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n";
    }
    ++probes;
    return "-NOPERM you may not PING\r\n";
  })};
  Told told;
  RedisOptions options;
  options.port = server.port();
  options.delivery = Delivery::pub_sub;
  options.health_interval = std::chrono::milliseconds{1};
  told.listen(options);
  RedisTap tap{options, EventPattern{">"}, [](const TappedEvent&) {}};
  tap.start();
  REQUIRE(eventually([&] { return probes >= 3; }));
  REQUIRE(told.count("ready") == 1);
  REQUIRE(told.count("degraded") == 0);
}

TEST_CASE("RedisTap: what cannot be read is shown as it is", "[redis]") {
  RedisServer server;
  RedisOptions options = server.options();
  options.start_at = StartAt::beginning;
  static_cast<void>(server.ask({"XADD", "order.odd", "*", "a", "b"}));
  static_cast<void>(server.ask({"SET", "order.text", "no stream"}));
  Noted noted;
  RedisTap tap{options, EventPattern{"order.*"}, noted.listen()};
  tap.start();
  REQUIRE(eventually([&] { return noted.size() == 1; }));
  REQUIRE(noted.count("order.odd  ?*2\r\n$1\r\na\r\n$1\r\nb\r\n") == 1);
}

TEST_CASE("RedisTap: an entry that is too large is shown without its fields", "[redis]") {
  RedisServer server;
  RedisOptions options = server.options();
  options.maximum_payload = 1000;
  options.start_at = StartAt::beginning;
  static_cast<void>(
      server.ask({"XADD", "order.counted", "*", "data", std::string(3U << 20U, 'x')}));
  static_cast<void>(
      server.ask({"XADD", "order.counted", "*", "data", "1", "type", "order.counted"}));
  std::atomic<int> large{0};
  std::atomic<int> others{0};
  RedisTap tap{options, EventPattern{">"}, [&](const TappedEvent& event) {
                 const bool told = event.status.what().find("too large") != std::string_view::npos;
                 told ? ++large : ++others;
               }};
  tap.start();
  REQUIRE(eventually([&] { return others.load() == 1; }));
  REQUIRE(large.load() == 1);
}

TEST_CASE("RedisTap: keys that are too large for one answer are asked for in several", "[redis]") {
  RedisServer server;
  RedisOptions options = server.options();
  options.maximum_payload = 1;  // an answer's keys may take 1 MiB
  options.start_at = StartAt::beginning;
  for (int i = 0; i < 64; ++i) {
    const std::string type = "order." + std::to_string(i) + std::string(32'768, 'x');
    static_cast<void>(server.ask({"XADD", type, "*", "type", "t", "data", "1"}));
  }
  std::atomic<int> seen{0};
  RedisTap tap{options, EventPattern{">"}, [&](const TappedEvent&) { ++seen; }};
  tap.start();
  REQUIRE(eventually([&] { return seen == 64; }));
}

TEST_CASE("RedisTap: a stream that is gone and comes again is followed from its beginning",
          "[redis]") {
  RedisServer server;
  RedisOptions options = server.options();
  RedisBus bus{{.workers = 1}, options};
  Told told;
  told.listen(options);
  Noted noted;
  RedisTap tap{options, EventPattern{">"}, noted.listen()};
  tap.start();
  REQUIRE(told.wait_for("ready"));
  REQUIRE(bus.publish(order_counted, 1).ok());
  REQUIRE(eventually([&] { return noted.size() == 1; }));
  server.restart();
  int sent = 1;
  REQUIRE(eventually([&] {
    REQUIRE(bus.publish(order_counted, ++sent).ok());
    static_cast<void>(bus.flush(std::chrono::milliseconds{20}));
    return noted.size() > 2;
  }));
}

TEST_CASE("RedisTap: a stream that begins lower than it ended is followed", "[redis]") {
  RedisServer server;
  const RedisOptions options = [&] {
    RedisOptions some = server.options();
    some.start_at = gossip::redis::StartAt::beginning;
    return some;
  }();
  const auto add = [&](const char* id) {
    static_cast<void>(
        server.ask({"XADD", "order.counted", id, "type", "order.counted", "data", "1"}));
  };
  const auto sweeps = [&] {
    const std::string commands = server.ask({"INFO", "commandstats"});
    const auto at = commands.find("cmdstat_scan:calls=");
    return at == std::string::npos ? 0 : std::stoi(commands.substr(at + 19));
  };
  Noted noted;
  RedisTap tap{options, EventPattern{">"}, noted.listen()};
  tap.start();
  add("9-0");
  REQUIRE(eventually([&] { return noted.size() == 1; }));
  static_cast<void>(server.ask({"DEL", "order.counted"}));
  const int before = sweeps();
  REQUIRE(eventually([&] { return sweeps() >= before + 2; }));
  add("1-0");
  REQUIRE(eventually([&] { return noted.size() == 2; }));
}
