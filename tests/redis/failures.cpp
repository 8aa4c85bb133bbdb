// SPDX-License-Identifier: MIT
// What goes wrong with a real server, and what the provider makes of it. README.md has the table.
#include <gossip/redis.hpp>

#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <set>
#include <signal.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

using gossip::EventType;
using gossip::Status;
using gossip::redis::Delivery;
using gossip::redis::RedisOptions;
using gossip::test::all_acknowledged;
using gossip::test::by_channel;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::Handled;
using gossip::test::in_group;
using gossip::test::listened_to;
using gossip::test::OnServer;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::publish;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::test::Told;
using namespace std::chrono_literals;

namespace {

constexpr EventType<Order> order_paid{"order.paid"};

/// How often the server was asked to do that.
std::size_t calls(const RedisServer& server, const std::string& command) {
  const std::string all = server.ask({"INFO", "commandstats"});
  const std::string entry = "cmdstat_" + command + ":calls=";
  const auto at = all.find(entry);
  return at == std::string::npos ? 0 : std::stoul(all.substr(at + entry.size()));
}
/// Notices it if the server is asked again and again, where it need not be.
class Storm {
 public:
  Storm(const RedisServer& server, std::string command)
      : server_{server}, command_{std::move(command)}, before_{calls(server, command_)} {}
  /// Whether there is none: a hundred calls and those that waiting makes, ten a second.
  [[nodiscard]] bool none() const {
    const auto elapsed = std::chrono::steady_clock::now() - begin_;
    return calls(server_, command_) - before_ <
           100 + static_cast<std::size_t>(elapsed / std::chrono::milliseconds{50});
  }

 private:
  const RedisServer& server_;
  const std::string command_;
  const std::size_t before_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};
/// Ids of pending entries: what `consumer` holds.
std::set<std::string> held_by(const RedisServer& server, const std::string& consumer) {
  std::istringstream words{
      server.ask({"XPENDING", "order.placed", "workers", "-", "+", "1000", consumer})};
  std::set<std::string> ids;
  std::string id;
  std::string owner;
  std::string idle;
  std::string deliveries;
  while (words >> id >> owner >> idle >> deliveries) ids.insert(id);
  return ids;
}

}  // namespace

TEST_CASE("failure: server down at construction: it keeps trying without a busy loop",
          "[redis][failure]") {
  Told told;
  RedisOptions options;
  options.port = gossip::test::free_port();
  options.back_off_initial = 1ms;
  options.back_off_cap = 50ms;
  std::atomic<int> attempts{0};
  options.credentials = [&] {
    ++attempts;
    return std::pair{std::string{}, gossip::redis::Secret{}};
  };
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.wait_for("redis: connecting to 127.0.0.1:" + std::to_string(options.port) +
                        ": Connection refused"));
  gossip::test::let_pass(200ms);
  REQUIRE(told.count("Connection refused") <= 2);  // by each connection once, not at each attempt
  REQUIRE(attempts == 0);                          // nobody to introduce ourselves to
}

TEST_CASE_METHOD(OnServer, "failure: server killed and restarted: streams", "[redis][failure]") {
  auto options = GENERATE(true, false) ? in_group(server) : server.options();
  RedisBus& bus = listen(options);
  REQUIRE(publish(bus, 0, 10));
  REQUIRE(handled.wait_for(10));
  server.kill();
  REQUIRE(told.wait_for("connecting: "));
  REQUIRE(publish(bus, 10, 60));  // wait for the server
  server.restart();
  REQUIRE(handled.wait_for(60));
  REQUIRE(publish(bus, 60, 70));
  REQUIRE(handled.wait_for(70));
  REQUIRE(handled.total() == 70);
  REQUIRE(told.ready());
  REQUIRE(told.wait_for("gap: "));
  REQUIRE(told.count("unpublished") == 0);
}

TEST_CASE_METHOD(
    OnServer,
    "failure: server killed and restarted: a group that has read nothing yet misses nothing",
    "[redis][failure]") {
  RedisBus& bus = listen(in_group(server));
  server.kill();
  REQUIRE(told.wait_for("connecting: "));
  REQUIRE(publish(bus, 0, 20));
  server.restart();
  REQUIRE(handled.wait_for(20));
}

TEST_CASE_METHOD(OnServer, "failure: server killed and restarted: Pub/Sub", "[redis][failure]") {
  RedisBus& bus = listen(by_channel(server));
  REQUIRE(publish(bus, 0, 1));
  REQUIRE(handled.wait_for(1));
  server.kill();
  REQUIRE(told.wait_for("connecting: "));
  server.restart();
  REQUIRE(told.wait_for("gap: the connection was lost"));
  REQUIRE(listened_to(server));
  REQUIRE(publish(bus, 1, 11));
  REQUIRE(handled.wait_for(11));
  REQUIRE(told.ready());
}

