// SPDX-License-Identifier: MIT
#include <gossip/processing/batch.hpp>

#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct Payload {
  std::uint64_t words[4] = {};
};
using Event = gossip::Event<Payload>;
constexpr gossip::EventType<Payload> type{"bench.batch"};
constexpr std::size_t batch_size = 100;

/// What is done with a full batch, on either side.
struct Sum {
  void operator()(std::span<const Event> events) const {
    std::uint64_t sum = 0;
    for (const Event& event : events) sum += event.data().words[0];
    benchmark::DoNotOptimize(sum);
  }
};

/// The same by hand: a mutex, and vectors that are used again.
class MutexAndVector {
 public:
  MutexAndVector() { filling_.reserve(batch_size); }
  void add(const Event& event) {
    std::unique_lock lock{mutex_};
    filling_.push_back(event);
    if (filling_.size() == batch_size) flush(lock);
  }

 private:
  void flush(std::unique_lock<std::mutex>& lock) {
    std::vector<Event> full;
    if (!spare_.empty()) {
      full = std::move(spare_.back());
      spare_.pop_back();
    }
    full.reserve(batch_size);
    full.swap(filling_);
    lock.unlock();
    Sum{}(full);
    full.clear();
    lock.lock();
    spare_.push_back(std::move(full));
  }

  std::mutex mutex_;
  std::vector<Event> filling_;
  std::vector<std::vector<Event>> spare_;
};

class GossipBatch {
 public:
  void add(const Event& event) {
    if (!batch_.add(event).ok()) std::abort();
  }

 private:
  gossip::Batch<Payload> batch_{{.size = batch_size}, Sum{}};
};

/// An event as a bus delivers it: numbered, and stamped with ticks.
Event delivered() {
  static const gossip::detail::BatchExecutor executor =
      gossip::detail::Background::shared().executor();
  return gossip::detail::EventAccess::make<Payload>(
      gossip::detail::DeliveredHeader{type.key(), executor.stamp(executor.owner.get()),
                                      executor.source, 1},
      Payload{});
}

/// A process with a second thread: mutexes are cheaper without, which no user of a bus is.
void have_threads() {
  static std::jthread other{[](const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock lock{mutex};
    std::condition_variable_any{}.wait(lock, stop, [] { return false; });
  }};
}

template <class B>
void add(benchmark::State& state) {
  static B batch;
  have_threads();
  const Event event = delivered();
  for (std::size_t i = 0; i < 3 * batch_size; ++i) batch.add(event);
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) batch.add(event);
  bench::report_items(state, state.iterations(), allocated);
}

void BM_Batch_add(benchmark::State& state) { add<GossipBatch>(state); }
void BM_MutexAndVector_add(benchmark::State& state) { add<MutexAndVector>(state); }
BENCHMARK(BM_Batch_add)->ArgName("batch_size")->Arg(batch_size)->UseRealTime();
BENCHMARK(BM_MutexAndVector_add)->ArgName("batch_size")->Arg(batch_size)->UseRealTime();
BENCHMARK(BM_Batch_add)->ArgName("batch_size")->Arg(batch_size)->Threads(2)->UseRealTime();
BENCHMARK(BM_MutexAndVector_add)->ArgName("batch_size")->Arg(batch_size)->Threads(2)->UseRealTime();

/// Nanoseconds for one event.
template <class B>
double time_of(B& batch, const Event& event, std::size_t count) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) batch.add(event);
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  return time.count() / static_cast<double>(count);
}

/// Both in turns; the counter `ratio` is the median of their ratios.
void BM_Batch_add_compared(benchmark::State& state) {
  constexpr std::size_t count = 100 * batch_size;
  have_threads();
  GossipBatch batch;
  MutexAndVector baseline;
  const Event event = delivered();
  std::vector<double> ratios;
  for (auto _ : state) {
    const double ours = time_of(batch, event, count);
    ratios.push_back(ours / time_of(baseline, event, count));
  }
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  state.counters["ratio"] = *middle;
  state.SetItemsProcessed(state.iterations() * 2 * static_cast<std::int64_t>(count));
}
BENCHMARK(BM_Batch_add_compared)->ArgName("batch_size")->Arg(batch_size)->UseRealTime();

}  // namespace
