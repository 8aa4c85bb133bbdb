// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Prometheus: the statistics of buses as a page that Prometheus reads. Layer: observe.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/text.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/observe/bus_metrics.hpp>
#include <gossip/observe/metric_groups.hpp>
#include <gossip/observe/metric_text.hpp>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

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

namespace detail {

/// @throws std::invalid_argument
inline const PrometheusOptions& checked(const PrometheusOptions& options) {
  if (const Status status = validate(options); !status.ok()) {
    throw std::invalid_argument{join({"PrometheusOptions: ", status.error()->message()})};
  }
  return options;
}

}  // namespace detail

/// The statistics of buses, in the Prometheus text format. Serve it under prometheus_content_type.
/// What else your page tells may stand before or behind, if its metrics have other names: that of a
/// Redis provider, from gossip/redis/redis_metrics.hpp, say.
///
/// Example: examples/monitor/main.cpp.
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
  detail::add_bus_metrics(text, buses);
  detail::GroupedMetrics{buses, options.max_series}.write(text);
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
