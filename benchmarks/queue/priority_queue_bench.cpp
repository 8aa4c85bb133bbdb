// SPDX-License-Identifier: MIT
#include <gossip/queue/priority_queue.hpp>

#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using gossip::Priority;
using gossip::PriorityQueue;

struct Bytes {
  std::uint64_t words[4] = {};
};

/// A payload with a move of its own, too long to lie in the string itself.
struct Text {
  std::string text = "a text of more than fifteen bytes";
};

/// The baseline: a heap of (priority, sequence) under a mutex.
template <class T>
class MutexHeap {
 public:
  bool try_push(T&& value, Priority priority) {
    const std::lock_guard lock{mutex_};
    heap_.push(Entry{priority, ++last_, std::move(value)});
    return true;
  }
  std::optional<T> try_pop() {
    const std::lock_guard lock{mutex_};
    if (heap_.empty()) return std::nullopt;
    // The usual way around top() being const.
    std::optional<T> value{std::move(const_cast<Entry&>(heap_.top()).value)};
    heap_.pop();
    return value;
  }

 private:
  struct Entry {
    Priority priority;
    std::uint64_t sequence;
    T value;

    bool operator<(const Entry& other) const {
      return priority != other.priority ? priority > other.priority : sequence > other.sequence;
    }
  };

  std::mutex mutex_;
  std::priority_queue<Entry> heap_;
  std::uint64_t last_ = 0;
};

/// Pushes as many values as `depth` says, of all priorities, then pops them, on one thread.
template <class Queue, class T>
void push_pop(benchmark::State& state) {
  constexpr Priority mixture[] = {Priority::normal, Priority::high, Priority::normal,
                                  Priority::low};
  const auto depth = static_cast<std::size_t>(state.range(0));
  Queue queue;
  std::vector<T> values(depth);
  std::uint64_t allocated = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < depth; ++i) {
      benchmark::DoNotOptimize(queue.try_push(std::move(values[i]), mixture[i % 4]));
    }
    for (std::size_t i = 0; i < depth; ++i) values[i] = std::move(*queue.try_pop());
    if (allocated == 0) allocated = bench::allocations();  // the first round makes room
  }
  bench::report_items(state, state.iterations() * state.range(0), allocated);
}

template <class Queue, class T>
void push_pop_threads(benchmark::State& state) {
  static Queue* queue = nullptr;
  if (state.thread_index() == 0) queue = new Queue;
  const std::uint64_t allocated = bench::allocations();
  T value;
  for (auto _ : state) {
    benchmark::DoNotOptimize(queue->try_push(std::move(value), Priority::normal));
    if (auto popped = queue->try_pop()) value = std::move(*popped);
  }
  bench::report_items(state, state.iterations(), allocated);
  if (state.thread_index() == 0) delete std::exchange(queue, nullptr);
}

void BM_PriorityQueue_push_pop_bytes(benchmark::State& state) {
  push_pop<PriorityQueue<Bytes>, Bytes>(state);
}
void BM_MutexHeap_push_pop_bytes(benchmark::State& state) {
  push_pop<MutexHeap<Bytes>, Bytes>(state);
}
void BM_PriorityQueue_push_pop_text(benchmark::State& state) {
  push_pop<PriorityQueue<Text>, Text>(state);
}
void BM_MutexHeap_push_pop_text(benchmark::State& state) { push_pop<MutexHeap<Text>, Text>(state); }
void BM_PriorityQueue_threads_bytes(benchmark::State& state) {
  push_pop_threads<PriorityQueue<Bytes>, Bytes>(state);
}
void BM_MutexHeap_threads_bytes(benchmark::State& state) {
  push_pop_threads<MutexHeap<Bytes>, Bytes>(state);
}

BENCHMARK(BM_PriorityQueue_push_pop_bytes)->ArgName("depth")->Arg(8)->Arg(1000);
BENCHMARK(BM_MutexHeap_push_pop_bytes)->ArgName("depth")->Arg(8)->Arg(1000);
BENCHMARK(BM_PriorityQueue_push_pop_text)->ArgName("depth")->Arg(8)->Arg(1000);
BENCHMARK(BM_MutexHeap_push_pop_text)->ArgName("depth")->Arg(8)->Arg(1000);
BENCHMARK(BM_PriorityQueue_threads_bytes)->Threads(2)->UseRealTime();
BENCHMARK(BM_MutexHeap_threads_bytes)->Threads(2)->UseRealTime();

}  // namespace
