// SPDX-License-Identifier: MIT
// Entries of somebody else's that are larger than a reader takes: they are passed, and told of.
#include <gossip/redis.hpp>

#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

using gossip::redis::RedisOptions;
using gossip::redis::StartAt;
using gossip::test::all_acknowledged;
using gossip::test::eventually;
using gossip::test::in_group;
using gossip::test::OnServer;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::publish;
using gossip::test::RedisServer;
using namespace std::chrono_literals;

namespace {

/// How an entry can be too large.
enum class Shape { one_text, text_behind_event, several_texts, countless_texts };

RedisOptions small(RedisOptions options) {
  options.maximum_payload = 64U << 10U;
  options.read_count = 8;
  options.start_at = StartAt::beginning;
  options.health_interval = 1h;  // it looks at the stream's first entry
  return options;
}

/// Adds an entry of some MiB. @return its id
std::string add_oversized(const RedisServer& server, Shape shape) {
  std::vector<std::string> words{"XADD", "order.placed", "*"};
  const auto add = [&](std::size_t times, std::size_t size) {
    for (std::size_t i = 0; i < times; ++i) {
      words.emplace_back("data");
      words.emplace_back(size, 'x');
    }
  };
  if (shape == Shape::text_behind_event) {
    for (const char* word : {"id", "1", "type", "order.placed", "data", "{}"})
      words.emplace_back(word);
  }
  if (shape == Shape::several_texts) add(60, 50U << 10U);
  if (shape == Shape::countless_texts) add(600'000, 0);
  if (shape == Shape::one_text || shape == Shape::text_behind_event) add(1, 3U << 20U);
  return server.ask(words);
}

}  // namespace

TEST_CASE_METHOD(OnServer, "failure: oversized entry: a reader without a group goes on behind it",
                 "[redis][failure]") {
  const auto shape = GENERATE(Shape::one_text, Shape::text_behind_event, Shape::several_texts,
                              Shape::countless_texts);
  CAPTURE(static_cast<int>(shape));
  REQUIRE(publish(server, 0, 3));
  const std::string id = add_oversized(server, shape);
  REQUIRE(publish(server, 3, 6));
  auto& bus = listen(small(server.options()));
  REQUIRE(handled.wait_for(6));
  REQUIRE(handled.total() == 6);
  REQUIRE(told.count("undecodable order.placed: ") == 1);
  REQUIRE(told.count(id + " is too large") == 1);
  REQUIRE(told.count("gap") == 0);
  const auto statistics = bus.provider_statistics();
  REQUIRE(statistics.reader.dead_lettered == 1);
  REQUIRE(statistics.traffic.connects == 2);
  REQUIRE(statistics.traffic.reconnects == 0);
}

TEST_CASE_METHOD(OnServer,
                 "failure: oversized entry: a reader knows its place when that was the last",
                 "[redis][failure]") {
  const auto shape = GENERATE(Shape::one_text, Shape::several_texts);
  auto options = small(server.options());
  options.start_at = GENERATE(StartAt::beginning, StartAt::now);
  CAPTURE(static_cast<int>(shape), static_cast<int>(options.start_at));
  add_oversized(server, shape);
  auto& bus = listen(options);
  if (options.start_at == StartAt::beginning) REQUIRE(told.wait_for("too large"));
  REQUIRE(told.ready());
  static_cast<void>(server.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}));
  REQUIRE(eventually([&] { return bus.provider_statistics().traffic.connects == 4; }));
  REQUIRE(publish(bus, 0, 3));
  REQUIRE(handled.wait_for(3));
  REQUIRE(handled.total() == 3);
  REQUIRE(told.count("gap") == 0);
  REQUIRE(told.count("too large") == (options.start_at == StartAt::beginning ? 1 : 0));
  REQUIRE(bus.provider_statistics().traffic.connects == 4);
}

TEST_CASE_METHOD(OnServer, "failure: oversized entry: a group buries it without its fields",
                 "[redis][failure]") {
  const auto shape = GENERATE(Shape::one_text, Shape::text_behind_event, Shape::several_texts,
                              Shape::countless_texts);
  const bool claimed = GENERATE(false, true);
  CAPTURE(static_cast<int>(shape), claimed);
  auto options = small(in_group(server));
  options.claim_after = claimed ? 100ms : 10'000ms;
  REQUIRE(publish(server, 0, 3));
  const std::string id = add_oversized(server, shape);
  if (claimed) {  // all of it is held by somebody who is gone
    static_cast<void>(server.ask({"XGROUP", "CREATE", "order.placed", "workers", "0"}));
    static_cast<void>(
        server.ask({"XREADGROUP", "GROUP", "workers", "gone", "STREAMS", "order.placed", ">"}));
  }
  REQUIRE(publish(server, 3, 6));
  auto& bus = listen(options);
  REQUIRE(handled.wait_for(6));
  REQUIRE(eventually([&] { return bus.provider_statistics().reader.dead_lettered == 1; }));
  REQUIRE(all_acknowledged(server));
  REQUIRE(handled.total() == 6);
  const std::string grave = server.ask({"XRANGE", "order.placed.dead", "-", "+"});
  const std::string deliveries = claimed ? "2" : "1";
  REQUIRE(grave.find(" dead-id " + id + " dead-reason ") != std::string::npos);
  REQUIRE(grave.find(id + " is too large") != std::string::npos);
  REQUIRE(grave.substr(grave.find(" dead-deliveries ")) == " dead-deliveries " + deliveries);
  REQUIRE(server.ask({"XLEN", "order.placed.dead"}) == "1");
  REQUIRE(bus.provider_statistics().traffic.connects == 2);
}
