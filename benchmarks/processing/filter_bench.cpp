// SPDX-License-Identifier: MIT
// A composed filter against the same condition written by hand; metadata against a map of std::any.
#include <gossip/processing/filter.hpp>
#include <gossip/processing/metadata_filter.hpp>

#include "processing/equivalents.hpp"
#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <any>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <unordered_map>

namespace {

template <auto make>
void filter_three(benchmark::State& state) {
  const auto events = bench::orders();
  std::uint64_t sum = 0;
  auto processor = make(bench::three_clauses::Sum{&sum});
  const std::stop_token none;
  gossip::Context context{none};
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (const auto& event : events) {
      benchmark::DoNotOptimize(bench::call(processor, event, context).ok());
    }
  }
  benchmark::DoNotOptimize(sum);
  bench::report_items(state, state.iterations() * static_cast<std::int64_t>(events.size()),
                      allocated);
}
BENCHMARK_TEMPLATE(filter_three, bench::three_clauses::by_hand)
    ->Name("BM_HandWritten_filter/clauses:3");
BENCHMARK_TEMPLATE(filter_three, bench::three_clauses::composed)
    ->Name("BM_Filter_filter/clauses:3");

namespace four = bench::four_entries;

template <class Contender, four::Keys keys>
void match(benchmark::State& state) {
  const Contender contender{static_cast<std::size_t>(state.range(0)), keys};
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (std::size_t n = 0; n < four::distinct_events; ++n) {
      benchmark::DoNotOptimize(contender.matches(n));
    }
  }
  bench::report_items(state, state.iterations() * std::int64_t{four::distinct_events}, allocated);
}

void key_axes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("key")->DenseRange(0, 3);
}
#define GOSSIP_BENCH_METADATA(wanted, name, keys)                     \
  BENCHMARK_TEMPLATE(match, four::MapOfAny<wanted>, four::Keys::keys) \
      ->Name("BM_MapOfAny_metadata/" name "/keys:" #keys)             \
      ->Apply(key_axes);                                              \
  BENCHMARK_TEMPLATE(match, four::Filter<wanted>, four::Keys::keys)   \
      ->Name("BM_Filter_metadata/" name "/keys:" #keys)               \
      ->Apply(key_axes)
GOSSIP_BENCH_METADATA(std::string, "text", in_any_order);
GOSSIP_BENCH_METADATA(std::int64_t, "integer", in_any_order);
GOSSIP_BENCH_METADATA(std::string, "text", in_one_order);
GOSSIP_BENCH_METADATA(std::int64_t, "integer", in_one_order);

/// What a filter answers: that the entry is there and equal, there and different, or not there.
template <class Matches>
void answer(benchmark::State& state, Matches matches) {
  const auto event = gossip::Event{bench::placed, {}}
                         .with_metadata("tenant", "acme")
                         .with_metadata("user", "alice");
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) benchmark::DoNotOptimize(matches(event));
  bench::report_items(state, state.iterations(), allocated);
}
void BM_Filter_match(benchmark::State& state) {
  answer(state, gossip::by_metadata("tenant", "acme"));
}
void BM_Filter_no_match(benchmark::State& state) {
  answer(state, gossip::by_metadata("tenant", "ajax"));
}
void BM_Filter_missing(benchmark::State& state) { answer(state, gossip::has_metadata("region")); }
void BM_Map_missing(benchmark::State& state) {
  const std::unordered_map<std::string, std::any> map{{"tenant", 1}, {"user", 2}};
  const std::string wanted{"region"};
  answer(state, [&](const auto&) { return map.find(wanted) != map.end(); });
}
BENCHMARK(BM_Filter_match);
BENCHMARK(BM_Filter_no_match);
BENCHMARK(BM_Filter_missing);
BENCHMARK(BM_Map_missing);

}  // namespace