TEST_CASE_METHOD(OnServer, "failure: server paused: given up after the probe's deadline",
                 "[redis][failure]") {
  auto options = GENERATE(Delivery::streams, Delivery::pub_sub) == Delivery::streams
                     ? server.options()
                     : by_channel(server);
  options.health_interval = 50ms;
  options.block = 50ms;
  options.command_timeout = 1s;
  RedisBus& bus = listen(options);
  REQUIRE(told.ready());
  server.pause();
  // By each connection that is told of: with Pub/Sub the reader's as well as the writer's.
  const bool noticed = told.wait_for("redis: the server does not answer",
                                     options.delivery == Delivery::pub_sub ? 2 : 1);
  server.resume();
  REQUIRE(noticed);
  if (options.delivery == Delivery::pub_sub) {
    REQUIRE(told.wait_for("gap: the connection was lost"));
    REQUIRE(listened_to(server));
  }
  REQUIRE(told.ready());
  REQUIRE(eventually([&] {
    static_cast<void>(bus.publish(order_placed, Order{1, "ann"}));
    return handled.distinct() == 1;
  }));
}

TEST_CASE("failure: failover: a replica does not publish, and does once it is promoted",
          "[redis][failure]") {
  RedisServer primary;
  RedisServer replica{{"--replicaof", "127.0.0.1 " + std::to_string(primary.port())}};
  Told told;
  auto options = GENERATE(Delivery::streams, Delivery::pub_sub) == Delivery::streams
                     ? replica.options()
                     : by_channel(replica);
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(publish(bus, 0, 10));
  REQUIRE(told.wait_for("the server is a replica"));
  REQUIRE(told.count("unpublished") == 0);
  REQUIRE(replica.ask({"REPLICAOF", "NO", "ONE"}) == "OK");
  REQUIRE(told.ready());
  const std::string command = options.delivery == Delivery::streams ? "xadd" : "publish";
  REQUIRE(eventually([&] { return calls(replica, command) >= 10; }));
  REQUIRE(told.count("unpublished") == 0);
}

TEST_CASE("failure: failover: a primary that becomes a replica is left, and nothing is lost",
          "[redis][failure]") {
  RedisServer other;
  RedisServer server;
  Told told;
  auto options = server.options();
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(publish(bus, 0, 10));
  REQUIRE(eventually([&] { return server.ask({"XLEN", "order.placed"}) == "10"; }));
  REQUIRE(server.ask({"REPLICAOF", "127.0.0.1", std::to_string(other.port())}) == "OK");
  REQUIRE(publish(bus, 10, 20));  // READONLY
  REQUIRE(told.wait_for("connecting: "));
  REQUIRE(server.ask({"REPLICAOF", "NO", "ONE"}) == "OK");
  REQUIRE(eventually([&] { return calls(server, "xadd") >= 20; }));
  REQUIRE(eventually([&] { return std::stoi(server.ask({"XLEN", "order.placed"})) >= 10; }));
  REQUIRE(told.count("unpublished") == 0);
}

TEST_CASE("failure: failover: Pub/Sub notices that its server has become a replica",
          "[redis][failure]") {
  RedisServer other;
  RedisServer server;
  Told told;
  auto options = by_channel(server);
  options.health_interval = 20ms;
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.ready());
  REQUIRE(server.ask({"REPLICAOF", "127.0.0.1", std::to_string(other.port())}) == "OK");
  REQUIRE(told.wait_for("the server is a replica"));
}

