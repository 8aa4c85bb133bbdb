// SPDX-License-Identifier: MIT
#pragma once

// Something to look at: a shop whose load goes up and down.
#include <gossip/gossip.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace monitor {

struct Order {
  int number = 0;
};
inline constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};
inline constexpr gossip::EventType<Order> order_paid{"shop.order.paid"};
inline constexpr gossip::EventType<Order> order_shipped{"shop.order.shipped"};

/// Keeps a processor core busy, as work does.
inline void work_for(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// The processors of the shop. Outlived by its bus.
class Shop {
 public:
  /// @param stall  one order hangs in the warehouse
  Shop(gossip::EventBus<>& bus, bool stall) {
    using namespace std::chrono_literals;
    handles_.push_back(bus.subscribe(
        order_placed,
        gossip::retry({.max_attempts = 3, .initial_delay = 5ms})(
            [&bus](const gossip::Event<Order>& event, gossip::Context& context) -> gossip::Status {
              work_for(20us);
              const int number = event.data().number;
              if (number % 50 == 0 && context.attempt() < 3) {
                return gossip::RetryableError{"the bank is busy"};
              }
              if (number % 211 == 0) return gossip::ValidationError{"order", "has no address"};
              return bus.publish(order_paid, event.data());
            }),
        {.name = "payments"}));
    handles_.push_back(bus.subscribe(order_paid,
                                     [&bus, stall](const Order& order) {
                                       if (stall && order.number == 100) {
                                         std::this_thread::sleep_for(3s);
                                       }
                                       work_for(order.number % 100 == 7 ? 2ms : 50us);
                                       return bus.publish(order_shipped, order);
                                     },
                                     {.name = "warehouse"}));
    handles_.push_back(
        bus.subscribe("shop.>", [this](const gossip::AnyEvent&) { ++seen_; }, {.name = "audit"}));
  }

 private:
  std::atomic<long> seen_{0};
  std::vector<gossip::Subscription> handles_;  // last: they end before what their processors use
};

/// Places orders: so many per second on the average, in waves of eight seconds.
class Customers {
 public:
  Customers(gossip::EventBus<>& bus, int rate)
      : thread_{[this, &bus, rate](const std::stop_token& stop) { run(bus, rate, stop); }} {}

  /// Places no more. @return how many orders were accepted
  long finish() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return placed_;
  }

 private:
  void run(gossip::EventBus<>& bus, int rate, const std::stop_token& stop) {
    using namespace std::chrono_literals;
    constexpr auto step = 10ms;
    std::mutex mutex;
    std::condition_variable_any stopped;
    const auto begin = std::chrono::steady_clock::now();
    double due = 0;
    for (auto next = begin; !stop.stop_requested();) {
      const double seconds = std::chrono::duration<double>(next - begin).count();
      due += rate * (1 + 0.8 * std::sin(seconds * 6.283 / 8)) * 0.01;
      for (; due >= 1; due -= 1) {
        if (bus.publish(order_placed, {.number = ++number_}).ok()) ++placed_;
      }
      next += step;
      std::unique_lock lock{mutex};
      stopped.wait_until(lock, stop, next, [] { return false; });
    }
  }

  int number_ = 0;
  long placed_ = 0;
  std::jthread thread_;
};

}  // namespace monitor
