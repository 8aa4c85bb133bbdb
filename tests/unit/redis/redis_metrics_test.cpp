// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/redis/redis_metrics.hpp>

#include "support/prometheus_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace {

using gossip::redis::ProviderStatistics;
using gossip::redis::RedisStatistics;
using gossip::redis::to_prometheus;
using gossip::test::PrometheusText;

RedisStatistics some() {
  RedisStatistics statistics;
  statistics.writer = {.accepted = 1,
                       .published = 2,
                       .failed = 3,
                       .rejected = 4,
                       .sent_again = 5,
                       .reconnects = 6,
                       .waiting = 7};
  statistics.reader.received = 8;
  statistics.reader.duplicates = 9;
  statistics.reader.acknowledged = 10;
  statistics.reader.not_handled = 11;
  statistics.reader.claimed = 12;
  statistics.reader.dead_lettered = 13;
  statistics.reader.trimmed = 14;
  statistics.reader.dropped = 15;
  statistics.reader.gaps = 16;
  statistics.reader.in_flight = 17;
  statistics.traffic = {
      .sent = 18, .received = 19, .round_trips = 20, .connects = 21, .reconnects = 22};
  return statistics;
}

TEST_CASE("Redis metrics: every number has its own sample", "[prometheus]") {
  const PrometheusText page{to_prometheus(some(), {.prefix = "app"})};
  int expected = 0;
  for (const char* sample : {"writer_events_accepted_total",
                             "writer_events_confirmed_total",
                             "writer_events_failed_total",
                             "writer_events_rejected_total",
                             "writer_events_sent_again_total",
                             "writer_reconnects_total",
                             "writer_events_waiting",
                             "reader_events_received_total",
                             "reader_events_duplicate_total",
                             "reader_events_acknowledged_total",
                             "reader_events_not_handled_total",
                             "reader_events_claimed_total",
                             "reader_events_dead_lettered_total",
                             "reader_events_trimmed_total",
                             "reader_events_dropped_total",
                             "reader_gaps_total",
                             "reader_events_in_flight",
                             "sent_bytes_total",
                             "received_bytes_total",
                             "round_trips_total",
                             "connects_total",
                             "reconnects_total"}) {
    INFO(sample);
    CHECK(page.at(std::string{"app_redis_"}.append(sample)) == ++expected);
  }
  CHECK(page.count("") == expected);
}

TEST_CASE("Redis metrics: streams, of bounded number, and a lag that is known", "[prometheus]") {
  RedisStatistics statistics;
  statistics.streams.push_back({.event_type = "a", .length = 5, .lag = 2, .pending = 1});
  statistics.streams.push_back({.event_type = "b", .length = 6, .lag = {}, .pending = 3});
  statistics.streams.push_back({.event_type = "c", .length = 7, .lag = 9, .pending = 4});
  const PrometheusText page{to_prometheus(statistics, {.max_series = 2})};
  CHECK(page.at("gossip_redis_stream_events{event_type=\"a\"}") == 5);
  CHECK(page.at("gossip_redis_stream_lag_events{event_type=\"a\"}") == 2);
  CHECK(page.at("gossip_redis_stream_pending_events{event_type=\"b\"}") == 3);
  CHECK_FALSE(page.has("gossip_redis_stream_lag_events{event_type=\"b\"}"));
  CHECK(page.count("gossip_redis_stream_events") == 2);
}

TEST_CASE("Redis metrics: several providers, and beside the page of their buses", "[prometheus]") {
  const RedisStatistics one = some();
  const RedisStatistics two;
  const ProviderStatistics providers[] = {{"one", one}, {"two", two}};
  const gossip::Statistics first;
  const gossip::Statistics second;
  const gossip::BusStatistics buses[] = {{"one", first}, {"two", second}};
  const PrometheusText page{gossip::to_prometheus(buses) + to_prometheus(providers)};
  CHECK(page.at("gossip_redis_writer_events_accepted_total{bus=\"one\"}") == 1);
  CHECK(page.at("gossip_redis_writer_events_accepted_total{bus=\"two\"}") == 0);
}

TEST_CASE("Redis metrics: a bus over Redis tells them", "[prometheus]") {
  using Bus = gossip::EventBus<gossip::redis::RedisProvider>;
  STATIC_REQUIRE(
      std::is_same_v<decltype(std::declval<const Bus&>().provider_statistics()), RedisStatistics>);
}

}  // namespace
