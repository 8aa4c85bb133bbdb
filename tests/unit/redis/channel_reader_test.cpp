// SPDX-License-Identifier: MIT
#include <gossip/redis/channel_reader.hpp>

#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using gossip::test::by_channel;
using gossip::test::Handled;
using gossip::test::listened_to;
using gossip::test::OnServer;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::publish;
using gossip::test::RedisBus;
using gossip::test::RedisServer;

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
