// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The statistics of Redis providers as a page that Prometheus reads. Layer: redis.

#include <gossip/core/text.hpp>
#include <gossip/observe/metric_text.hpp>
#include <gossip/observe/prometheus.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/provider.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gossip::redis {

/// The statistics of one of several providers. Refers to what it was given.
struct ProviderStatistics {
  std::string_view bus;               ///< value of the label `bus`; empty for no such label
  const RedisStatistics& statistics;  ///< EventBus::provider_statistics()
};

/// One number of a provider. For use by gossip.
struct ProviderMetric {
  const char* name;                                          ///< without the prefix
  const char* kind;                                          ///< counter or gauge
  const char* help;                                          ///< one line
  std::uint64_t (*read)(const RedisStatistics& statistics);  ///< the number
};

/// All of them, but for those of streams. For use by gossip.
inline constexpr ProviderMetric provider_metrics[] = {
    {"redis_writer_events_accepted_total", "counter", "Events taken over from publishers.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.writer.accepted; }},
    {"redis_writer_events_confirmed_total", "counter", "Events confirmed by the server.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.writer.published; }},
    {"redis_writer_events_failed_total", "counter", "Events refused, or unanswered at the end.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.writer.failed; }},
    {"redis_writer_events_rejected_total", "counter", "Events not taken over: too many waited.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.writer.rejected; }},
    {"redis_writer_events_sent_again_total", "counter", "Events sent again on a new connection.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.writer.sent_again; }},
    {"redis_writer_reconnects_total", "counter", "Connections after the first.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.writer.reconnects; }},
    {"redis_writer_events_waiting", "gauge", "Events taken over and not yet confirmed.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.writer.waiting; }},
    {"redis_reader_events_received_total", "counter", "Events put into the bus's queue.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.received; }},
    {"redis_reader_events_duplicate_total", "counter", "Events recognised as known and dropped.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.duplicates; }},
    {"redis_reader_events_acknowledged_total", "counter", "Events told to the server as done.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.acknowledged; }},
    {"redis_reader_events_not_handled_total", "counter", "Events left to be claimed.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.not_handled; }},
    {"redis_reader_events_claimed_total", "counter", "Events taken over from silent consumers.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.claimed; }},
    {"redis_reader_events_dead_lettered_total", "counter",
     "Events that cannot be decoded, or were delivered too often.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.dead_lettered; }},
    {"redis_reader_events_trimmed_total", "counter", "Events gone before they were read.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.trimmed; }},
    {"redis_reader_events_dropped_total", "counter", "Events for which the bus had no room.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.dropped; }},
    {"redis_reader_gaps_total", "counter", "Reports that events may have been missed.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.gaps; }},
    {"redis_reader_events_in_flight", "gauge", "Events in the bus that are not settled.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.reader.in_flight; }},
    {"redis_sent_bytes_total", "counter", "Bytes sent to the server, without what TLS adds.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.traffic.sent; }},
    {"redis_received_bytes_total", "counter", "Bytes received, without what TLS adds.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.traffic.received; }},
    {"redis_round_trips_total", "counter", "Times that something was sent and then answered.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.traffic.round_trips; }},
    {"redis_connects_total", "counter", "Connections of writer and reader that could be used.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.traffic.connects; }},
    {"redis_reconnects_total", "counter", "Of these, those after the first of each.",
     [](const RedisStatistics& s) -> std::uint64_t { return s.traffic.reconnects; }},
};

/// The statistics of providers, in the Prometheus text format: what the page of their buses
/// (gossip::to_prometheus) does not tell. The two may stand one behind the other.
/// Where there are several providers, each has a `bus` of its own.
/// @param options    as for gossip::to_prometheus; of max_series streams each has samples of its own,
///                   the rest have none
/// @return           the text; ends with a line feed
/// @throws           std::invalid_argument: an option is out of range; std::bad_alloc
/// @par Blocking       never
/// @par Thread safety  any thread
/// @{
[[nodiscard]] inline std::string to_prometheus(std::span<const ProviderStatistics> providers,
                                               const PrometheusOptions& options = {}) {
  using gossip::detail::MetricLabel;
  gossip::detail::MetricText text{gossip::detail::checked(options).prefix};
  const auto label = [](const ProviderStatistics& provider) -> MetricLabel {
    return {provider.bus.empty() ? "" : "bus", provider.bus};
  };
  for (const ProviderMetric& metric : provider_metrics) {
    text.begin(metric.name, metric.kind, metric.help);
    for (const ProviderStatistics& provider : providers) {
      text.add({label(provider)}, metric.read(provider.statistics));
    }
  }
  const auto streams = [&](const char* name, const char* help, const auto& add) {
    text.begin(name, "gauge", help);
    for (const ProviderStatistics& provider : providers) {
      const std::vector<StreamStatistics>& all = provider.statistics.streams;
      for (std::size_t i = 0; i < std::min(all.size(), options.max_series); ++i) {
        const MetricLabel type{"event_type", all[i].event_type};
        add(all[i], [&](std::uint64_t number) { text.add({label(provider), type}, number); });
      }
    }
  };
  streams("redis_stream_events", "Events in the stream.",
          [](const StreamStatistics& stream, const auto& add) { add(stream.length); });
  streams("redis_stream_lag_events", "Events published and not yet read, where that is known.",
          [](const StreamStatistics& stream, const auto& add) {
            if (stream.lag) add(*stream.lag);
          });
  streams("redis_stream_pending_events", "Events read and not yet acknowledged.",
          [](const StreamStatistics& stream, const auto& add) { add(stream.pending); });
  return text.take();
}
[[nodiscard]] inline std::string to_prometheus(const RedisStatistics& statistics,
                                               const PrometheusOptions& options = {}) {
  const ProviderStatistics only{{}, statistics};
  return to_prometheus(std::span{&only, 1}, options);
}
/// @}

}  // namespace gossip::redis
