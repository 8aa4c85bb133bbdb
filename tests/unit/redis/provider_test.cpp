// SPDX-License-Identifier: MIT
#include <gossip/redis/provider.hpp>

#include "support/fake_redis.hpp"
#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::redis::Delivery;
using gossip::redis::event_id_of;
using gossip::redis::RedisOptions;
using gossip::redis::State;
using gossip::test::eventually;
using gossip::test::Handled;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::patience;
using gossip::test::publish;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::test::Told;
using namespace std::chrono_literals;

TEST_CASE("RedisProvider: our ids survive the wire, and others become ids", "[redis]") {
  const auto id = gossip::detail::make_event_id();
  REQUIRE(event_id_of(to_string(id)) == id);
  REQUIRE(event_id_of("order-1") == event_id_of("order-1"));
  REQUIRE(event_id_of("order-1") != event_id_of("order-2"));
  REQUIRE(event_id_of(std::string(32, 'g')).origin != 0);
}

TEST_CASE("RedisProvider: options out of range are refused by the bus's constructor", "[redis]") {
  REQUIRE_THROWS_AS((RedisBus{{}, RedisOptions{.read_count = 0}}), std::invalid_argument);
}

TEST_CASE("RedisProvider: fail_fast makes an unreachable server the constructor's error",
          "[redis]") {
  RedisOptions options;
  options.port = gossip::test::free_port();
  options.fail_fast = true;
  try {
    RedisBus bus{{}, options};
    FAIL("constructed");
  } catch (const gossip::Error& error) {
    const std::string server = "127.0.0.1:" + std::to_string(options.port);
    REQUIRE(std::string{error.what()}.find("redis: connecting to " + server) != std::string::npos);
  }
}

TEST_CASE("RedisProvider: an event keeps its id, its time and its metadata", "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  RedisBus bus{{.workers = 1}, options};
  gossip::EventId id;
  gossip::Timestamp time;
  gossip::Metadata metadata;
  std::atomic<bool> handled{false};
  const auto subscription = bus.subscribe(order_placed, [&](const Event<Order>& event) {
    id = event.id();
    time = event.timestamp();
    metadata = event.metadata();
    handled = true;
  });
  auto event = Event{order_placed, {1, "ann"}};
  event.with_metadata("request_id", "req-1").with_metadata("count", 5);
  const auto expected = event.id();
  const auto published = event.timestamp();
  const gossip::Metadata sent = event.metadata();
  REQUIRE(bus.publish(std::move(event)).ok());
  REQUIRE(eventually([&] { return handled.load(); }));
  REQUIRE(id == expected);
  REQUIRE(time == published);
  REQUIRE(metadata == sent);
  const auto traffic = [&] { return bus.provider_statistics().traffic; };
  REQUIRE(
      eventually([&] { return traffic().sent > 200; }));  // counted when it is on its way already
  REQUIRE(traffic().received > 200);
  REQUIRE(traffic().round_trips >= 5);  // two introductions, each of two; reading
}

TEST_CASE("RedisProvider: every connection that is made again is counted, whosever it is",
          "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  options.back_off_initial = options.back_off_cap = 10ms;
  RedisBus bus{{.workers = 1}, options};
  const auto traffic = [&] { return bus.provider_statistics().traffic; };
  REQUIRE(eventually([&] { return traffic().connects == 2; }));
  REQUIRE(traffic().reconnects == 0);
  // A connection that listens can be told from the other one, and cut alone.
  const auto subscription = bus.subscribe(order_placed, [](const Order&) {});
  const bool listens = options.delivery == Delivery::pub_sub;
  if (listens) {
    server.ask({"CLIENT", "KILL", "TYPE", "pubsub"});
    REQUIRE(eventually([&] { return traffic().connects == 3; }));
    REQUIRE(traffic().reconnects == 1);
    REQUIRE(bus.provider_statistics().writer.reconnects == 0);
  }
  server.ask({"CLIENT", "KILL", "TYPE", "normal"});
  server.ask({"CLIENT", "KILL", "TYPE", "pubsub"});
  const std::uint64_t all = listens ? 3 : 2;
  REQUIRE(eventually([&] { return traffic().reconnects == all; }));
  REQUIRE(traffic().connects == all + 2);
  REQUIRE(bus.provider_statistics().writer.reconnects == 1);
}

TEST_CASE("RedisProvider: events without data travel too", "[redis]") {
  constexpr EventType<void> tick{"clock.tick"};
  RedisServer server;
  RedisBus bus{{.workers = 1}, server.options()};
  std::atomic<int> ticks{0};
  const auto subscription = bus.subscribe(tick, [&] { ++ticks; });
  REQUIRE(bus.publish(tick).ok());
  REQUIRE(eventually([&] { return ticks.load() == 1; }));
}

