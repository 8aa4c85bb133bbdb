// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The events that logwatch publishes.

#include <gossip/gossip.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace logwatch {

/// A line's text. Every event that comes from the line shares it, and refers to parts of it: so
/// events are cheap to make, to copy and to move.
using Line = std::shared_ptr<const std::string>;

/// A time in a log, to the minute; in whatever zone the log is written.
using Minute = std::chrono::sys_time<std::chrono::minutes>;

struct LogLine {
  std::uint64_t number = 0;  ///< 1 for the first line
  Line text;
};

/// dpkg did something: install, upgrade, configure, remove, startup, ...
struct PackageAction {
  Line line;
  std::string_view action;
  std::string_view package;  ///< empty if the action is not about one
  Minute at;
};

/// dpkg left a package in a state: unpacked, half-configured, installed, ...
struct PackageStatus {
  Line line;
  std::uint64_t number = 0;  ///< the line's number
  std::string_view state;
  std::string_view package;
  Minute at;
};

/// A web server answered a request.
struct HttpRequest {
  Line line;
  std::string_view client;
  std::string_view path;  ///< without the query
  Minute at;
  std::uint32_t milliseconds = 0;  ///< 0 if the log does not tell
  std::uint16_t status = 0;
};

/// Something that a person should look at.
struct Alert {
  std::string text;
};

inline constexpr gossip::EventType<LogLine> log_line{"log.line"};
inline constexpr gossip::EventType<PackageAction> package_action{"package.action"};
inline constexpr gossip::EventType<PackageStatus> package_status{"package.status"};
inline constexpr gossip::EventType<HttpRequest> http_request{"http.request"};
inline constexpr gossip::EventType<LogLine> log_unrecognised{"log.unrecognised"};
inline constexpr gossip::EventType<Alert> log_alert{"log.alert"};

}  // namespace logwatch
