// SPDX-License-Identifier: MIT
// Readers of streams that fall behind: what is told of them before it is too late, and after.
#include <gossip/redis.hpp>

#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

using gossip::redis::RedisOptions;
using gossip::redis::StreamStatistics;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::Handled;
using gossip::test::OnServer;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::publish;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::test::Told;
using namespace std::chrono_literals;

namespace {

RedisOptions often_looking(const RedisServer& server) {
  auto options = server.options();
  options.group = "workers";
  options.health_interval = 20ms;
  options.max_in_flight = 10;
  return options;
}
/// What is known of the only stream; nothing yet: all zero.
StreamStatistics known(const RedisBus& bus) {
  const auto streams = bus.provider_statistics().streams;
  return streams.empty() ? StreamStatistics{} : streams.at(0);
}

}  // namespace

TEST_CASE("failure: stream trimmed under us: lag and pending are told, and warned of in time",
          "[redis][failure]") {
  RedisServer server;
  auto options = often_looking(server);
  options.stream_max_length = 100;
  std::atomic<int> warnings{0};
  std::atomic<std::size_t> warned_of{0};
  options.on_lag = [&](const StreamStatistics& stream) {
    warned_of = stream.lag.value_or(0);
    ++warnings;
  };
  Door go_on;
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& order) {
    go_on.wait();
    handled.add(order);
  });
  REQUIRE(publish(bus, 0, 60));
  REQUIRE(eventually([&] { return known(bus).lag == 50U && known(bus).pending == 10; }));
  REQUIRE(known(bus).event_type == "order.placed");
  REQUIRE(known(bus).length == 60);
  REQUIRE(warnings == 0);
  REQUIRE(publish(bus, 60, 95));
  REQUIRE(eventually([&] { return warnings.load() == 1; }));
  REQUIRE(warned_of >= 80);
  go_on.open();
  REQUIRE(handled.wait_for(95));
  REQUIRE(eventually([&] { return known(bus).lag == 0U && known(bus).pending == 0; }));
  REQUIRE(warnings == 1);
}

TEST_CASE("failure: stream trimmed under us: what nobody had read is counted as lost",
          "[redis][failure]") {
  RedisServer server;
  Told told;
  auto options = often_looking(server);
  told.listen(options);
  Door go_on;
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& order) {
    go_on.wait();
    handled.add(order);
  });
  REQUIRE(publish(bus, 0, 60));
  REQUIRE(eventually([&] { return known(bus).length == 60 && known(bus).pending == 10; }));
  // 10 are held, of which none is left; of the other 50 there are 20.
  REQUIRE(server.ask({"XTRIM", "order.placed", "MAXLEN", "20"}) == "40");
  REQUIRE(told.wait_for("gap: trimmed before they were read"));
  REQUIRE(bus.provider_statistics().reader.trimmed == 30);
  go_on.open();
  REQUIRE(handled.wait_for(30));
  REQUIRE(eventually([&] { return known(bus).lag == 0U; }));
  REQUIRE(publish(bus, 60, 70));
  REQUIRE(handled.wait_for(40));
  REQUIRE(handled.total() == 40);
  REQUIRE(told.count("gap: ") == 1);
}

TEST_CASE_METHOD(OnServer,
                 "failure: stream trimmed under us: where we may not look, nothing is said of it",
                 "[redis][failure]") {
  REQUIRE(server.ask({"ACL", "SETUSER", "default", "-xinfo"}) == "OK");
  RedisBus& bus = listen(often_looking(server));
  REQUIRE(publish(bus, 0, 10));
  REQUIRE(handled.wait_for(10));
  REQUIRE(eventually([&] {
    return server.ask({"ACL", "LOG"}).find("xinfo") != std::string::npos;
  }));
  REQUIRE(bus.provider_statistics().streams.empty());
  REQUIRE(told.count("degraded") == 0);
}
