// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Prometheus: the statistics of buses as a page that Prometheus reads. Layer: observe.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/text.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/observe/metric_text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gossip {

/// The Content-Type under which to serve what to_prometheus() returns.
inline constexpr std::string_view prometheus_content_type =
    "text/plain; version=0.0.4; charset=utf-8";

/// What can be chosen for a page of metrics.
struct PrometheusOptions {
  /// Every name begins with it and an underscore; a letter or underscore, then those and digits.
  std::string prefix = "gossip";
  /// How many event types, and how many subscriptions, of one bus have samples of their own, 1 to
  /// 100,000: those that it met first. The rest are summed as "other". // label values
  std::size_t max_series = 200;
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const PrometheusOptions& options) {
  bool right = !options.prefix.empty();
  for (const char& c : options.prefix) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    right = right && (letter || (c >= '0' && c <= '9' && &c != options.prefix.data()));
  }
  if (!right) {
    return detail::refuse_option("prefix", detail::join({"'", options.prefix, "'"}),
                                 "letters, digits and underscores, no digit first");
  }
  if (options.max_series < 1 || options.max_series > 100'000) {
    return detail::refuse_option("max_series", detail::Decimal{options.max_series}, "1 to 100000");
  }
  return {};
}

/// The statistics of one of several buses. Refers to what it was given.
struct BusStatistics {
  std::string_view bus;          ///< value of the label `bus`; empty for no such label
  const Statistics& statistics;  ///< EventBus::stats()
};

