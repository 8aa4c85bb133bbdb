// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// MetricGroups: metrics per event type and per subscription, of bounded number. Layer: observe.

#include <gossip/core/text.hpp>
#include <gossip/dispatch/histogram.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/observe/metric_text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip {

/// The statistics of one of several buses. Refers to what it was given.
struct BusStatistics {
  std::string_view bus;          ///< value of the label `bus`; empty for no such label
  const Statistics& statistics;  ///< EventBus::stats()
};

namespace detail {

/// What several event types, or subscriptions, with the same labels have counted together.
struct MetricGroup {
  std::string_view event_type;
  std::string_view subscription;
  std::uint64_t first = 0;   ///< dispatched, or delivered
  std::uint64_t second = 0;  ///< not handled, or failed
  Histogram times = {};      ///< waited, or took
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
      return groups_.emplace_back(MetricGroup{event_type, subscription, 0, 0, {}});
    }
    if (MetricGroup* found = find(other, other)) return *found;
    return groups_.emplace_back(MetricGroup{other, other, 0, 0, {}});
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
    group.times += type.waited;
  }
  return groups;
}

inline MetricGroups groups_by_subscription(const Statistics& statistics, std::size_t limit) {
  MetricGroups groups{limit};
  for (const SubscriptionStatistics& subscription : statistics.subscriptions) {
    MetricGroup& group = groups.at(subscription.event_type, subscription.name);
    group.first += subscription.delivered;
    group.second += subscription.failed;
    group.times += subscription.took;
  }
  return groups;
}

/// Adds a histogram. The bounds are powers of two of nanoseconds, at which buckets of Histogram end; what
/// takes exactly a bound counts to the next one, which no clock tells.
inline void add_histogram(MetricText& text, const MetricLabel (&labels)[3],
                          const Histogram& histogram) {
  constexpr unsigned first = 10;  // 2^10 ns, 1 us
  constexpr unsigned last = 34;   // 2^34 ns, 17 s
  for (unsigned power = first; power <= last; ++power) {
    const std::string bound = seconds_of(std::uint64_t{1} << power);
    text.add({labels[0], labels[1], labels[2], {"le", bound}},
             Decimal{histogram.count_below_power(power)}, "_bucket");
  }
  text.add({labels[0], labels[1], labels[2], {"le", "+Inf"}}, Decimal{histogram.count()},
           "_bucket");
  text.add({labels[0], labels[1], labels[2]},
           seconds_of(static_cast<std::uint64_t>(histogram.sum().count())), "_sum");
  text.add({labels[0], labels[1], labels[2]}, Decimal{histogram.count()}, "_count");
}

/// The label that tells one bus from others, if there are any.
inline MetricLabel bus_label(const BusStatistics& bus) noexcept {
  return {bus.bus.empty() ? "" : "bus", bus.bus};
}

/// What is known of event types and of subscriptions, of one bus after the other.
class GroupedMetrics {
 public:
  GroupedMetrics(std::span<const BusStatistics> buses, std::size_t limit) : buses_{buses} {
    for (const BusStatistics& bus : buses) {
      types_.push_back(groups_by_type(bus.statistics, limit));
      subscriptions_.push_back(groups_by_subscription(bus.statistics, limit));
    }
  }

  void write(MetricText& text) const {
    text.begin("type_events_dispatched_total", "counter",
               "Events handed to the processors of their type.");
    each(types_, [&](const MetricLabel& bus, const MetricGroup& group) {
      text.add({bus, {"event_type", group.event_type}}, group.first);
    });
    text.begin("type_events_not_handled_total", "counter",
               "Events rejected, dropped or abandoned, by type.");
    each(types_, [&](const MetricLabel& bus, const MetricGroup& group) {
      text.add({bus, {"event_type", group.event_type}}, group.second);
    });
    text.begin("subscription_calls_total", "counter",
               "Calls of the processors of subscriptions that exist, by outcome.");
    each(subscriptions_, [&](const MetricLabel& bus, const MetricGroup& group) {
      const MetricLabel type{"event_type", group.event_type};
      const MetricLabel name{"subscription", group.subscription};
      text.add({bus, type, name, {"outcome", "ok"}}, group.first);
      text.add({bus, type, name, {"outcome", "failed"}}, group.second);
    });
    write_times(text);
  }

 private:
  /// Only of what has been measured: most buses measure nothing.
  void write_times(MetricText& text) const {
    bool begun = false;
    each(types_, [&](const MetricLabel& bus, const MetricGroup& group) {
      if (group.times.count() == 0) return;
      if (!std::exchange(begun, true)) {
        text.begin("event_wait_seconds", "histogram",
                   "Time from an event's time stamp to the beginning of its first call.");
      }
      add_histogram(text, {bus, {"event_type", group.event_type}, {}}, group.times);
    });
    begun = false;
    each(subscriptions_, [&](const MetricLabel& bus, const MetricGroup& group) {
      if (group.times.count() == 0) return;
      if (!std::exchange(begun, true)) {
        text.begin("call_duration_seconds", "histogram", "Duration of calls of processors.");
      }
      add_histogram(text,
                    {bus, {"event_type", group.event_type}, {"subscription", group.subscription}},
                    group.times);
    });
  }

  template <class Visit>
  void each(const std::vector<MetricGroups>& groups, Visit&& visit) const {
    for (std::size_t i = 0; i < buses_.size(); ++i) {
      for (const MetricGroup& group : groups[i]) visit(bus_label(buses_[i]), group);
    }
  }

  std::span<const BusStatistics> buses_;
  std::vector<MetricGroups> types_;
  std::vector<MetricGroups> subscriptions_;
};

}  // namespace detail
}  // namespace gossip
