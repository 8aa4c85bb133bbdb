// SPDX-License-Identifier: MIT
#include <gossip/observe/metric_groups.hpp>

#include "support/prometheus_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <span>
#include <string>

namespace {

using gossip::BusStatistics;
using gossip::Statistics;
using gossip::detail::GroupedMetrics;
using gossip::detail::MetricText;
using gossip::test::PrometheusText;
using namespace std::chrono_literals;

PrometheusText write(const Statistics& statistics, std::size_t limit) {
  const BusStatistics only{{}, statistics};
  MetricText text{"g"};
  GroupedMetrics{std::span{&only, 1}, limit}.write(text);
  return PrometheusText{text.text()};
}

TEST_CASE("GroupedMetrics: histograms of what was measured, and of nothing else", "[metrics]") {
  Statistics statistics;
  statistics.types.push_back({.event_type = "a"});
  statistics.types.push_back({.event_type = "b"});
  statistics.subscriptions.push_back({.id = {}, .name = "x", .event_type = "a"});
  CHECK(write(statistics, 5).count("g_event_wait_seconds") == 0);
  CHECK(write(statistics, 5).count("g_call_duration_seconds") == 0);
  statistics.types[0].waited.add(500ns);
  statistics.types[0].waited.add(3us);
  statistics.types[0].waited.add(20s);
  statistics.subscriptions[0].took.add(1500ms);
  const PrometheusText page = write(statistics, 5);
  const std::string of = "{event_type=\"a\",le=\"";
  CHECK(page.count("g_event_wait_seconds_bucket") == 26);
  CHECK(page.at("g_event_wait_seconds_bucket" + of + "0.000001024\"}") == 1);
  CHECK(page.at("g_event_wait_seconds_bucket" + of + "0.000002048\"}") == 1);
  CHECK(page.at("g_event_wait_seconds_bucket" + of + "0.000004096\"}") == 2);
  CHECK(page.at("g_event_wait_seconds_bucket" + of + "17.179869184\"}") == 2);
  CHECK(page.at("g_event_wait_seconds_bucket" + of + "+Inf\"}") == 3);
  CHECK(page.at("g_event_wait_seconds_count{event_type=\"a\"}") == 3);
  CHECK(page.at("g_event_wait_seconds_sum{event_type=\"a\"}") == 20.0000035);
  CHECK(page.at("g_call_duration_seconds_sum{event_type=\"a\",subscription=\"x\"}") == 1.5);
}

TEST_CASE("GroupedMetrics: histograms are summed as the counters are", "[metrics]") {
  Statistics statistics;
  for (const char* type : {"a", "b", "c"}) {
    statistics.types.push_back({.event_type = type, .dispatched = 2});
    statistics.types.back().waited.add(1ms);
    statistics.types.back().waited.add(1ms);
  }
  const PrometheusText page = write(statistics, 1);
  CHECK(page.at("g_type_events_dispatched_total{event_type=\"other\"}") == 4);
  CHECK(page.at("g_event_wait_seconds_count{event_type=\"other\"}") == 4);
  CHECK(page.at("g_event_wait_seconds_sum{event_type=\"other\"}") == 0.004);
}

}  // namespace
