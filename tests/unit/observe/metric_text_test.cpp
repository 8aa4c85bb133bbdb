// SPDX-License-Identifier: MIT
#include <gossip/observe/metric_text.hpp>

#include "support/prometheus_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>

namespace {

using gossip::detail::MetricText;
using gossip::test::PrometheusText;

TEST_CASE("MetricText: a metric with and without labels", "[metrics]") {
  MetricText text{"app"};
  text.begin("events_total", "counter", "Events.");
  text.add({}, 7);
  text.add({{"bus", "a"}, {"", "left out"}, {"type", "b"}}, 18446744073709551615U);
  text.begin("depth", "gauge", "Depth.");
  text.add({{"", ""}}, 0);
  CHECK(text.text() ==
        "# HELP app_events_total Events.\n"
        "# TYPE app_events_total counter\n"
        "app_events_total 7\n"
        "app_events_total{bus=\"a\",type=\"b\"} 18446744073709551615\n"
        "# HELP app_depth Depth.\n"
        "# TYPE app_depth gauge\n"
        "app_depth 0\n");
  CHECK(PrometheusText{text.text()}.at("app_events_total") == 7);
}

TEST_CASE("MetricText: values of labels are escaped, and are UTF-8", "[metrics]") {
  MetricText text{"a"};
  text.begin("x", "gauge", "X.");
  text.add({{"l", "say \"hi\"\\\n\xc3\xa4 \xff\xc3(\xed\xa0\x80"}}, 1);
  const PrometheusText read{text.text()};
  CHECK(
      read.has("a_x{l=\"say \\\"hi\\\"\\\\\\n\xc3\xa4 \xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd"
               "\xef\xbf\xbd\xef\xbf\xbd\"}"));
}

TEST_CASE("seconds_of: nanoseconds, exactly", "[metrics]") {
  using gossip::detail::seconds_of;
  CHECK(seconds_of(0) == "0");
  CHECK(seconds_of(1) == "0.000000001");
  CHECK(seconds_of(1024) == "0.000001024");
  CHECK(seconds_of(1'000'000'000) == "1");
  CHECK(seconds_of(10'500'000'000) == "10.5");
  CHECK(seconds_of(100'000'000) == "0.1");
}

TEST_CASE("MetricText: the reader of these tests refuses what is wrong", "[metrics]") {
  const auto refuses = [](const char* text) {
    try {
      const PrometheusText read{text};
    } catch (const std::runtime_error&) {
      return true;
    }
    return false;
  };
  const std::string begin = "# HELP a A.\n# TYPE a gauge\n";
  CHECK_FALSE(refuses((begin + "a 1\n").c_str()));
  CHECK_FALSE(refuses((begin + "a{b=\"\\\\\",c=\"d\"} 1.5e3\n").c_str()));
  for (const char* sample :
       {"a 1", "a\n", "a x\n", "b 1\n", "a 1\na 2\n", "a -1\n", "a{b=\"c} 1\n", "a{b=\"\\t\"} 1\n",
        "a{b=\"c\",b=\"d\"} 1\n", "a{} 1\n", "a{b=\"c\"}1\n", "\n", "# a\n", "a{1=\"c\"} 1\n",
        "# HELP a A.\n", "# TYPE a gauge\n", "# HELP b B.\n# TYPE b counter\n", "a_sum 1\n"}) {
    INFO(sample);
    CHECK(refuses((begin + sample).c_str()));
  }
  const std::string histogram = "# HELP h H.\n# TYPE h histogram\n";
  CHECK_FALSE(refuses((histogram + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\n"
                                   "h_count 2\n")
                          .c_str()));
  for (const char* samples :
       {"h_bucket{le=\"1\"} 1\nh_sum 3\nh_count 1\n",
        "h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
        "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
        "h_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 1\n", "h_bucket{le=\"+Inf\"} 2\nh_count 2\n",
        "h_bucket 2\nh_sum 3\nh_count 2\n", "h 2\n"}) {
    INFO(samples);
    bool refused = false;
    try {
      refused = refuses((histogram + samples).c_str());
    } catch (const std::out_of_range&) {
      refused = true;
    }
    CHECK(refused);
  }
}

}  // namespace
