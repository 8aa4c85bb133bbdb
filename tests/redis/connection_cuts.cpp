// SPDX-License-Identifier: MIT
// Connections that are cut, stalled and spoilt between the provider and the server.
#include <gossip/redis.hpp>

#include "support/fake_redis.hpp"
#include "support/proxy.hpp"
#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

using gossip::Errc;
using gossip::Status;
using gossip::redis::Delivery;
using gossip::redis::RedisOptions;
using gossip::redis::Secret;
using gossip::redis::State;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using gossip::test::Handled;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::patience;
using gossip::test::Proxy;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::test::scaled;
using gossip::test::Told;
using namespace std::chrono_literals;

namespace {

RedisOptions through(const Proxy& proxy, const RedisServer& server) {
  auto options = server.options();
  options.port = proxy.port();
  return options;
}

}  // namespace

TEST_CASE("failure: connections cut at random: every event arrives, repetitions are dropped",
          "[redis][failure]") {
  const int least = static_cast<int>(scaled(4000)) + 200;
  RedisServer server;
  Proxy proxy{server.port()};
  proxy.cut_after(2'000, 30'000);  // a full pipeline does not get through
  auto options = through(proxy, server);
  options.claim_after = 200ms;
  options.max_deliveries = 1000;  // cuts are no fault of the event
  options.back_off_cap = 10ms;
  if (GENERATE(true, false)) options.group = "workers";
  Told told;
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  if (!options.group.empty()) {  // so that nothing can come before the group
    static_cast<void>(
        server.ask({"XGROUP", "CREATE", "order.placed", options.group, "0", "MKSTREAM"}));
  }
  int events = 0;
  while (events < least || (proxy.cuts() < 3 && events < 100 * least)) {
    REQUIRE(bus.publish(order_placed, Order{events++, "ann"}).ok());
  }
  const bool all = handled.wait_for(static_cast<std::size_t>(events));
  CAPTURE(handled.distinct(), handled.total(), proxy.cuts(), proxy.connections(),
          server.ask({"XLEN", "order.placed"}), server.ask({"INFO", "commandstats"}));
  REQUIRE(all);
  proxy.cut_after(0, 0);
  REQUIRE(proxy.cuts() >= 3);
  REQUIRE(handled.total() == static_cast<std::size_t>(events));
  REQUIRE(told.count("unpublished") == 0);
  REQUIRE(std::stoi(server.ask({"XLEN", "order.placed"})) >= events);
  if (!options.group.empty()) {
    proxy.cut_all();
    REQUIRE(eventually([&] {
      return server.ask({"XPENDING", "order.placed", "workers"}).find("0 ") == 0;
    }));
    REQUIRE(server.ask({"XLEN", "order.placed.dead"}) == "0");
  }
}

TEST_CASE("failure: huge reply: the connection is dropped", "[redis][failure]") {
  const std::string announced = GENERATE("*1048577\r\n", "$1073741824\r\n", "*2147483647\r\n");
  FakeRedis server{[&](const std::string& asked) -> std::string {
    return asked.find("HELLO") != std::string::npos ? announced + std::string(4U << 20U, 'x')
                                                    : std::string{};
  }};
  Told told;
  RedisOptions options;
  options.port = server.port();
  options.maximum_payload = 1024;
  options.read_count = 1;
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(eventually([&] {
    return told.count("larger than allowed") != 0 || told.count("malformed reply") != 0;
  }));
}

TEST_CASE("failure: shutdown returns within its deadline, and reports what was not sent",
          "[redis][failure]") {
  enum class Where { connected, paused, stalled, backing_off, refused };
  const Where where =
      GENERATE(Where::connected, Where::paused, Where::stalled, Where::backing_off, Where::refused);
  const auto delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  CAPTURE(static_cast<int>(where), static_cast<int>(delivery));
  constexpr std::size_t events = 500;
  RedisServer server;
  Proxy proxy{server.port()};
  Told told;
  auto options = where == Where::stalled ? through(proxy, server) : server.options();
  options.delivery = delivery;
  if (where == Where::refused) options.password = "wrong";
  if (where == Where::refused) options.username = "nobody";
  options.connect_timeout = options.command_timeout = options.back_off_cap = 1h;  // none ends it
  told.listen(options);
  if (where == Where::backing_off) server.kill();
  if (where == Where::stalled) proxy.stall(true);
  RedisBus bus{{.workers = 1}, options};
  if (where == Where::connected || where == Where::paused) REQUIRE(told.ready());
  if (where == Where::paused) server.pause();
  if (where == Where::refused) REQUIRE(told.wait_for("WRONGPASS"));
  if (where == Where::backing_off) REQUIRE(told.wait_for("connecting: "));
  for (std::size_t i = 0; i < events; ++i) {
    REQUIRE(bus.publish(order_placed, Order{static_cast<int>(i), "ann"}).ok());
  }
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(bus.shutdown(where == Where::connected ? patience : 100ms));
  REQUIRE(std::chrono::steady_clock::now() - begin < patience / 2);
  server.resume();
  REQUIRE(told.count("unpublished") == (where == Where::connected ? 0 : events));
}

