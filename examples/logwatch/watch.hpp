// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Watch: the processors of logwatch, and what they have found.

#include <gossip/gossip.hpp>

#include "events.hpp"
#include "parse.hpp"
#include "tally.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace logwatch {

/// Subscribes to a bus. One processor turns lines into typed events, which it publishes on the same
/// bus; others count those and look for trouble, which they publish as alerts:
///
///     log.line -> package.action, package.status, http.request or log.unrecognised -> log.alert
///
/// Lines are handled in any order, so nothing here depends on it.
///
/// Lifetime: within that of the bus. Thread safety: read what was found after bus.drain().
class Watch {
 public:
  Watch(gossip::EventBus<>& bus, Format format);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() = default;

  /// Publishes the alerts that only the end of the log shows. Drain the bus before, and again after.
  gossip::Status conclude();

  /// The number of the first line that is not in the format; 0 if there is none.
  [[nodiscard]] std::uint64_t first_unrecognised() const;

  Tally<std::string> actions;   ///< dpkg: by what was done
  Tally<std::string> states;    ///< dpkg: by state
  Tally<std::string> packages;  ///< dpkg: changes of state, by package
  Tally<std::string> statuses;  ///< access: by HTTP status
  Tally<std::string> paths;     ///< access: by path
  Tally<std::string> clients;   ///< access: by client
  Tally<int> hours;             ///< by hour of the day
  Tally<std::string> alerts;    ///< by text

 private:
  struct LastState {
    std::uint64_t line = 0;
    std::string state;
  };

  template <class T>
  gossip::Status pass_on(const gossip::EventType<T>& type, T data);
  gossip::Status alert(std::string text) { return pass_on(log_alert, Alert{std::move(text)}); }

  void watch_packages();
  void watch_requests();

  gossip::EventBus<>& bus_;
  Tally<std::string> changes_;
  Tally<std::string> refusals_;
  Tally<std::string> slow_;
  Tally<Minute> server_errors_;
  mutable std::mutex mutex_;  // guards the next two
  std::map<std::string, LastState, std::less<>> last_states_;
  std::uint64_t first_unrecognised_ = 0;
  // The last member: what the processors use is destroyed after they have ended.
  std::vector<gossip::Subscription> subscriptions_;
};

}  // namespace logwatch
