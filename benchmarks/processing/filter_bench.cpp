// SPDX-License-Identifier: MIT
// A composed filter against the same condition written by hand; metadata against a map of std::any.
#include <gossip/processing/filter.hpp>
#include <gossip/processing/metadata_filter.hpp>

#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <any>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using gossip::Event;
using gossip::EventType;

struct Order {
  std::uint64_t amount = 0;
  std::uint32_t country = 0;
  bool paid = false;
};
constexpr EventType<Order> placed{"order.placed"};

/// Events of which about half pass, in an order that no predictor learns.
std::vector<Event<Order>> orders() {
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

/// What stands behind the filter: something that costs a little and can fail.
struct Sum {
  std::uint64_t* sum;
  gossip::Status operator()(const Event<Order>& event, gossip::Context&) const {
    *sum += event.data().amount;
    return {};
  }
};

/// What a user would write without filters: a processor that looks before it does something.
auto by_hand(Sum next) {
  return [next](const Event<Order>& event, gossip::Context& context) -> gossip::Status {
    const Order& order = event.data();
    if (!(order.amount > 50 && order.paid && order.country != 3)) return {};
    return next(event, context);
  };
}

auto composed(Sum next) {
  return gossip::filtered(gossip::where([](const Order& order) { return order.amount > 50; }) &&
                              gossip::where(&Order::paid) &&
                              !gossip::where([](const Order& order) { return order.country == 3; }),
                          next);
}

/// Calls a processor as the bus does: the caller does not know it.
template <class P>
[[gnu::noinline]] gossip::Status call(P& processor, const Event<Order>& event,
                                      gossip::Context& context) {
  return processor(event, context);
}

template <auto make>
void filter_three(benchmark::State& state) {
  const auto events = orders();
  std::uint64_t sum = 0;
  auto processor = make(Sum{&sum});
  const std::stop_token none;
  gossip::Context context{none};
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (const auto& event : events) benchmark::DoNotOptimize(call(processor, event, context).ok());
  }
  benchmark::DoNotOptimize(sum);
  bench::report_items(state, state.iterations() * static_cast<std::int64_t>(events.size()),
                      allocated);
}
BENCHMARK_TEMPLATE(filter_three, by_hand)->Name("BM_HandWritten_filter/clauses:3");
BENCHMARK_TEMPLATE(filter_three, composed)->Name("BM_Filter_filter/clauses:3");

// ---- metadata: a present key among four ---------------------------------------------------------------

const std::array<std::pair<std::string, std::string>, 4> entries{
    {{"request_id", "7c0f4f2a"}, {"tenant", "acme"}, {"user", "alice"}, {"source", "checkout"}}};

/// `four`: events of which each has the four keys in an order of its own, or all in the same one.
enum class Keys { in_any_order, in_one_order };

constexpr std::size_t distinct_events = 256;  // a power of two
constexpr std::size_t events_per_round = 1024;

/// The numbers of the entries of event `n`, in the order in which they are set.
template <Keys keys>
std::array<std::size_t, 4> order_of(std::size_t n) {
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

/// The value of entry `i`: text, or a number if that is looked up in it.
template <class Value, class Wanted>
Value value_of(std::size_t i, std::size_t wanted) {
  if constexpr (std::is_same_v<Wanted, std::int64_t>) {
    if (i == wanted) return Value{std::int64_t{12345}};
  }
  return Value{entries[i].second};
}

template <class Wanted, Keys keys>
void BM_Filter_metadata(benchmark::State& state) {
  const auto wanted = static_cast<std::size_t>(state.range(0));
  std::vector<Event<Order>> events;
  for (std::size_t n = 0; n < distinct_events; ++n) {
    events.emplace_back(placed, Order{});
    for (const std::size_t i : order_of<keys>(n)) {
      events.back().with_metadata(entries[i].first,
                                  value_of<gossip::MetadataValue, Wanted>(i, wanted));
    }
  }
  const auto filter = gossip::by_metadata(entries[wanted].first,
                                          value_of<gossip::MetadataValue, Wanted>(wanted, wanted));
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (std::size_t n = 0; n < events_per_round; ++n) {
      benchmark::DoNotOptimize(passes(filter, events[n % distinct_events]));
    }
  }
  bench::report_items(state, state.iterations() * std::int64_t{events_per_round}, allocated);
}

/// The baseline: a map of std::any, and a comparison of the value found.
template <class Wanted, Keys keys>
void BM_MapOfAny_metadata(benchmark::State& state) {
  const auto wanted = static_cast<std::size_t>(state.range(0));
  std::vector<std::unordered_map<std::string, std::any>> maps(distinct_events);
  for (std::size_t n = 0; n < distinct_events; ++n) {
    for (const std::size_t i : order_of<keys>(n)) {
      maps[n].emplace(entries[i].first, value_of<std::any, Wanted>(i, wanted));
    }
  }
  const std::string key = entries[wanted].first;
  const auto value = std::any_cast<Wanted>(value_of<std::any, Wanted>(wanted, wanted));
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (std::size_t n = 0; n < events_per_round; ++n) {
      const auto& map = maps[n % distinct_events];
      const auto found = map.find(key);
      const Wanted* there = found == map.end() ? nullptr : std::any_cast<Wanted>(&found->second);
      benchmark::DoNotOptimize(there != nullptr && *there == value);
    }
  }
  bench::report_items(state, state.iterations() * std::int64_t{events_per_round}, allocated);
}

void key_axes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("key")->DenseRange(0, 3);
}
#define GOSSIP_BENCH_METADATA(wanted, name, keys)              \
  BENCHMARK_TEMPLATE(BM_MapOfAny_metadata, wanted, Keys::keys) \
      ->Name("BM_MapOfAny_metadata/" name "/keys:" #keys)      \
      ->Apply(key_axes);                                       \
  BENCHMARK_TEMPLATE(BM_Filter_metadata, wanted, Keys::keys)   \
      ->Name("BM_Filter_metadata/" name "/keys:" #keys)        \
      ->Apply(key_axes)
GOSSIP_BENCH_METADATA(std::string, "text", in_any_order);
GOSSIP_BENCH_METADATA(std::int64_t, "integer", in_any_order);
GOSSIP_BENCH_METADATA(std::string, "text", in_one_order);
GOSSIP_BENCH_METADATA(std::int64_t, "integer", in_one_order);

}  // namespace
