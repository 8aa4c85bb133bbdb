// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Four services that know the events and not one another. The bus may be of any provider.

#include <gossip/gossip.hpp>

#include <nlohmann/json.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

// [events]
struct Registration {
  std::string name;
  std::string mail;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Registration, name, mail)
};
struct Mail {
  std::string to;
  std::string subject;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Mail, to, subject)
};

inline constexpr gossip::EventType<Registration> user_registered{"user.registered"};
inline constexpr gossip::EventType<Registration> user_left{"user.left"};
inline constexpr gossip::EventType<Mail> mail_sent{"mail.sent"};
// [/events]

/// Keeps the users, and tells of those who come and go.
template <class Bus>
class UserService {
 public:
  explicit UserService(Bus& bus) : bus_{bus} {}
  gossip::Status add(const std::string& name) {
    return bus_.publish(user_registered, {name, name + "@example.org"});
  }
  gossip::Status remove(const std::string& name) {
    return bus_.publish(user_left, {name, name + "@example.org"});
  }

 private:
  Bus& bus_;
};

/// Greets newcomers, and says so: an event that causes an event.
template <class Bus>
class MailService {
 public:
  explicit MailService(Bus& bus)
      : welcome_{
            bus.subscribe(user_registered,
                          [&bus](const Registration& user) {
                            return bus.publish(mail_sent, {user.mail, "Welcome, " + user.name});
                          },
                          {.name = "mail"})} {}

 private:
  gossip::Subscription welcome_;
};

/// Shows what was sent.
template <class Bus>
class NotificationService {
 public:
  explicit NotificationService(Bus& bus)
      : shown_{bus.subscribe(mail_sent,
                             [this](const Mail& mail) {
                               const std::lock_guard lock{mutex_};
                               mails_.push_back(mail.to + ": " + mail.subject);
                             },
                             {.name = "notification"})} {}

  [[nodiscard]] std::vector<std::string> mails() const {
    const std::lock_guard lock{mutex_};
    return mails_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> mails_;
  gossip::Subscription shown_;
};

/// Counts everything: one processor on three event types, which need not have the same payload.
template <class Bus>
class AnalyticsService {
 public:
  explicit AnalyticsService(Bus& bus) {
    const auto count = [this]<class T>(const gossip::Event<T>& event) {
      note(std::string{event.type()});
    };
    subscriptions_ = bus.subscribe_all({user_registered, user_left}, count, {.name = "analytics"});
    subscriptions_.push_back(bus.subscribe(mail_sent, count, {.name = "analytics"}));
  }

  [[nodiscard]] std::map<std::string, int> counts() const {
    const std::lock_guard lock{mutex_};
    return counts_;
  }
  [[nodiscard]] int total() const noexcept { return total_.load(); }

 private:
  void note(const std::string& type) {
    const std::lock_guard lock{mutex_};
    ++counts_[type];
    ++total_;
  }

  mutable std::mutex mutex_;
  std::map<std::string, int> counts_;
  std::atomic<int> total_{0};
  std::vector<gossip::Subscription> subscriptions_;
};
