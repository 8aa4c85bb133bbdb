// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the tests of the Redis provider publish, and what they note.

#include <gossip/gossip.hpp>
#include <gossip/redis.hpp>

#include "support/redis_server.hpp"
#include "support/wait.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gossip::test {

struct Order {
  int number = 0;
  std::string customer;
  bool operator==(const Order&) const = default;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Order, number, customer)
};
inline constexpr EventType<Order> order_placed{"order.placed"};

using RedisBus = EventBus<redis::RedisProvider>;

/// Which orders were handled, and how often.
class Handled {
 public:
  void add(const Order& order) {
    const std::lock_guard lock{mutex_};
    ++counts_[order.number];
    ++total_;
  }
  [[nodiscard]] std::size_t total() const {
    const std::lock_guard lock{mutex_};
    return total_;
  }
  [[nodiscard]] std::size_t distinct() const {
    const std::lock_guard lock{mutex_};
    return counts_.size();
  }
  [[nodiscard]] bool wait_for(std::size_t distinct_orders) const {
    return eventually([&] { return distinct() >= distinct_orders; });
  }

 private:
  mutable std::mutex mutex_;
  std::map<int, std::size_t> counts_;
  std::size_t total_ = 0;
};

/// Notes what a provider tells; outlives the bus.
class Told {
 public:
  void listen(redis::RedisOptions& options) {
    options.on_state = [this](redis::State state, const Status& why) {
      note(std::string{to_string(state)} + (why.ok() ? "" : ": " + std::string{why.what()}));
      const std::lock_guard lock{mutex_};
      last_ = state;
    };
    options.on_gap = [this](const redis::Gap& gap) { note("gap: " + gap.reason); };
    options.on_publish_error = [this](std::string_view type, std::string_view, const Status& why) {
      note("unpublished " + std::string{type} + ": " + std::string{why.what()});
    };
    options.on_undecodable = [this](std::string_view type, std::string_view, const Status& why) {
      note("undecodable " + std::string{type} + ": " + std::string{why.what()});
    };
  }
  /// How many notes contain `text`.
  [[nodiscard]] std::size_t count(const std::string& text) const {
    const std::lock_guard lock{mutex_};
    std::size_t found = 0;
    for (const std::string& entry : notes_) found += entry.find(text) != std::string::npos ? 1 : 0;
    return found;
  }
  [[nodiscard]] bool wait_for(const std::string& text, std::size_t times = 1) const {
    return eventually([&] { return count(text) >= times; });
  }
  [[nodiscard]] bool ready() const {
    return eventually([&] {
      const std::lock_guard lock{mutex_};
      return last_ == redis::State::ready;
    });
  }

 private:
  void note(std::string text) {
    const std::lock_guard lock{mutex_};
    notes_.push_back(std::move(text));
  }

  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
  redis::State last_ = redis::State::connecting;
};

/// Options of a bus that shares events with others, or that listens to channels.
/// @{
inline redis::RedisOptions in_group(const RedisServer& server) {
  auto options = server.options();
  options.group = "workers";
  options.claim_after = std::chrono::milliseconds{1000};
  return options;
}
inline redis::RedisOptions by_channel(const RedisServer& server) {
  auto options = server.options();
  options.delivery = redis::Delivery::pub_sub;
  return options;
}
/// @}

/// Publishes orders `from` to before `to`. @return whether all were accepted
[[nodiscard]] inline bool publish(RedisBus& bus, int from, int to) {
  for (int i = from; i < to; ++i) {
    if (!bus.publish(order_placed, Order{i, "ann"}).ok()) return false;
  }
  return true;
}
/// The same by a bus of its own, which has sent them when this returns.
[[nodiscard]] inline bool publish(const RedisServer& server, int from, int to) {
  RedisBus bus{{.workers = 1}, server.options()};
  return publish(bus, from, to);
}

/// Waits until the server knows of so many listeners to the channel of orders.
[[nodiscard]] inline bool listened_to(const RedisServer& server, int listeners = 1) {
  return eventually([&] {
    return server.ask({"PUBSUB", "NUMSUB", "order.placed"}) ==
           "order.placed " + std::to_string(listeners);
  });
}
/// Waits until the group "workers" has acknowledged all that it has read.
[[nodiscard]] inline bool all_acknowledged(const RedisServer& server) {
  return eventually([&] {
    return server.ask({"XPENDING", "order.placed", "workers"}).find("0 ") == 0;
  });
}

/// A server, a bus on it that handles orders, and what came of it: for TEST_CASE_METHOD.
class OnServer {
 public:
  /// Starts the bus and subscribes. Once.
  RedisBus& listen(redis::RedisOptions options) {
    told.listen(options);
    bus_.emplace(BusOptions{.workers = 1}, std::move(options));
    subscription_ = bus_->subscribe(order_placed, [this](const Order& o) { handled.add(o); });
    return *bus_;
  }

  RedisServer server;
  Told told;
  Handled handled;

 private:
  std::optional<RedisBus> bus_;
  Subscription subscription_;
};

}  // namespace gossip::test
