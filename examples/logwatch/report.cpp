// SPDX-License-Identifier: MIT
#include "events.hpp"
#include "report.hpp"
#include "tally.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <iomanip>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace logwatch {
namespace {

constexpr std::size_t rows_per_table = 8;
constexpr std::size_t most_alerts = 20;
constexpr int name_width = 32;
constexpr int number_width = 10;
constexpr std::uint64_t bar_width = 40;

/// What a terminal may be sent: a log holds what strangers wrote. Cut, if it is long.
std::string printable(std::string_view text) {
  constexpr std::size_t longest = 100;
  std::string result{text.substr(0, longest)};
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(result.begin(), result.end(), is_control, '?');
  return text.size() > longest ? result + "..." : result;
}

void print_row(std::ostream& out, std::string_view name, std::uint64_t number) {
  out << "  " << std::left << std::setw(name_width) << printable(name) << std::right
      << std::setw(number_width) << number << '\n';
}

void print_tally(std::ostream& out, const char* title, const Tally<std::string>& tally) {
  const std::size_t all = tally.rows().size();
  if (all == 0) return;
  out << '\n' << title << '\n';
  for (const auto& [name, count] : tally.top(rows_per_table)) print_row(out, name, count);
  if (all > rows_per_table) out << "  ... and " << all - rows_per_table << " more\n";
}

void print_hours(std::ostream& out, const Tally<int>& hours) {
  const auto busiest = hours.top(1);
  if (busiest.empty()) return;
  out << "\nhours of the day\n";
  for (const auto& [hour, count] : hours.rows()) {
    char text[16];
    std::snprintf(text, sizeof text, "%02d:00", hour);
    const std::uint64_t length = std::max<std::uint64_t>(1, count * bar_width / busiest[0].second);
    out << "  " << text << std::setw(number_width) << count << ' ' << std::string(length, '#')
        << '\n';
  }
}

void print_alerts(std::ostream& out, const Tally<std::string>& alerts) {
  const auto all = alerts.rows();
  out << "\nalerts\n";
  for (std::size_t i = 0; i < std::min(all.size(), most_alerts); ++i) {
    out << "  " << printable(all[i].first) << '\n';
  }
  if (all.empty()) out << "  none\n";
  if (all.size() > most_alerts) out << "  ... and " << all.size() - most_alerts << " more\n";
}

void print_bus(std::ostream& out, const gossip::Statistics& stats) {
  out << "events\n";
  for (const auto& type : stats.types) print_row(out, type.event_type, type.dispatched);
  out << "\nprocessors, by calls\n";
  for (const auto& subscription : stats.subscriptions) {
    print_row(out, subscription.name, subscription.delivered + subscription.failed);
  }
}

}  // namespace

void print_summary(std::ostream& out, const gossip::Statistics& stats, const Watch& watch) {
  print_bus(out, stats);
  print_tally(out, "actions", watch.actions);
  print_tally(out, "states", watch.states);
  print_tally(out, "packages, by changes of state", watch.packages);
  print_tally(out, "statuses", watch.statuses);
  print_tally(out, "paths", watch.paths);
  print_tally(out, "clients", watch.clients);
  print_hours(out, watch.hours);
  print_alerts(out, watch.alerts);
  if (const std::uint64_t line = watch.first_unrecognised(); line != 0) {
    out << "\nsome lines are in another format; the first is line " << line << '\n';
  }
}

void print_timing(std::ostream& out, std::uint64_t lines, std::chrono::duration<double> taken,
                  std::size_t workers) {
  out << lines << " lines in " << std::fixed << std::setprecision(3) << taken.count() << " s on "
      << workers << (workers == 1 ? " worker: " : " workers: ") << std::setprecision(0)
      << static_cast<double>(lines) / taken.count() << " lines per second\n";
}

std::string find_loss(const gossip::Statistics& stats, std::uint64_t lines) {
  const auto dispatched = [&](std::string_view type) -> std::uint64_t {
    for (const auto& entry : stats.types) {
      if (entry.event_type == type) return entry.dispatched;
    }
    return 0;
  };
  const auto check = [](const char* what, std::uint64_t is, std::uint64_t should) {
    if (is == should) return std::string{};
    return std::string{what} + ": " + std::to_string(is) + ", not " + std::to_string(should);
  };
  const std::uint64_t typed = dispatched(package_action.name()) +
                              dispatched(package_status.name()) + dispatched(http_request.name()) +
                              dispatched(log_unrecognised.name());
  for (const std::string& loss : {
           check("lines handled", dispatched(log_line.name()), lines),
           check("lines understood or known not to be", typed, lines),
           check("events handled", stats.handled, stats.published),
           check("events that nobody wanted", stats.unmatched, 0),
           check("calls that failed", stats.failed, 0),
       }) {
    if (!loss.empty()) return loss;
  }
  return {};
}

}  // namespace logwatch
