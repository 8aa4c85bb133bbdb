// SPDX-License-Identifier: MIT
#include <gossip/observe/bus_metrics.hpp>

#include "support/prometheus_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <span>
#include <string>

namespace {

using gossip::BusStatistics;
using gossip::Statistics;
using gossip::detail::MetricText;
using gossip::test::PrometheusText;

TEST_CASE("add_bus_metrics: every number of the statistics has its own sample", "[prometheus]") {
  Statistics statistics;
  statistics.published = 1;
  statistics.handled = 2;
  statistics.unmatched = 3;
  statistics.delivered = 4;
  statistics.failed = 5;
  statistics.rejected = 6;
  statistics.refused_closed = 7;
  statistics.dropped_oldest = 8;
  statistics.dropped_newest = 9;
  statistics.abandoned = 10;
  statistics.deferred = 11;
  statistics.deferred_dropped = 12;
  statistics.deferred_waiting = 13;
  statistics.scheduled = 14;
  statistics.scheduled_fired = 15;
  statistics.scheduled_cancelled = 16;
  statistics.scheduled_dropped = 17;
  statistics.scheduled_waiting = 18;
  statistics.scheduled_refused = 19;
  statistics.scheduled_failed = 20;
  statistics.scheduled_skipped = 21;
  statistics.handler_failures = 22;
  statistics.depth = 23;
  statistics.in_flight = 24;
  statistics.capacity = 25;
  statistics.workers = 26;
  statistics.lanes.accepted = 27;
  statistics.lanes.handled = 28;
  statistics.lanes.dropped_oldest = 29;
  statistics.lanes.coalesced = 30;
  statistics.lanes.unsubscribed = 31;
  statistics.lanes.abandoned = 32;
  statistics.lanes.dropped_newest = 33;
  statistics.lanes.rejected = 34;
  statistics.lanes.waiting = 35;
  statistics.lanes.in_flight = 36;
  statistics.lanes.capacity = 37;
  statistics.stalled = 38;
  statistics.refused_invalid = 39;
  const BusStatistics only{{}, statistics};
  MetricText text{"app"};
  add_bus_metrics(text, std::span{&only, 1});
  const PrometheusText page{text.text()};
  CHECK(page.count("") == 39);
  int expected = 0;
  for (const char* sample : {"events_published_total",
                             "events_handled_total",
                             "events_unmatched_total",
                             "calls_total{outcome=\"ok\"}",
                             "calls_total{outcome=\"failed\"}",
                             "events_refused_total{reason=\"queue_full\"}",
                             "events_refused_total{reason=\"closed\"}",
                             "events_dropped_total{reason=\"drop_oldest\"}",
                             "events_refused_total{reason=\"drop_newest\"}",
                             "events_dropped_total{reason=\"abandoned\"}",
                             "calls_total{outcome=\"deferred\"}",
                             "attempts_dropped_total",
                             "attempts_waiting",
                             "schedules_total",
                             "schedules_ended_total{how=\"fired\"}",
                             "schedules_ended_total{how=\"cancelled\"}",
                             "schedules_ended_total{how=\"dropped\"}",
                             "schedules_waiting",
                             "schedules_refused_total",
                             "scheduled_events_lost_total{reason=\"failed\"}",
                             "scheduled_events_lost_total{reason=\"late\"}",
                             "error_handler_failures_total",
                             "queue_events",
                             "events_in_flight",
                             "queue_capacity_events",
                             "workers",
                             "lane_events_accepted_total",
                             "lane_events_handled_total",
                             "lane_events_dropped_total{reason=\"drop_oldest\"}",
                             "lane_events_dropped_total{reason=\"coalesced\"}",
                             "lane_events_dropped_total{reason=\"unsubscribed\"}",
                             "lane_events_dropped_total{reason=\"abandoned\"}",
                             "lane_events_refused_total{reason=\"drop_newest\"}",
                             "lane_events_refused_total{reason=\"lane_full\"}",
                             "lane_events_waiting",
                             "lane_events_in_flight",
                             "lane_capacity_events",
                             "calls_stalled_total",
                             "events_refused_total{reason=\"invalid\"}"}) {
    INFO(sample);
    CHECK(page.at(std::string{"app_"}.append(sample)) == ++expected);
  }
}

}  // namespace