TEST_CASE("failure: shutdown returns at once where nothing is owed, though the server is gone",
          "[redis][failure]") {
  RedisServer server;
  Told told;
  Handled handled;
  auto options = server.options();
  const bool is_down = GENERATE(true, false);  // or paused
  CAPTURE(is_down);
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  auto subscription = bus.subscribe(order_placed, [&](const Order& order) { handled.add(order); });
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
  REQUIRE(bus.flush(patience).ok());
  is_down ? server.kill() : server.pause();
  if (is_down) REQUIRE(told.wait_for("Connection refused"));
  subscription.cancel();
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(bus.shutdown(patience));
  REQUIRE(std::chrono::steady_clock::now() - begin < patience / 2);
  server.resume();
}

namespace {

/// Shuts a bus down from within a callback, once the bus is there.
class FromWithin {
 public:
  void operator()() {
    bus_.wait(nullptr);
    if (left_) complete_ = bus_.load()->shutdown(patience).complete;
    if (left_.exchange(false)) done_.open();
  }
  void about(RedisBus& bus) {
    bus_ = &bus;
    bus_.notify_all();
  }
  [[nodiscard]] bool done() { return done_.wait(patience); }
  [[nodiscard]] bool was_complete() const { return complete_; }

 private:
  std::atomic<RedisBus*> bus_{nullptr};
  std::atomic<bool> left_{true};
  std::atomic<bool> complete_{false};
  gossip::test::Door done_;
};

}  // namespace

TEST_CASE("failure: shutdown by a callback closes the bus; the rest is done elsewhere",
          "[redis][failure]") {
  const bool asked = GENERATE(false, true);  // for the password, or told that it is wrong
  CAPTURE(asked);
  RedisServer server;
  FromWithin shutdown;
  auto options = server.options();
  const auto credentials = [&] {
    if (asked) shutdown();
    return std::pair{std::string{"nobody"}, Secret{"wrong"}};
  };
  options.credentials = credentials;
  options.on_state = [&](State, const Status& why) {
    if (!asked && !why.ok()) shutdown();
  };
  RedisBus bus{{.workers = 1}, options};
  shutdown.about(bus);
  REQUIRE(shutdown.done());
  REQUIRE_FALSE(shutdown.was_complete());
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}) == Errc::closed);
  REQUIRE(bus.shutdown(100ms).complete);
}

TEST_CASE("failure: shutdown by a callback on a thread that flushes", "[redis][failure]") {
  RedisServer server;
  static_cast<void>(server.ask({"SET", "order.placed", "of another type"}));
  FromWithin shutdown;
  Told told;
  auto options = server.options();
  told.listen(options);
  const auto flushing = std::this_thread::get_id();
  bool here = false;
  options.on_publish_error = [&](std::string_view, std::string_view, const Status&) {
    if (std::this_thread::get_id() != flushing) return;
    here = true;
    shutdown();
  };
  RedisBus bus{{.workers = 1}, options};
  shutdown.about(bus);
  REQUIRE(told.ready());
  REQUIRE(eventually([&] {
    static_cast<void>(bus.publish(order_placed, Order{1, "ann"}));
    static_cast<void>(bus.flush(patience));
    return here;
  }));
  REQUIRE_FALSE(shutdown.was_complete());
  REQUIRE(bus.shutdown(patience).complete);
}

TEST_CASE("failure: shutdown of another bus by a callback is complete", "[redis][failure]") {
  RedisServer server;
  FromWithin shutdown;
  auto options = server.options();
  RedisBus other{{.workers = 1}, options};
  shutdown.about(other);
  options.on_state = [&](State state, const Status&) {
    if (state == State::ready) shutdown();
  };
  const RedisBus bus{{.workers = 1}, options};
  REQUIRE(shutdown.done());
  REQUIRE(shutdown.was_complete());
}
