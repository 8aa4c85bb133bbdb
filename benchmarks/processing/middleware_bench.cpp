// SPDX-License-Identifier: MIT
// A chain against the same thing written by hand in one processor.
#include <gossip/processing/filter.hpp>
#include <gossip/processing/logging.hpp>
#include <gossip/processing/middleware.hpp>
#include <gossip/processing/recovery.hpp>
#include <gossip/processing/retry.hpp>
#include <gossip/processing/timeout.hpp>

#include "processing/equivalents.hpp"
#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace {

using bench::Order;
using bench::three_layers::Sum;
using gossip::Context;
using gossip::Event;
using gossip::Status;

/// What is told about the calls.
struct Counts {
  std::uint64_t* calls;
  void operator()(const gossip::LogRecord& record) const {
    *calls += static_cast<std::uint64_t>(record.attempt) + (record.duration.count() < 0 ? 1U : 0U);
  }
};

auto by_hand(Sum next, Counts) { return bench::three_layers::by_hand(next); }

auto chained(Sum next, Counts) { return bench::three_layers::composed(next); }

auto by_hand_counting(Sum next, Counts sink) {
  return [next, sink](const Event<Order>& event, Context& context) -> Status {
    const gossip::SteadyTime start = context.now();
    Status status;
    try {
      if (event.data().amount > 50) next(event.data());
    } catch (...) {
      status = gossip::status_of_current_exception();
    }
    sink({{},
          event.type(),
          context.subscription(),
          {},
          context.attempt(),
          context.now() - start,
          status,
          !status.ok() && context.deferred(),
          &event,
          [](const void* e) { return static_cast<const Event<Order>*>(e)->id(); }});
    return status;
  };
}

auto chained_counting(Sum next, Counts sink) {
  return gossip::chain(
      gossip::recovery(), gossip::logging(sink),
      gossip::filtered([](const Order& order) { return order.amount > 50; }))(next);
}

template <auto make>
void chain_of_three(benchmark::State& state) {
  const auto events = bench::orders();
  std::uint64_t sum = 0;
  std::uint64_t calls = 0;
  auto processor = make(Sum{&sum}, Counts{&calls});
  const std::stop_token none;
  Context context{none};
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (const auto& event : events)
      benchmark::DoNotOptimize(bench::call(processor, event, context).ok());
  }
  benchmark::DoNotOptimize(sum);
  bench::report_items(state, state.iterations() * static_cast<std::int64_t>(events.size()),
                      allocated);
}
BENCHMARK_TEMPLATE(chain_of_three, by_hand)->Name("BM_HandWritten_chain/sink:null");
BENCHMARK_TEMPLATE(chain_of_three, chained)->Name("BM_Chain_chain/sink:null");
BENCHMARK_TEMPLATE(chain_of_three, by_hand_counting)->Name("BM_HandWritten_chain/sink:counting");
BENCHMARK_TEMPLATE(chain_of_three, chained_counting)->Name("BM_Chain_chain/sink:counting");

auto bare(Sum next, Counts) {
  return [next](const Event<Order>& event, Context&) -> Status {
    next(event.data());
    return {};
  };
}
auto retried(Sum next, Counts) { return gossip::retry({.max_attempts = 4})(next); }
auto limited(Sum next, Counts) { return gossip::timeout({.limit = std::chrono::seconds{5}})(next); }

// What each costs where nothing fails, and nothing is late.
BENCHMARK_TEMPLATE(chain_of_three, bare)->Name("BM_HandWritten_call");
BENCHMARK_TEMPLATE(chain_of_three, retried)->Name("BM_Retry_call");
BENCHMARK_TEMPLATE(chain_of_three, limited)->Name("BM_Timeout_call");

}  // namespace
