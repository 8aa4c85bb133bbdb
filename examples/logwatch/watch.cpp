// SPDX-License-Identifier: MIT
#include "watch.hpp"

#include <chrono>
#include <cstdio>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace logwatch {
namespace {

// From how often on something is worth an alert.
constexpr std::uint64_t many_changes = 3;        // installs, upgrades and removals of a package
constexpr std::uint64_t many_server_errors = 5;  // within a minute
constexpr std::uint64_t many_refusals = 5;       // of one client
constexpr std::uint64_t many_slow = 3;           // answers for one path
constexpr std::uint32_t slow_milliseconds = 1000;

int hour_of(Minute at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  return static_cast<int>((at - day) / std::chrono::hours{1});
}

std::string text_of(Minute at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const auto minute = static_cast<int>((at - day) / std::chrono::minutes{1});
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), minute / 60,
                minute % 60);
  return text;
}

bool changes_package(std::string_view action) {
  return action == "install" || action == "upgrade" || action == "remove" || action == "purge";
}

bool is_settled(std::string_view state) {
  return state == "installed" || state == "not-installed" || state == "config-files";
}

}  // namespace

Watch::Watch(gossip::EventBus<>& bus, Format format) : bus_{bus} {
  auto parse_line = [this, format](const LogLine& line) {
    return std::visit(
        [this]<class T>(T event) {
          if constexpr (std::is_same_v<T, PackageAction>) {
            return pass_on(package_action, std::move(event));
          } else if constexpr (std::is_same_v<T, PackageStatus>) {
            return pass_on(package_status, std::move(event));
          } else if constexpr (std::is_same_v<T, HttpRequest>) {
            return pass_on(http_request, std::move(event));
          } else {
            return pass_on(log_unrecognised, std::move(event));
          }
        },
        parse(format, line));
  };
  auto note_unrecognised = [this](const LogLine& line) {
    const std::lock_guard lock{mutex_};
    if (first_unrecognised_ == 0 || line.number < first_unrecognised_) {
      first_unrecognised_ = line.number;
    }
  };
  subscriptions_.push_back(bus_.subscribe(log_line, parse_line, {.name = "parse lines"}));
  subscriptions_.push_back(
      bus_.subscribe(log_unrecognised, note_unrecognised, {.name = "note unrecognised"}));
  if (format == Format::dpkg) {
    watch_packages();
  } else {
    watch_requests();
  }
  subscriptions_.push_back(bus_.subscribe(log_alert,
                                          [this](const Alert& found) { alerts.add(found.text); },
                                          {.name = "collect alerts"}));
}

void Watch::watch_packages() {
  auto count_action = [this](const PackageAction& event) {
    actions.add(event.action);
    hours.add(hour_of(event.at));
  };
  auto detect_changes = [this](const PackageAction& event) -> gossip::Status {
    if (!changes_package(event.action) || changes_.add(event.package) != many_changes) return {};
    return alert(std::string{event.package} + " was installed, upgraded or removed " +
                 std::to_string(many_changes) + " times or more");
  };
  auto count_state = [this](const PackageStatus& event) {
    states.add(event.state);
    packages.add(event.package);
    hours.add(hour_of(event.at));
  };
  auto follow_state = [this](const PackageStatus& event) {
    const std::lock_guard lock{mutex_};
    LastState& last = last_states_[std::string{event.package}];
    if (event.number > last.line) last = {event.number, std::string{event.state}};
  };
  subscriptions_.push_back(bus_.subscribe(package_action, count_action, {.name = "count actions"}));
  subscriptions_.push_back(
      bus_.subscribe(package_action, detect_changes, {.name = "detect many changes"}));
  subscriptions_.push_back(bus_.subscribe(package_status, count_state, {.name = "count states"}));
  subscriptions_.push_back(bus_.subscribe(package_status, follow_state, {.name = "follow states"}));
}

void Watch::watch_requests() {
  auto count = [this](const HttpRequest& event) {
    statuses.add(std::to_string(event.status));
    paths.add(event.path);
    clients.add(event.client);
    hours.add(hour_of(event.at));
  };
  auto detect_server_errors = [this](const HttpRequest& event) -> gossip::Status {
    if (event.status < 500 || server_errors_.add(event.at) != many_server_errors) return {};
    return alert("at " + text_of(event.at) + " there were " + std::to_string(many_server_errors) +
                 " server errors or more within the minute");
  };
  auto detect_refusals = [this](const HttpRequest& event) -> gossip::Status {
    const bool refused = event.status == 401 || event.status == 403;
    if (!refused || refusals_.add(event.client) != many_refusals) return {};
    return alert(std::string{event.client} + " was refused " + std::to_string(many_refusals) +
                 " times or more");
  };
  auto detect_slow = [this](const HttpRequest& event) -> gossip::Status {
    if (event.milliseconds < slow_milliseconds || slow_.add(event.path) != many_slow) return {};
    return alert(std::string{event.path} + " took " + std::to_string(slow_milliseconds) +
                 " ms or longer " + std::to_string(many_slow) + " times or more");
  };
  subscriptions_.push_back(bus_.subscribe(http_request, count, {.name = "count requests"}));
  subscriptions_.push_back(
      bus_.subscribe(http_request, detect_server_errors, {.name = "detect server errors"}));
  subscriptions_.push_back(
      bus_.subscribe(http_request, detect_refusals, {.name = "detect refusals"}));
  subscriptions_.push_back(
      bus_.subscribe(http_request, detect_slow, {.name = "detect slow answers"}));
}

gossip::Status Watch::conclude() {
  std::map<std::string, LastState, std::less<>> packages_left;
  {
    const std::lock_guard lock{mutex_};
    packages_left.swap(last_states_);
  }
  for (const auto& [package, last] : packages_left) {
    if (is_settled(last.state)) continue;
    gossip::Status status =
        alert(package + " was left " + last.state + " by line " + std::to_string(last.line));
    if (!status.ok()) return status;
  }
  return {};
}

std::uint64_t Watch::first_unrecognised() const {
  const std::lock_guard lock{mutex_};
  return first_unrecognised_;
}

/// Publishes from a processor. When the queue is full the worker runs queued events meanwhile; so
/// deep in those that it must not go deeper, it is refused with Errc::queue_full, and the data are
/// untouched: then the event is handled right here.
template <class T>
gossip::Status Watch::pass_on(const gossip::EventType<T>& type, T data) {
  gossip::Status status = bus_.publish(type, std::move(data));
  if (status != gossip::Errc::queue_full) return status;
  // NOLINTNEXTLINE(bugprone-use-after-move): see above
  const gossip::SyncResult result = bus_.publish_sync(type, std::move(data));
  return result.errors.empty() ? result.refused : result.errors.front().status;
}

}  // namespace logwatch
