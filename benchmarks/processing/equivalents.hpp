// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What gossip composes around processors, and what a user would write by hand for the same effect.

#include <gossip/processing/batch.hpp>
#include <gossip/processing/filter.hpp>
#include <gossip/processing/logging.hpp>
#include <gossip/processing/metadata_filter.hpp>
#include <gossip/processing/middleware.hpp>
#include <gossip/processing/recovery.hpp>

#include "comparison/measure.hpp"

#include <any>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {

using gossip::Context;
using gossip::Event;
using gossip::EventType;
using gossip::Status;

struct Order {
  std::uint64_t amount = 0;
  std::uint32_t country = 0;
  bool paid = false;
};
inline constexpr EventType<Order> placed{"order.placed"};

/// Events of which about half pass, in an order that no predictor learns.
[[nodiscard]] inline std::vector<Event<Order>> orders() {
  std::vector<Event<Order>> events;
  std::uint64_t random = 88172645463325252;
  for (int i = 0; i < 1024; ++i) {
    random ^= random << 13U;
    random ^= random >> 7U;
    random ^= random << 17U;
    events.emplace_back(placed, Order{random % 256, static_cast<std::uint32_t>(random >> 32U) % 5,
                                      (random >> 60U) % 8 != 0});
  }
  return events;
}

/// Calls a processor as the bus does: the caller does not know it.
template <class P>
[[gnu::noinline]] Status call(P& processor, const Event<Order>& event, Context& context) {
  return processor(event, context);
}

/// A filter of three clauses, before something that costs a little.
namespace three_clauses {

struct Sum {
  std::uint64_t* sum;
  Status operator()(const Event<Order>& event, Context&) const {
    *sum += event.data().amount;
    return {};
  }
};

inline auto by_hand(Sum next) {
  return [next](const Event<Order>& event, Context& context) -> Status {
    const Order& order = event.data();
    if (!(order.amount > 50 && order.paid && order.country != 3)) return {};
    return next(event, context);
  };
}

inline auto composed(Sum next) {
  return gossip::filtered(gossip::where([](const Order& order) { return order.amount > 50; }) &&
                              gossip::where(&Order::paid) &&
                              !gossip::where([](const Order& order) { return order.country == 3; }),
                          next);
}

}  // namespace three_clauses

/// Recovery, logging to nowhere and a filter, before something that may throw.
namespace three_layers {

struct Sum {
  std::uint64_t* sum;
  void operator()(const Order& order) const {
    if (order.amount > 1'000'000) throw order.amount;
    *sum += order.amount;
  }
};

inline auto by_hand(Sum next) {
  return [next](const Event<Order>& event, Context&) -> Status {
    try {
      if (event.data().amount <= 50) return {};
      next(event.data());
      return {};
    } catch (...) {
      return gossip::status_of_current_exception();
    }
  };
}

inline auto composed(Sum next) {
  return gossip::chain(
      gossip::recovery(), gossip::logging(gossip::null_sink),
      gossip::filtered([](const Order& order) { return order.amount > 50; }))(next);
}

}  // namespace three_layers

/// Four entries that every event has; one of them is looked for.
namespace four_entries {

inline const std::array<std::pair<std::string, std::string>, 4> entries{
    {{"request_id", "7c0f4f2a"}, {"tenant", "acme"}, {"user", "alice"}, {"source", "checkout"}}};

/// Whether each event has the entries in an order of its own, or all in the same one.
enum class Keys { in_any_order, in_one_order };

inline constexpr std::size_t distinct_events = 256;

/// The numbers of the entries of event `n`, in the order in which they are set.
[[nodiscard]] inline std::array<std::size_t, 4> order_of(std::size_t n, Keys keys) {
  std::array<std::size_t, 4> order{0, 1, 2, 3};
  if (keys == Keys::in_any_order) {
    std::uint64_t random = (n + 1) * 0x9e3779b97f4a7c15;
    for (std::size_t i = 3; i > 0; --i) {
      random ^= random >> 29U;
      random *= 0xbf58476d1ce4e5b9;
      std::swap(order[i], order[(random >> 40U) % (i + 1)]);
    }
  }
  return order;
}

/// The value of entry `i`: text, or a number if that is what is looked for in it.
template <class Value, class Wanted>
[[nodiscard]] Value value_of(std::size_t i, std::size_t wanted) {
  if constexpr (std::is_same_v<Wanted, std::int64_t>) {
    if (i == wanted) return Value{std::int64_t{12345}};
  }
  return Value{entries[i].second};
}

/// Asks events of gossip's, with a filter.
template <class Wanted>
class Filter {
 public:
  Filter(std::size_t wanted, Keys keys)
      : filter_{gossip::by_metadata(entries[wanted].first,
                                    value_of<gossip::MetadataValue, Wanted>(wanted, wanted))} {
    for (std::size_t n = 0; n < distinct_events; ++n) {
      events_.emplace_back(placed, Order{});
      for (const std::size_t i : order_of(n, keys)) {
        events_.back().with_metadata(entries[i].first,
                                     value_of<gossip::MetadataValue, Wanted>(i, wanted));
      }
    }
  }

