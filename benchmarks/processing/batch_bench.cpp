// SPDX-License-Identifier: MIT
#include <gossip/processing/batch.hpp>

#include "processing/equivalents.hpp"
#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <thread>

namespace {

using bench::batch_of_100::Batch;
using bench::batch_of_100::MutexAndVector;

template <class B>
void add(benchmark::State& state) {
  static B batch;
  // A mutex is cheaper in a process that never had a second thread, which no user of a bus is.
  static std::jthread other{[] {}};
  const auto event = bench::batch_of_100::delivered();
  for (std::size_t i = 0; i < 3 * bench::batch_of_100::size; ++i) batch.add(event);
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) batch.add(event);
  bench::report_items(state, state.iterations(), allocated);
}

void BM_Batch_add(benchmark::State& state) { add<Batch>(state); }
void BM_MutexAndVector_add(benchmark::State& state) { add<MutexAndVector>(state); }
BENCHMARK(BM_Batch_add)->UseRealTime()->ThreadRange(1, 2);
BENCHMARK(BM_MutexAndVector_add)->UseRealTime()->ThreadRange(1, 2);

}  // namespace
