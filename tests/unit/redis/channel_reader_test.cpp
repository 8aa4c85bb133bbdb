// SPDX-License-Identifier: MIT
#include <gossip/redis/channel_reader.hpp>

#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using gossip::redis::Delivery;
using gossip::redis::RedisOptions;
using gossip::test::eventually;
using gossip::test::Handled;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::test::Told;

namespace {

RedisOptions by_channel(const RedisServer& server) {
  auto options = server.options();
  options.delivery = Delivery::pub_sub;
  return options;
}

}  // namespace

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
  REQUIRE(eventually([&] {
    return server.ask({"PUBSUB", "NUMSUB", "order.placed"}) == "order.placed 2";
  }));
  for (int i = 0; i < 100; ++i) REQUIRE(first.publish(order_placed, Order{i, "ann"}).ok());
  REQUIRE(first_handled.wait_for(100));
  REQUIRE(second_handled.wait_for(100));
}

TEST_CASE("ChannelReader: a lost connection is made again, and the gap reported", "[redis]") {
  RedisServer server;
  Told told;
  auto options = by_channel(server);
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.ready());
  const auto subscription =
      bus.subscribe(order_placed, [&](const Order& order) { handled.add(order); });
  server.restart();
  REQUIRE(told.wait_for("gap: the connection was lost"));
  REQUIRE(gossip::test::eventually([&] {
    return server.ask({"PUBSUB", "NUMSUB", "order.placed"}) == "order.placed 1";
  }));
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
}

TEST_CASE("ChannelReader: a message that is no event is reported", "[redis]") {
  RedisServer server;
  Told told;
  auto options = by_channel(server);
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.ready());
  const auto subscription =
      bus.subscribe(order_placed, [&](const Order& order) { handled.add(order); });
  REQUIRE(gossip::test::eventually([&] {
    return server.ask({"PUBLISH", "order.placed", "nonsense"}) == "1";
  }));
  REQUIRE(told.wait_for("undecodable order.placed"));
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
}
