// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/observe/prometheus.hpp>

#include "support/prometheus_text.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using gossip::BusStatistics;
using gossip::EventBus;
using gossip::EventType;
using gossip::PrometheusOptions;
using gossip::Statistics;
using gossip::Status;
using gossip::to_prometheus;
using gossip::test::PrometheusText;

constexpr EventType<int> created{"user.created"};
constexpr EventType<int> deleted{"user.deleted"};

TEST_CASE("to_prometheus: what a bus has done", "[prometheus]") {
  EventBus bus{{.workers = 1, .capacity = 64}};
  const auto a = bus.subscribe(created, [](int) {}, {.name = "welcome"});
  const auto b = bus.subscribe(
      created, [](int i) -> Status { return i == 0 ? Status{} : gossip::Errc::timeout; },
      {.name = "say \"hi\""});
  for (int i = 0; i < 3; ++i) REQUIRE(bus.publish(created, i).ok());
  REQUIRE(bus.publish(deleted, 1).ok());
  REQUIRE(bus.drain());
  const PrometheusText page{to_prometheus(bus.stats())};
  CHECK(page.at("gossip_events_published_total") == 4);
  CHECK(page.at("gossip_events_handled_total") == 4);
  CHECK(page.at("gossip_events_unmatched_total") == 1);
  CHECK(page.at("gossip_calls_total{outcome=\"ok\"}") == 4);
  CHECK(page.at("gossip_calls_total{outcome=\"failed\"}") == 2);
  CHECK(page.at("gossip_queue_events") == 0);
  CHECK(page.at("gossip_queue_capacity_events") == 64);
  CHECK(page.at("gossip_workers") == 1);
  CHECK(page.at("gossip_type_events_dispatched_total{event_type=\"user.created\"}") == 3);
  CHECK(page.at("gossip_type_events_dispatched_total{event_type=\"user.deleted\"}") == 1);
  const std::string of =
      "gossip_subscription_calls_total{event_type=\"user.created\",subscription=";
  CHECK(page.at(of + "\"welcome\",outcome=\"ok\"}") == 3);
  CHECK(page.at(of + "\"welcome\",outcome=\"failed\"}") == 0);
  CHECK(page.at(of + "\"say \\\"hi\\\"\",outcome=\"failed\"}") == 2);
}

TEST_CASE("to_prometheus: what is beyond max_series is summed as other", "[prometheus]") {
  Statistics statistics;
  const std::vector<std::string> names{"a", "b", "other", "c", "d"};
  for (const std::string& name : names) {
    statistics.types.push_back({.event_type = name, .dispatched = 10, .not_handled = 1});
    statistics.subscriptions.push_back(
        {.id = {}, .name = "x", .event_type = name, .delivered = 10, .failed = 1});
  }
  statistics.subscriptions.push_back({.id = {}, .name = "x", .event_type = "a", .delivered = 5});
  const auto type = [](const char* name) {
    return std::string{"gossip_type_events_dispatched_total{event_type=\""}.append(name) + "\"}";
  };
  SECTION("fewer than there are") {
    const PrometheusText page{to_prometheus(statistics, {.max_series = 2})};
    CHECK(page.count("gossip_type_events_dispatched_total") == 3);
    CHECK(page.at(type("a")) == 10);
    CHECK(page.at(type("b")) == 10);
    CHECK(page.at(type("other")) == 30);
    const std::string of = "gossip_subscription_calls_total{event_type=";
    CHECK(page.count(of) == 6);
    CHECK(page.at(of + "\"a\",subscription=\"x\",outcome=\"ok\"}") == 15);
    CHECK(page.at(of + "\"other\",subscription=\"other\",outcome=\"ok\"}") == 30);
    CHECK(page.at(of + "\"other\",subscription=\"other\",outcome=\"failed\"}") == 3);
  }
  SECTION("a type of that name is among the first") {
    const PrometheusText page{to_prometheus(statistics, {.max_series = 3})};
    CHECK(page.count("gossip_type_events_dispatched_total") == 3);
    CHECK(page.at(type("other")) == 30);
  }
  SECTION("as many as there are") {
    const PrometheusText page{to_prometheus(statistics, {.max_series = 5})};
    CHECK(page.count("gossip_type_events_dispatched_total") == 5);
    CHECK(page.at(type("other")) == 10);
  }
}

TEST_CASE("to_prometheus: several buses on one page", "[prometheus]") {
  Statistics orders;
  orders.published = 1;
  orders.types.push_back({.event_type = "a", .dispatched = 2});
  Statistics users;
  users.published = 3;
  users.types.push_back({.event_type = "a", .dispatched = 4});
  const BusStatistics buses[] = {{"orders", orders}, {"users", users}};
  const PrometheusText page{to_prometheus(buses)};
  CHECK(page.at("gossip_events_published_total{bus=\"orders\"}") == 1);
  CHECK(page.at("gossip_events_published_total{bus=\"users\"}") == 3);
  CHECK(page.at("gossip_events_refused_total{bus=\"users\",reason=\"closed\"}") == 0);
  CHECK(page.at("gossip_type_events_dispatched_total{bus=\"users\",event_type=\"a\"}") == 4);
}

TEST_CASE("write_prometheus: writes the same to a stream", "[prometheus]") {
  Statistics statistics;
  statistics.published = 5;
  std::ostringstream out;
  write_prometheus(out, statistics, {.prefix = "x"});
  CHECK(out.str() == to_prometheus(statistics, {.prefix = "x"}));
}

TEST_CASE("PrometheusOptions: what is out of range is refused by name", "[prometheus]") {
  CHECK(validate(PrometheusOptions{}).ok());
  CHECK(validate(PrometheusOptions{.prefix = "a_B9"}).ok());
  const auto message = [](const PrometheusOptions& options) {
    return std::string{validate(options).error()->message()};
  };
  CHECK(message({.prefix = "9a"}) ==
        "prefix is '9a'; allowed: letters, digits and underscores, no digit first");
  for (const char* prefix : {"", "a-b", "a b", "a{", "\xc3\xa4"}) {
    CHECK_FALSE(validate(PrometheusOptions{.prefix = prefix}).ok());
  }
  CHECK(message({.max_series = 0}) == "max_series is 0; allowed: 1 to 100000");
  CHECK_FALSE(validate(PrometheusOptions{.max_series = 100'001}).ok());
  CHECK_THROWS_MATCHES(
      to_prometheus(Statistics{}, {.prefix = ""}), std::invalid_argument,
      Catch::Matchers::Message("PrometheusOptions: prefix is ''; allowed: letters, digits and "
                               "underscores, no digit first"));
}

}  // namespace