TEST_CASE("RedisProvider: a payload above the limit is refused at publish", "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.maximum_payload = 100;
  RedisBus bus{{.workers = 1}, options};
  const auto status = bus.publish(order_placed, Order{1, std::string(200, 'x')});
  REQUIRE(gossip::is_validation(status));
  REQUIRE(std::string{status.what()}.find("allowed: 100") != std::string::npos);
  REQUIRE(server.ask({"EXISTS", "order.placed"}) == "0");
}

TEST_CASE("RedisProvider: metadata that readers would not take is refused at publish", "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.maximum_payload = 100;
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  const auto publish = [&](std::size_t size) {
    gossip::Event<Order> event{order_placed, Order{1, "ann"}};
    event.with_metadata("much", std::string(size, 'x'));
    return bus.publish(event);
  };
  const auto status = publish(525'000);
  REQUIRE(gossip::is_validation(status));
  REQUIRE(std::string{status.what()}.find("metadata") != std::string::npos);
  REQUIRE(server.ask({"EXISTS", "order.placed"}) == "0");
  REQUIRE(publish(524'000).ok());
  REQUIRE(handled.wait_for(1));
}

TEST_CASE("RedisProvider: a shutdown sends what was accepted", "[redis]") {
  RedisServer server;
  {
    RedisBus bus{{.workers = 1}, server.options()};
    for (int i = 0; i < 5000; ++i) REQUIRE(bus.publish(order_placed, Order{i, "ann"}).ok());
  }
  REQUIRE(server.ask({"XLEN", "order.placed"}) == "5000");
}

namespace {

/// Its decoding takes as long as the test wants, on the thread that reads.
struct Slow {
  int number = 0;
  static inline gossip::test::Door* decoding = nullptr;
  static inline gossip::test::Door* go_on = nullptr;
};
void to_json(nlohmann::json& json, const Slow& slow) { json = slow.number; }
void from_json(const nlohmann::json& json, Slow& slow) {
  Slow::decoding->open();
  static_cast<void>(Slow::go_on->wait());
  json.get_to(slow.number);
}

}  // namespace

TEST_CASE("RedisProvider: a shutdown acknowledges what was handled, however late that is noticed",
          "[redis]") {
  constexpr EventType<Slow> slow{"order.slow"};
  RedisServer server;
  gossip::test::Door decoding;
  gossip::test::Door go_on;
  Slow::decoding = &decoding;
  Slow::go_on = &go_on;
  Told told;
  Handled handled;
  auto options = gossip::test::in_group(server);
  options.claim_after = 60s;
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  // The reader is kept busy before it can learn that the event was handled.
  const auto one = bus.subscribe(order_placed, [&](const Order& order) {
    static_cast<void>(decoding.wait());
    handled.add(order);
  });
  const auto two = bus.subscribe(slow, [](const Slow&) {});
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(bus.publish(slow, Slow{2}).ok());
  REQUIRE(handled.wait_for(1));
  {
    // The writer would be closed by then, were it closed first.
    const std::jthread later{[&] {
      static_cast<void>(eventually([&] { return told.count("closed") != 0; }, 50ms));
      go_on.open();
    }};
    static_cast<void>(bus.shutdown(patience));
  }
  REQUIRE(gossip::test::all_acknowledged(server));
}

TEST_CASE("RedisProvider: what was left of a type is taken over as soon as that is subscribed",
          "[redis]") {
  constexpr EventType<int> other{"order.other"};
  RedisServer server;
  auto options = gossip::test::in_group(server);
  options.claim_after = 1h;
  static_cast<void>(server.ask({"XGROUP", "CREATE", "order.placed", "workers", "0", "MKSTREAM"}));
  REQUIRE(publish(server, 0, 1));
  const auto read =
      server.ask({"XREADGROUP", "GROUP", "workers", "gone", "STREAMS", "order.placed", ">"});
  const auto id = read.substr(read.find(' ') + 1, read.find(" id ") - read.find(' ') - 1);
  REQUIRE(server.ask({"XCLAIM", "order.placed", "workers", "gone", "0", id, "IDLE", "7200000",
                      "JUSTID"}) == id);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto first = bus.subscribe(other, [](int) {});
  REQUIRE(eventually([&] {  // and now it will not look again for a third of claim_after
    return server.ask({"INFO", "commandstats"}).find("cmdstat_xpending") != std::string::npos;
  }));
  const auto second = bus.subscribe(order_placed, [&](const Order& order) { handled.add(order); });
  REQUIRE(handled.wait_for(1));
}

TEST_CASE("RedisProvider: a shutdown without a server returns in time and reports what is left",
          "[redis]") {
  Told told;
  RedisOptions options;
  options.port = gossip::test::free_port();
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  const auto before = std::chrono::steady_clock::now();
  static_cast<void>(bus.shutdown(50ms));
  REQUIRE(std::chrono::steady_clock::now() - before < patience / 2);
  REQUIRE(told.count("unpublished order.placed") == 1);
  REQUIRE(bus.publish(order_placed, Order{2, "ann"}) == Errc::closed);
}

TEST_CASE("RedisProvider: a shutdown without a server does not wait for what nobody needs then",
          "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.group = GENERATE("", "workers");
  Told told;
  told.listen(options);
  std::atomic<int> closed{0};
  options.on_state = [&, note = options.on_state](State state, const Status& why) {
    closed += state == State::closed ? 1 : 0;
    note(state, why);
  };
  RedisBus bus{{.workers = 1}, options};
  auto subscription = bus.subscribe(order_placed, [](const Order&) {});
  server.kill();
  REQUIRE(told.wait_for("connecting: ", 1));
  subscription.cancel();
  const auto begun = std::chrono::steady_clock::now();
  static_cast<void>(bus.shutdown(patience));
  REQUIRE(std::chrono::steady_clock::now() - begun < patience);
  REQUIRE(closed == 1);
}

TEST_CASE("RedisProvider: after unsubscribing nothing runs, and nothing is read", "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  RedisBus bus{{.workers = 1}, options};
  Handled handled;
  auto subscription = bus.subscribe(order_placed, [&](const Order& order) { handled.add(order); });
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
  subscription.cancel();
  if (options.delivery == Delivery::pub_sub) {
    REQUIRE(server.ask({"PUBSUB", "NUMSUB", "order.placed"}) == "order.placed 0");
  }
  REQUIRE(bus.publish(order_placed, Order{2, "ann"}).ok());
  REQUIRE(bus.flush(patience).ok());
  const auto again = bus.subscribe(order_placed, [&](const Order& order) { handled.add(order); });
  REQUIRE(bus.publish(order_placed, Order{3, "ann"}).ok());
  REQUIRE(eventually([&] { return handled.distinct() >= 2; }));
  REQUIRE(handled.total() == 2);
}

TEST_CASE(
    "RedisProvider: who has subscribed hears what is published then, whoever else comes or goes",
    "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  RedisBus bus{{.workers = 1}, options};
  RedisBus publisher{{.workers = 1}, options};
  const int rounds = static_cast<int>(gossip::test::scaled(80)) + 10;
  std::atomic<int> missed{0};
  const auto come_and_go = [&](int self) {
    for (int round = 0; round < rounds; ++round) {
      const int mine = self * rounds + round;
      std::atomic<bool> heard{false};
      const auto subscription = bus.subscribe(order_placed, [&heard, mine](const Order& order) {
        if (order.number == mine) heard = true;
      });
      if (!publisher.publish(order_placed, Order{mine, "ann"}).ok() ||
          !eventually([&] { return heard.load(); })) {
        ++missed;
        return;
      }
    }
  };
  {
    const std::jthread other{come_and_go, 1};
    come_and_go(0);
  }
  REQUIRE(missed == 0);
}

TEST_CASE("RedisProvider: payloads above compress_above travel deflated, others as they are",
          "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.compress_above = 200;
  RedisBus bus{{.workers = 1}, options};
  std::atomic<int> handled{0};
  std::atomic<int> spoilt{0};
  const std::string large(10'000, 'a');
  const auto subscription = bus.subscribe(order_placed, [&](const Order& order) {
    if (order.customer != (order.number == 1 ? large : "ann")) ++spoilt;
    ++handled;
  });
  REQUIRE(bus.publish(order_placed, Order{1, large}).ok());
  REQUIRE(bus.publish(order_placed, Order{2, "ann"}).ok());
  REQUIRE(eventually([&] { return handled.load() == 2; }));
  REQUIRE(spoilt == 0);
  const std::string entries = server.ask({"XRANGE", "order.placed", "-", "+"});
  REQUIRE(entries.size() < 2'000);
  const auto first = entries.find("content-encoding");
  REQUIRE(first != std::string::npos);
  REQUIRE(entries.find("content-encoding", first + 1) == std::string::npos);
  REQUIRE(entries.find("{\"customer\":\"ann\",\"number\":2}") != std::string::npos);
}

TEST_CASE("RedisProvider: it is not ready while one of its connections does not come about",
          "[redis]") {
  std::atomic<int> probes{0};
  // It serves one connection at a time: the other one waits for the end of the first.
  gossip::test::FakeRedis server{gossip::test::greeting([&](const std::string&) -> std::string {
    ++probes;
    return "+PONG\r\n";
  })};
  Told told;
  gossip::redis::RedisOptions options;
  options.port = server.port();
  options.health_interval = 1ms;
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(eventually([&] { return probes.load() >= 3; }));  // the first is ready, and has been
  REQUIRE(told.count("ready") == 0);
  static_cast<void>(bus.shutdown(0ms));
}
