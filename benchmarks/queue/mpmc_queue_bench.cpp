// SPDX-License-Identifier: MIT
#include <gossip/queue/mpmc_queue.hpp>

#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace {

template <std::size_t bytes>
struct Payload {
  std::uint64_t words[bytes / sizeof(std::uint64_t)] = {};
};

/// The baseline.
template <class T>
class MutexDeque {
 public:
  explicit MutexDeque(std::size_t capacity) : capacity_{capacity} {}

  bool try_push(const T& value) {
    const std::lock_guard lock{mutex_};
    if (values_.size() == capacity_) return false;
    values_.push_back(value);
    return true;
  }
  std::optional<T> try_pop() {
    const std::lock_guard lock{mutex_};
    if (values_.empty()) return std::nullopt;
    std::optional<T> value{values_.front()};
    values_.pop_front();
    return value;
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::deque<T> values_;
};

/// Pushes `burst` values, then pops them, on one thread: what the operations cost without a rival.
template <class Queue, class T>
void push_pop(benchmark::State& state) {
  constexpr std::int64_t burst = 64;
  Queue queue{1024};
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (std::int64_t i = 0; i < burst; ++i) benchmark::DoNotOptimize(queue.try_push(T{}));
    for (std::int64_t i = 0; i < burst; ++i) benchmark::DoNotOptimize(queue.try_pop());
  }
  bench::report_items(state, state.iterations() * burst, allocated);
}

template <std::size_t bytes>
void BM_MpmcQueue_push_pop(benchmark::State& state) {
  push_pop<gossip::MpmcQueue<Payload<bytes>>, Payload<bytes>>(state);
}
template <std::size_t bytes>
void BM_MutexDeque_push_pop(benchmark::State& state) {
  push_pop<MutexDeque<Payload<bytes>>, Payload<bytes>>(state);
}

BENCHMARK_TEMPLATE(BM_MpmcQueue_push_pop, 8)->Name("BM_MpmcQueue_push_pop/payload_bytes:8");
BENCHMARK_TEMPLATE(BM_MutexDeque_push_pop, 8)->Name("BM_MutexDeque_push_pop/payload_bytes:8");
BENCHMARK_TEMPLATE(BM_MpmcQueue_push_pop, 32)->Name("BM_MpmcQueue_push_pop/payload_bytes:32");
BENCHMARK_TEMPLATE(BM_MutexDeque_push_pop, 32)->Name("BM_MutexDeque_push_pop/payload_bytes:32");
BENCHMARK_TEMPLATE(BM_MpmcQueue_push_pop, 256)->Name("BM_MpmcQueue_push_pop/payload_bytes:256");
BENCHMARK_TEMPLATE(BM_MutexDeque_push_pop, 256)->Name("BM_MutexDeque_push_pop/payload_bytes:256");

}  // namespace