TEST_CASE_METHOD(OnServer,
                 "failure: output-buffer limit: the gap is told, the channel subscribed anew",
                 "[redis][failure]") {
  RedisBus& bus = listen(by_channel(server));
  REQUIRE(listened_to(server));
  if (GENERATE(true, false)) {
    // The server itself cuts a subscriber whose output is above the limit.
    REQUIRE(server.ask({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 1024 0 0"}) == "OK");
    static_cast<void>(server.ask({"PUBLISH", "order.placed", std::string(1U << 20U, 'x')}));
    REQUIRE(server.ask({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0"}) == "OK");
  } else {
    REQUIRE(server.ask({"CLIENT", "KILL", "TYPE", "pubsub"}) == "1");
  }
  REQUIRE(told.wait_for("gap: the connection was lost"));
  REQUIRE(listened_to(server));
  REQUIRE(told.ready());
  REQUIRE(publish(bus, 0, 10));
  REQUIRE(handled.wait_for(10));
}

TEST_CASE_METHOD(OnServer,
                 "failure: group or stream deleted: no storm, the gap is told, events flow again",
                 "[redis][failure]") {
  RedisBus& bus = listen(in_group(server));
  REQUIRE(publish(bus, 0, 10));
  REQUIRE(handled.wait_for(10));
  const auto words = GENERATE(std::vector<std::string>{"FLUSHALL"},
                              std::vector<std::string>{"DEL", "order.placed"});
  const Storm storm{server, "xreadgroup"};
  static_cast<void>(server.ask(words));
  REQUIRE(publish(bus, 10, 20));
  REQUIRE(handled.wait_for(20));
  REQUIRE(told.wait_for("gap: a stream or its group was deleted"));
  REQUIRE(publish(bus, 20, 30));
  REQUIRE(handled.wait_for(30));
  REQUIRE(handled.total() == 30);
  REQUIRE(storm.none());
  REQUIRE(told.count("gap: ") == 1);
}

TEST_CASE_METHOD(OnServer, "failure: group destroyed under the reader: events flow again",
                 "[redis][failure]") {
  RedisBus& bus = listen(in_group(server));
  REQUIRE(publish(bus, 0, 10));
  REQUIRE(handled.wait_for(10));
  static_cast<void>(server.ask({"XGROUP", "DESTROY", "order.placed", "workers"}));
  REQUIRE(publish(bus, 10, 20));
  REQUIRE(handled.wait_for(20));
  REQUIRE(told.count("gap: ") == 1);
}

TEST_CASE("failure: consumer dies holding events: others handle them, and nothing else twice",
          "[redis][failure]") {
  constexpr int events = 300;
  RedisServer server;
  const auto sharing = [&] {
    auto options = in_group(server);
    options.claim_after = 6s;  // who is only slow loses nothing to others
    return options;
  };
  server.ask({"XGROUP", "CREATE", "order.placed", "workers", "0", "MKSTREAM"});
  const pid_t child = ::fork();  // before this process has any other thread
  REQUIRE(child >= 0);
  if (child == 0) {
    auto options = sharing();
    options.consumer = "mortal";
    options.max_in_flight = 50;
    RedisBus bus{{.workers = 1}, options};
    int number = 0;
    Door never;
    const auto subscription = bus.subscribe(order_placed, [&](const Order& order) {
      if (++number == 20) {
        server.ask({"SET", "stuck", "1"});
        for (;;) never.wait(1h);
      }
      server.ask({"RPUSH", "handled", std::to_string(order.number)});
    });
    for (;;) never.wait(1h);
  }
  RedisBus publisher{{.workers = 1}, server.options()};
  REQUIRE(publish(publisher, 0, 100));
  const bool stuck = eventually([&] { return server.ask({"EXISTS", "stuck"}) == "1"; });
  Handled handled;
  const auto note = [&](const Order& order) { handled.add(order); };
  RedisBus second{{.workers = 1}, sharing()};
  RedisBus third{{.workers = 1}, sharing()};
  const auto two = second.subscribe(order_placed, note);
  const auto three = third.subscribe(order_placed, note);
  REQUIRE(publish(publisher, 100, events));
  const bool working = handled.wait_for(100);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  REQUIRE(stuck);
  REQUIRE(working);
  const std::size_t held = held_by(server, "mortal").size();
  REQUIRE(held >= 1);
  const auto done_by_child = static_cast<std::size_t>(std::stoul(server.ask({"LLEN", "handled"})));
  REQUIRE(done_by_child == 19);
  // Every event was handled by the child, by one of the others, or both, if it was among the held.
  REQUIRE(all_acknowledged(server));
  REQUIRE(handled.distinct() >= events - done_by_child);
  REQUIRE(handled.distinct() <= events - done_by_child + held);
  REQUIRE(handled.total() == handled.distinct());
  std::istringstream numbers{server.ask({"LRANGE", "handled", "0", "-1"})};
  for (int number = 0; numbers >> number;) handled.add({number, ""});
  REQUIRE(handled.distinct() == events);
}

TEST_CASE_METHOD(OnServer, "failure: stream trimmed under us: what was pending is counted as lost",
                 "[redis][failure]") {
  auto options = in_group(server);
  options.claim_after = 50ms;
  server.ask({"XGROUP", "CREATE", "order.placed", "workers", "0", "MKSTREAM"});
  RedisBus publisher{{.workers = 1}, server.options()};
  REQUIRE(publish(publisher, 0, 10));
  REQUIRE(publisher.drain());
  REQUIRE(eventually([&] { return server.ask({"XLEN", "order.placed"}) == "10"; }));
  server.ask({"XREADGROUP", "GROUP", "workers", "gone", "STREAMS", "order.placed", ">"});
  REQUIRE(server.ask({"XTRIM", "order.placed", "MAXLEN", "4"}) == "6");
  listen(options);
  REQUIRE(handled.wait_for(4));
  REQUIRE(told.wait_for("gap: trimmed before they were handled"));
  REQUIRE(all_acknowledged(server));
  REQUIRE(handled.total() == 4);
}

TEST_CASE("failure: server out of memory: a retryable error for each event", "[redis][failure]") {
  RedisServer server;
  Told told;
  auto options = server.options();
  std::atomic<int> retryable{0};
  told.listen(options);
  options.on_publish_error = [&](std::string_view, std::string_view, const Status& why) {
    if (gossip::is_retryable(why) && std::string{why.what()}.find("OOM") != std::string::npos) {
      ++retryable;
    }
  };
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.ready());
  REQUIRE(server.ask({"CONFIG", "SET", "maxmemory", "1"}) == "OK");
  REQUIRE(publish(bus, 0, 10));
  REQUIRE(eventually([&] { return retryable.load() == 10; }));
  REQUIRE(server.ask({"CONFIG", "SET", "maxmemory", "0"}) == "OK");
  REQUIRE(publish(bus, 10, 20));
  REQUIRE(eventually([&] { return server.ask({"XLEN", "order.placed"}) == "10"; }));
  REQUIRE(retryable == 10);
}

TEST_CASE("failure: key of the wrong type: fatal for that event type alone", "[redis][failure]") {
  RedisServer server;
  Told told;
  auto options = in_group(server);
  told.listen(options);
  Handled paid;
  RedisBus bus{{.workers = 1}, options};
  const auto ignore = [](const Order&) {};
  const auto works = bus.subscribe(order_paid, [&](const Order& o) { paid.add(o); });
  if (GENERATE(true, false)) {  // before it is subscribed to, or while it is read
    REQUIRE(server.ask({"SET", "order.placed", "text"}) == "OK");
    try {
      const auto refused = bus.subscribe(order_placed, ignore);
      FAIL("subscribed");
    } catch (const gossip::Error& error) {
      REQUIRE(std::string{error.what()}.find("subscribing to order.placed: WRONGTYPE") !=
              std::string::npos);
    }
    REQUIRE(publish(bus, 0, 1));
    REQUIRE(told.wait_for("publishing order.placed: WRONGTYPE"));
    REQUIRE(bus.publish(order_paid, Order{1, "ann"}).ok());
    REQUIRE(paid.wait_for(1));
  } else {
    const auto subscription = bus.subscribe(order_placed, ignore);
    REQUIRE(server.ask({"SET", "order.placed", "text"}) == "OK");
    REQUIRE(told.wait_for("degraded: "));
    const Storm storm{server, "xreadgroup"};
    for (int i = 0; i < 10; ++i) {
      REQUIRE(bus.publish(order_paid, Order{i, "ann"}).ok());
      REQUIRE(paid.wait_for(static_cast<std::size_t>(i) + 1));
    }
    REQUIRE(storm.none());
  }
}

TEST_CASE("failure: duplicate after a retried XADD: handled once, also while the first still runs",
          "[redis][failure]") {
  RedisServer server;
  Handled handled;
  Door go_on;
  std::atomic<int> calls_begun{0};
  RedisBus bus{{.workers = 2}, in_group(server)};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& order) {
    ++calls_begun;
    if (order.number == 1) go_on.wait();
    handled.add(order);
  });
  const auto add = [&](const char* number) {
    server.ask({"XADD", "order.placed", "*", "id", std::string{"id-"} + number, "type",
                "order.placed", "time", "1", "content-type", "application/json", "data",
                std::string{"{\"number\":"} + number + ",\"customer\":\"ann\"}"});
  };
  add("1");
  REQUIRE(eventually([&] { return calls_begun.load() == 1; }));
  add("1");
  add("2");
  REQUIRE(handled.wait_for(1));  // the second order, which was behind the repetition
  REQUIRE(calls_begun == 2);
  go_on.open();
  REQUIRE(handled.wait_for(2));
  add("2");
  add("3");
  REQUIRE(handled.wait_for(3));
  REQUIRE(handled.total() == 3);
}