  [[nodiscard]] bool matches(std::size_t n) const { return passes(filter_, events_[n]); }

 private:
  std::vector<Event<Order>> events_;
  decltype(gossip::by_metadata({}, {})) filter_;
};

/// Asks a map of std::any in each event. Its key is made once, not for every look-up.
template <class Wanted>
class MapOfAny {
 public:
  MapOfAny(std::size_t wanted, Keys keys)
      : events_(distinct_events),
        key_{entries[wanted].first},
        value_{std::any_cast<Wanted>(value_of<std::any, Wanted>(wanted, wanted))} {
    for (std::size_t n = 0; n < distinct_events; ++n) {
      for (const std::size_t i : order_of(n, keys)) {
        events_[n].metadata.emplace(entries[i].first, value_of<std::any, Wanted>(i, wanted));
      }
    }
  }

  [[nodiscard]] bool matches(std::size_t n) const {
    const auto& map = events_[n].metadata;
    const auto found = map.find(key_);
    const Wanted* there = found == map.end() ? nullptr : std::any_cast<Wanted>(&found->second);
    return there != nullptr && *there == value_;
  }

 private:
  struct HandWritten {
    Order data;
    std::unordered_map<std::string, std::any> metadata;
  };

  std::vector<HandWritten> events_;
  std::string key_;
  Wanted value_;
};

}  // namespace four_entries

/// Events that are added to a batch of a hundred.
namespace batch_of_100 {

using Added = Event<Payload>;
inline constexpr EventType<Payload> type{"bench.batch"};
inline constexpr std::size_t size = 100;  // events

/// What is done with a full batch, on either side.
struct Sum {
  void operator()(std::span<const Added> events) const {
    std::uint64_t sum = 0;
    for (const Added& event : events) sum += event.data().value;
    keep(sum);
  }
};

/// A mutex, and vectors that are used again.
class MutexAndVector {
 public:
  MutexAndVector() { filling_.reserve(size); }
  void add(const Added& event) {
    std::unique_lock lock{mutex_};
    filling_.push_back(event);
    if (filling_.size() == size) flush(lock);
  }

 private:
  void flush(std::unique_lock<std::mutex>& lock) {
    std::vector<Added> full;
    if (!spare_.empty()) {
      full = std::move(spare_.back());
      spare_.pop_back();
    }
    full.reserve(size);
    full.swap(filling_);
    lock.unlock();
    Sum{}(full);
    full.clear();
    lock.lock();
    spare_.push_back(std::move(full));
  }

  std::mutex mutex_;
  std::vector<Added> filling_;
  std::vector<std::vector<Added>> spare_;
};

class Batch {
 public:
  void add(const Added& event) {
    if (!batch_.add(event).ok()) fail("a batch refused an event");
  }

 private:
  gossip::Batch<Payload> batch_{{.size = size}, Sum{}};
};

/// An event as a bus delivers it: numbered, and stamped with ticks.
[[nodiscard]] inline Added delivered() {
  static const gossip::detail::BatchExecutor executor =
      gossip::detail::Background::shared().executor();
  return gossip::detail::EventAccess::make<Payload>(
      gossip::detail::DeliveredHeader{type.key(), executor.stamp(executor.owner.get()),
                                      executor.source, 1},
      Payload{});
}

}  // namespace batch_of_100
}  // namespace bench