namespace detail {

/// @throws std::invalid_argument
inline const PrometheusOptions& checked(const PrometheusOptions& options) {
  if (const Status status = validate(options); !status.ok()) {
    throw std::invalid_argument{join({"PrometheusOptions: ", status.error()->message()})};
  }
  return options;
}

/// One number of a bus.
struct BusMetric {
  const char* name;
  const char* kind;
  const char* help;  ///< null: a further sample of the metric before
  MetricLabel label;
  std::uint64_t (*read)(const Statistics&);
};

inline constexpr BusMetric bus_metrics[] = {
    {"events_published_total",
     "counter",
     "Events accepted into the queue.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.published; }},
    {"events_handled_total",
     "counter",
     "Events whose processors are all done.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.handled; }},
    {"events_unmatched_total",
     "counter",
     "Events dispatched when nobody was subscribed.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.unmatched; }},
    {"events_refused_total",
     "counter",
     "Events not accepted, by reason.",
     {"reason", "queue_full"},
     [](const Statistics& s) -> std::uint64_t { return s.rejected; }},
    {"",
     "",
     nullptr,
     {"reason", "drop_newest"},
     [](const Statistics& s) -> std::uint64_t { return s.dropped_newest; }},
    {"",
     "",
     nullptr,
     {"reason", "closed"},
     [](const Statistics& s) -> std::uint64_t { return s.refused_closed; }},
    {"events_dropped_total",
     "counter",
     "Events accepted and then not handled, by reason.",
     {"reason", "drop_oldest"},
     [](const Statistics& s) -> std::uint64_t { return s.dropped_oldest; }},
    {"",
     "",
     nullptr,
     {"reason", "abandoned"},
     [](const Statistics& s) -> std::uint64_t { return s.abandoned; }},
    {"calls_total",
     "counter",
     "Calls of processors, by outcome.",
     {"outcome", "ok"},
     [](const Statistics& s) -> std::uint64_t { return s.delivered; }},
    {"",
     "",
     nullptr,
     {"outcome", "failed"},
     [](const Statistics& s) -> std::uint64_t { return s.failed; }},
    {"",
     "",
     nullptr,
     {"outcome", "deferred"},
     [](const Statistics& s) -> std::uint64_t { return s.deferred; }},
    {"attempts_dropped_total",
     "counter",
     "Further attempts arranged and never made.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.deferred_dropped; }},
    {"attempts_waiting",
     "gauge",
     "Further attempts still to be made.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.deferred_waiting; }},
    {"schedules_total",
     "counter",
     "Schedules accepted.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.scheduled; }},
    {"schedules_ended_total",
     "counter",
     "Schedules that have ended, by how.",
     {"how", "fired"},
     [](const Statistics& s) -> std::uint64_t { return s.scheduled_fired; }},
    {"",
     "",
     nullptr,
     {"how", "cancelled"},
     [](const Statistics& s) -> std::uint64_t { return s.scheduled_cancelled; }},
    {"",
     "",
     nullptr,
     {"how", "dropped"},
     [](const Statistics& s) -> std::uint64_t { return s.scheduled_dropped; }},
    {"schedules_refused_total",
     "counter",
     "Schedules refused: too many, or the bus was closed.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.scheduled_refused; }},
    {"schedules_waiting",
     "gauge",
     "Schedules still to be published.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.scheduled_waiting; }},
    {"scheduled_events_lost_total",
     "counter",
     "Scheduled events not published, by reason.",
     {"reason", "failed"},
     [](const Statistics& s) -> std::uint64_t { return s.scheduled_failed; }},
    {"",
     "",
     nullptr,
     {"reason", "late"},
     [](const Statistics& s) -> std::uint64_t { return s.scheduled_skipped; }},
    {"error_handler_failures_total",
     "counter",
     "Exceptions that left the error handler.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.handler_failures; }},
    {"queue_events",
     "gauge",
     "Events waiting in the queue.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.depth; }},
    {"queue_capacity_events",
     "gauge",
     "Events that the queue can hold.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.capacity; }},
    {"events_in_flight",
     "gauge",
     "Events being handled.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.in_flight; }},
    {"workers",
     "gauge",
     "Threads that run processors.",
     {},
     [](const Statistics& s) -> std::uint64_t { return s.workers; }},
};

/// What several event types, or subscriptions, with the same labels have counted together.
struct MetricGroup {
  std::string_view event_type;
  std::string_view subscription;
  std::uint64_t first = 0;   ///< dispatched, or delivered
  std::uint64_t second = 0;  ///< not handled, or failed
};

/// Groups with different labels, of bounded number.
class MetricGroups {
 public:
  explicit MetricGroups(std::size_t limit) noexcept : limit_{limit} {}

  /// The group with these labels; the one of the others once there are too many.
  /// @throws std::bad_alloc
  MetricGroup& at(std::string_view event_type, std::string_view subscription) {
    if (MetricGroup* found = find(event_type, subscription)) return *found;
    if (own_ < limit_) {
      ++own_;
      return groups_.emplace_back(MetricGroup{event_type, subscription});
    }
    if (MetricGroup* found = find(other, other)) return *found;
    return groups_.emplace_back(MetricGroup{other, other});
  }

  [[nodiscard]] auto begin() const noexcept { return groups_.begin(); }
  [[nodiscard]] auto end() const noexcept { return groups_.end(); }

 private:
  static constexpr std::string_view other = "other";

  MetricGroup* find(std::string_view event_type, std::string_view subscription) noexcept {
    const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const MetricGroup& group) {
      return group.event_type == event_type && group.subscription == subscription;
    });
    return found == groups_.end() ? nullptr : &*found;
  }

  std::size_t limit_;
  std::size_t own_ = 0;
  std::vector<MetricGroup> groups_;
};

inline MetricGroups groups_by_type(const Statistics& statistics, std::size_t limit) {
  MetricGroups groups{limit};
  for (const EventTypeStatistics& type : statistics.types) {
    MetricGroup& group = groups.at(type.event_type, "other");
    group.first += type.dispatched;
    group.second += type.not_handled;
  }
  return groups;
}

inline MetricGroups groups_by_subscription(const Statistics& statistics, std::size_t limit) {
  MetricGroups groups{limit};
  for (const SubscriptionStatistics& subscription : statistics.subscriptions) {
    MetricGroup& group = groups.at(subscription.event_type, subscription.name);
    group.first += subscription.delivered;
    group.second += subscription.failed;
  }
  return groups;
}

/// What is known of event types and subscriptions, bus after bus.
inline void add_groups(MetricText& text, std::span<const BusStatistics> buses, std::size_t limit) {
  const auto each = [&](auto* groups_of, const auto& visit) {
    for (const BusStatistics& bus : buses) {
      const MetricLabel of{bus.bus.empty() ? "" : "bus", bus.bus};
      for (const MetricGroup& group : groups_of(bus.statistics, limit)) visit(of, group);
    }
  };
  text.begin("type_events_dispatched_total", "counter",
             "Events handed to the processors of their type.");
  each(&groups_by_type, [&](const MetricLabel& of, const MetricGroup& group) {
    text.add({of, {"event_type", group.event_type}}, group.first);
  });
  text.begin("type_events_not_handled_total", "counter",
             "Events rejected, dropped or abandoned, by type.");
  each(&groups_by_type, [&](const MetricLabel& of, const MetricGroup& group) {
    text.add({of, {"event_type", group.event_type}}, group.second);
  });
  text.begin("subscription_calls_total", "counter",
             "Calls of the processors of subscriptions that exist, by outcome.");
  each(&groups_by_subscription, [&](const MetricLabel& of, const MetricGroup& group) {
    const MetricLabel type{"event_type", group.event_type};
    const MetricLabel name{"subscription", group.subscription};
    text.add({of, type, name, {"outcome", "ok"}}, group.first);
    text.add({of, type, name, {"outcome", "failed"}}, group.second);
  });
}

}  // namespace detail

/// The statistics of buses, in the Prometheus text format. Serve it under prometheus_content_type.
/// What else your page tells may stand before or behind, if its metrics have other names.
///
/// A subscription is told by its name and by what it is subscribed to; those that have both in common
/// are summed. One that ends takes its counts along, which Prometheus takes for a restart.
///
/// Several buses each have a `bus` of their own.
/// @return          the text; ends with a line feed
/// @throws          std::invalid_argument: an option is out of range; std::bad_alloc
/// @par Blocking       never
/// @par Thread safety  any thread
/// @par Complexity     linear in the numbers of types and of subscriptions, times
///                     PrometheusOptions::max_series
/// @{
[[nodiscard]] inline std::string to_prometheus(std::span<const BusStatistics> buses,
                                               const PrometheusOptions& options = {}) {
  detail::MetricText text{detail::checked(options).prefix};
  for (const detail::BusMetric* metric = std::begin(detail::bus_metrics);
       metric != std::end(detail::bus_metrics);) {
    const detail::BusMetric* const first = metric++;
    while (metric != std::end(detail::bus_metrics) && metric->help == nullptr) ++metric;
    text.begin(first->name, first->kind, first->help);
    for (const BusStatistics& bus : buses) {
      for (const detail::BusMetric* sample = first; sample != metric; ++sample) {
        text.add({{bus.bus.empty() ? "" : "bus", bus.bus}, sample->label},
                 sample->read(bus.statistics));
      }
    }
  }
  detail::add_groups(text, buses, options.max_series);
  return text.take();
}
[[nodiscard]] inline std::string to_prometheus(const Statistics& statistics,
                                               const PrometheusOptions& options = {}) {
  const BusStatistics only{{}, statistics};
  return to_prometheus(std::span{&only, 1}, options);
}
/// @}

/// Writes what to_prometheus() returns to a stream, or to anything with std::ostream's `write`.
template <class Out>
void write_prometheus(Out& out, const Statistics& statistics,
                      const PrometheusOptions& options = {}) {
  const std::string text = to_prometheus(statistics, options);
  out.write(text.data(), static_cast<std::ptrdiff_t>(text.size()));
}

}  // namespace gossip
