// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// A shop in five services, each of which knows the events and not the others:
///
///     order.created -> payment -> order.paid -> inventory -> order.reserved -> shipping -> order.shipped
///
/// with mails in batches, analytics of large orders, and dead letters for what nobody can mend. The
/// bus may be any: main.cpp gives it threads, test.cpp time that passes when told to.

#include <gossip/gossip.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace shop {

using namespace std::chrono_literals;

// [events]
struct Order {
  std::string id;
  std::string customer;
  int amount = 0;
  bool express = false;
};
struct Mail {
  std::string to;
  std::string subject;
};

inline constexpr gossip::EventType<Order> order_created{"order.created"};
inline constexpr gossip::EventType<Order> order_paid{"order.paid"};
inline constexpr gossip::EventType<Order> order_reserved{"order.reserved"};
inline constexpr gossip::EventType<Order> order_shipped{"order.shipped"};
inline constexpr gossip::EventType<Mail> mail_requested{"mail.requested"};
inline constexpr gossip::EventType<gossip::DeadLetter> order_stuck{"order.stuck"};
// [/events]

/// What is told to the world outside, one line at a time; called by several workers at once.
using Log = std::function<void(const std::string& line)>;

/// The step from one event to the next: the same order, as urgent as before.
template <class Bus>
gossip::Status pass_on(Bus& bus, const gossip::EventType<Order>& next,
                       const gossip::Event<Order>& event) {
  return bus.publish(next, event.data(), {.priority = event.priority()});
}

// [orders]
template <class Bus>
class Orders {
 public:
  explicit Orders(Bus& bus) : bus_{bus} {}

  /// Express orders overtake the others wherever they queue.
  gossip::Status place(const std::string& request, Order order) {
    const auto priority = order.express ? gossip::Priority::high : gossip::Priority::normal;
    return bus_.publish(
        gossip::Event{order_created, std::move(order)}.with_priority(priority).with_metadata(
            gossip::correlation_id_key, request));
  }

 private:
  Bus& bus_;
};
// [/orders]

// [payment]
template <class Bus>
class Payment {
 public:
  Payment(Bus& bus, Log log) {
    // The first is outermost. What a retry cannot mend becomes a dead letter; what is published
    // inside carries the id of the request on.
    auto careful = gossip::dead_letter(bus, order_stuck, {gossip::DeadLetterThen::swallow}) |
                   gossip::retry({.max_attempts = 4, .initial_delay = 10ms}) | gossip::correlate() |
                   gossip::recovery();
    const auto charge = [&bus, log](const gossip::Event<Order>& event,
                                    gossip::Context& context) -> gossip::Status {
      const Order& order = event.data();
      if (order.amount <= 0) return gossip::ValidationError{"amount", "is not positive"};
      if (order.customer == "mallory") return gossip::FatalError{"the card is stolen"};
      if (order.customer == "carol" && context.attempt() < 3) {
        return gossip::RetryableError{"the bank is busy"};
      }
      log(order.id + (order.express ? " paid (express)" : " paid"));
      if (auto status = bus.publish(mail_requested, {order.customer, "thank you"}); !status.ok()) {
        return status;
      }
      return pass_on(bus, order_paid, event);
    };
    charged_ = bus.subscribe(order_created, careful(charge), {.name = "payment"});
  }

 private:
  gossip::Subscription charged_;
};
// [/payment]

// [inventory]
template <class Bus>
class Inventory {
 public:
  Inventory(Bus& bus, Log log) {
    // Each attempt has half a second; the next one follows after 50 ms.
    auto impatient = gossip::retry({.max_attempts = 3, .initial_delay = 50ms}) |
                     gossip::timeout({.limit = 500ms}) | gossip::correlate();
    const auto reserve = [&bus, log](const gossip::Event<Order>& event,
                                     gossip::Context& context) -> gossip::Status {
      // What bob wants is far away: at first it would take a second, which is more than there is.
      if (event.data().customer == "bob" && context.attempt() == 1 && !context.wait_for(1s)) {
        log(event.data().id + " has to wait for the warehouse");
        return gossip::Errc::timeout;
      }
      return pass_on(bus, order_reserved, event);
    };
    reserved_ = bus.subscribe(order_paid, impatient(reserve), {.name = "inventory"});
  }

 private:
  gossip::Subscription reserved_;
};
// [/inventory]

template <class Bus>
class Shipping {
 public:
  Shipping(Bus& bus, Log log)
      : shipped_{bus.subscribe(
            order_reserved,
            gossip::correlate()([&bus, log](const gossip::Event<Order>& event) -> gossip::Status {
              log(event.data().id + " shipped");
              bus.publish(mail_requested, {event.data().customer, "on its way"}).throw_if_error();
              return pass_on(bus, order_shipped, event);
            }),
            {.name = "shipping"})} {}

 private:
  gossip::Subscription shipped_;
};

// [mails]
/// Sends ten mails at once, or fewer, if the first of them has waited for five seconds.
template <class Bus>
class Mails {
 public:
  Mails(Bus& bus, Log log)
      : batch_{bus,
               {.size = 10, .period = 5s},
               [log](std::span<const gossip::Event<Mail>> mails) {
                 std::string line{std::to_string(mails.size())};
                 line += " mails sent:";
                 for (const auto& mail : mails) line += ' ' + mail.data().to;
                 log(line);
               }},
        requested_{bus.subscribe(mail_requested, batch_.processor(), {.name = "mails"})} {}

  /// Sends what is there now.
  void flush() { batch_.flush(); }

 private:
  gossip::Batch<Mail> batch_;
  gossip::Subscription requested_;  // ends first: nothing is added to a batch that is gone
};
// [/mails]

// [analytics]
/// Adds up what is worth analysing.
template <class Bus>
class Analytics {
 public:
  explicit Analytics(Bus& bus)
      : counted_{bus.subscribe(
            order_shipped, [](const Order& order) { return order.amount > 100; },  // the filter
            [this](const Order& order) {
              const std::lock_guard guard{mutex_};
              ++orders_;
              turnover_ += order.amount;
            },
            {.name = "analytics"})} {}

  [[nodiscard]] std::pair<int, int> large_orders() const {
    const std::lock_guard guard{mutex_};
    return {orders_, turnover_};
  }

 private:
  mutable std::mutex mutex_;
  int orders_ = 0;
  int turnover_ = 0;
  gossip::Subscription counted_;
};
// [/analytics]

// [shop]
template <class Bus>
class Shop {
 public:
  Shop(Bus& bus, const Log& log)
      : orders{bus},
        payment{bus, log},
        inventory{bus, log},
        shipping{bus, log},
        mails{bus, log},
        analytics{bus},
        stuck{bus.subscribe(order_stuck, [log](const gossip::DeadLetter& letter) {
          std::string line{letter.event.template get<Order>().id};
          line += " needs a person, after ";
          line += std::to_string(letter.attempts);
          line += letter.attempts == 1 ? " attempt: " : " attempts: ";
          line += letter.error.what();
          log(line);
        })} {}

  Orders<Bus> orders;
  Payment<Bus> payment;
  Inventory<Bus> inventory;
  Shipping<Bus> shipping;
  Mails<Bus> mails;
  Analytics<Bus> analytics;
  gossip::Subscription stuck;
};
// [/shop]

}  // namespace shop
