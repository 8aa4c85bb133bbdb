// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// An account service and those who listen to it. They know the events of catalogue.hpp and not one
/// another. Workers call processors at the same time, so what these share has a lock.

#include <gossip/gossip.hpp>

#include "../catalogue.hpp"

#include <chrono>
#include <cstddef>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// [accounts]
/// Answers requests, and tells of what happened. It does not know who cares.
class Accounts {
 public:
  explicit Accounts(gossip::EventBus<>& bus)
      : bus_{bus},
        locked_{bus.subscribe(catalogue::user_locked, [this](const catalogue::LockData& lock) {
          const std::lock_guard guard{mutex_};
          accounts_[lock.user_id].locked = true;
        })} {}

  bool sign_up(const std::string& request, const std::string& name, const std::string& password) {
    {
      const std::lock_guard guard{mutex_};
      if (!accounts_.try_emplace(name, Account{password}).second) return false;
    }
    tell(request, catalogue::user_created, {"u-" + name, name, name + "@example.org"});
    return true;
  }

  bool log_in(const std::string& request, const std::string& name, const std::string& password) {
    const bool known = knows(name, password);
    tell(request, known ? catalogue::login_succeeded : catalogue::login_failed,
         {name, "192.0.2.1"});
    return known;
  }

  bool change_password(const std::string& request, const std::string& name,
                       const std::string& old_password, const std::string& new_password) {
    if (!knows(name, old_password)) return false;
    {
      const std::lock_guard guard{mutex_};
      accounts_[name].password = new_password;
    }
    tell(request, catalogue::password_changed, {name});
    return true;
  }

 private:
  struct Account {
    std::string password;  ///< a real service would keep a salted hash
    bool locked = false;
  };

  bool knows(const std::string& name, const std::string& password) {
    const std::lock_guard guard{mutex_};
    const auto account = accounts_.find(name);
    return account != accounts_.end() && !account->second.locked &&
           account->second.password == password;
  }

  /// Every event says which request it came from. Not under the lock: publishing may wait.
  template <class T>
  void tell(const std::string& request, const gossip::EventType<T>& type, T data) {
    bus_.publish(
            gossip::Event{type, std::move(data)}.with_metadata(gossip::correlation_id_key, request))
        .throw_if_error();
  }

  gossip::EventBus<>& bus_;
  std::mutex mutex_;
  std::map<std::string, Account> accounts_;
  gossip::Subscription locked_;  // last: it ends, and waits for its processor, before the rest goes
};
// [/accounts]

// [welcome]
/// Greets who is new. The mail server is busy at times, so that takes patience.
class WelcomeMails {
 public:
  explicit WelcomeMails(gossip::EventBus<>& bus) {
    using namespace std::chrono_literals;
    auto log = [](const gossip::LogRecord& record) {
      std::cout << "  " << record.message << ", attempt " << record.attempt << ": "
                << record.status.what() << '\n';
    };
    // The first is outermost: each attempt is logged, and limited in time.
    auto patient = gossip::logging(log, "welcome mail") |
                   gossip::retry({.max_attempts = 3, .initial_delay = 1ms}) |
                   gossip::timeout({.limit = 5s});
    greeted_ = bus.subscribe(catalogue::user_created, patient(send), {.name = "welcome mails"});
  }

 private:
  static gossip::Status send(const gossip::Event<catalogue::UserData>& event,
                             gossip::Context& context) {
    if (context.attempt() == 1) return gossip::RetryableError{"the mail server is busy"};
    std::cout << "  mail to " << event.data().mail << '\n';
    return {};
  }

  gossip::Subscription greeted_;
};
// [/welcome]

// [monitor]
/// Has an account locked after three failed logins in a row: an event that causes an event, which
/// belongs to the same request.
class SecurityMonitor {
 public:
  explicit SecurityMonitor(gossip::EventBus<>& bus)
      : bus_{bus},
        watched_{bus.subscribe_all(
            {catalogue::login_succeeded, catalogue::login_failed},
            gossip::correlate()(
                [this](const gossip::Event<catalogue::LoginData>& event) { return watch(event); }),
            {.name = "security"})} {}

 private:
  static constexpr int tolerated = 3;

  gossip::Status watch(const gossip::Event<catalogue::LoginData>& event) {
    const std::string& user = event.data().user_id;
    int failed = 0;
    {
      const std::lock_guard guard{mutex_};
      int& in_a_row = failed_[user];
      in_a_row = event.type() == catalogue::login_failed.name() ? in_a_row + 1 : 0;
      failed = in_a_row;
    }
    if (failed != tolerated) return {};
    return bus_.publish(catalogue::user_locked, {.user_id = user, .failed_logins = failed});
  }

  gossip::EventBus<>& bus_;
  std::mutex mutex_;
  std::map<std::string, int> failed_;
  std::vector<gossip::Subscription> watched_;
};
// [/monitor]

/// Knows how often everybody has logged in.
class LoginTracker {
 public:
  explicit LoginTracker(gossip::EventBus<>& bus)
      : tracked_{bus.subscribe(catalogue::login_succeeded,
                               [this](const catalogue::LoginData& login) {
                                 const std::lock_guard guard{mutex_};
                                 ++logins_[login.user_id];
                               },
                               {.name = "logins"})} {}

  [[nodiscard]] std::map<std::string, int> logins() const {
    const std::lock_guard guard{mutex_};
    return logins_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> logins_;
  gossip::Subscription tracked_;
};

// [audit]
/// Writes down every event about authentication, also of types that are invented later.
class AuditLog {
 public:
  explicit AuditLog(gossip::EventBus<>& bus)
      : written_{bus.subscribe("auth.>", [this](const gossip::AnyEvent& event) { write(event); },
                               // Told before all others, so causes come before their effects.
                               {.name = "audit", .priority = 100})} {}

  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard guard{mutex_};
    return lines_;
  }

 private:
  void write(const gossip::AnyEvent& event) {
    const auto* request = event.metadata().get_if<std::string>(gossip::correlation_id_key);
    std::string line{request != nullptr ? *request : "nobody asked for it"};
    line += ": ";
    line += event.type();
    const std::lock_guard guard{mutex_};
    lines_.push_back(std::move(line));
  }

  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  gossip::Subscription written_;
};
// [/audit]
