// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>

#include "comparison/contenders.hpp"
#include "comparison/dispatchers.hpp"
#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace {

using gossip::Timestamps;

// ---- publish: from one thread to workers, until all is handled --------------------------------------

template <class C>
void publish(benchmark::State& state) {
  constexpr std::int64_t burst = 10'000;
  const auto tallies = std::make_unique<bench::Tallies>();
  const bench::Setup setup{.workers = static_cast<std::size_t>(state.range(1)),
                           .tallies = tallies.get()};
  C contender{setup, bench::Count{tallies.get()}};
  auto publisher = contender.publisher();
  std::uint64_t value = 0;
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (std::int64_t i = 0; i < burst; ++i) publisher(bench::Payload{++value});
    while (tallies->events() != value) std::this_thread::yield();
  }
  bench::report_items(state, state.iterations() * burst, allocated);
}

void BM_EventBus_publish(benchmark::State& state) {
  publish<bench::StampingBus<bench::Count>>(state);
}
void BM_BareRing_publish(benchmark::State& state) { publish<bench::BareRing<bench::Count>>(state); }
void BM_MutexPool_publish(benchmark::State& state) {
  publish<bench::MutexPool<bench::Count>>(state);
}

void publish_axes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"producers", "workers", "payload_bytes"})->UseRealTime();
  for (const int workers : {1, 2}) benchmark->Args({1, workers, sizeof(bench::Payload)});
}
BENCHMARK(BM_EventBus_publish)->Apply(publish_axes);
BENCHMARK(BM_BareRing_publish)->Apply(publish_axes);
BENCHMARK(BM_MutexPool_publish)->Apply(publish_axes);

// ---- publish: payloads that travel inline, and those that do not ------------------------------------

template <std::size_t bytes>
struct Block {
  std::uint64_t words[bytes / sizeof(std::uint64_t)] = {};
};
template <std::size_t bytes>
inline constexpr gossip::EventType<Block<bytes>> block_type{"bench.block"};

template <std::size_t bytes>
void publish_block(benchmark::State& state) {
  constexpr std::int64_t burst = 10'000;
  gossip::EventBus bus{gossip::BusOptions{.workers = 1}};
  const auto subscription = bus.subscribe(block_type<bytes>, [](const Block<bytes>&) {});
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (std::int64_t i = 0; i < burst; ++i) {
      if (!bus.publish(block_type<bytes>, Block<bytes>{}).ok()) state.SkipWithError("refused");
    }
    bus.drain();
  }
  bench::report_items(state, state.iterations() * burst, allocated);
}

BENCHMARK_TEMPLATE(publish_block, 96)
    ->Name("BM_EventBus_publish_block/producers:1/workers:1/payload_bytes:96")
    ->UseRealTime();
BENCHMARK_TEMPLATE(publish_block, 256)
    ->Name("BM_EventBus_publish_block/producers:1/workers:1/payload_bytes:256")
    ->UseRealTime();

// ---- publish_sync, subscribe --------------------------------------------------------------------------

/// A dispatcher with that many subscriptions.
template <class D>
class Subscribed {
 public:
  explicit Subscribed(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      handles_.push_back(dispatcher_.subscribe(bench::Count{tallies_.get()}));
    }
  }
  Subscribed(const Subscribed&) = delete;
  Subscribed& operator=(const Subscribed&) = delete;
  ~Subscribed() {
    for (; !handles_.empty(); handles_.pop_back()) {
      dispatcher_.unsubscribe(std::move(handles_.back()));
    }
  }

  void publish() { dispatcher_.publish(bench::Payload{1}); }
  void subscribe_and_unsubscribe() {
    dispatcher_.unsubscribe(dispatcher_.subscribe(bench::Count{tallies_.get()}));
  }

 private:
  std::unique_ptr<bench::Tallies> tallies_ = std::make_unique<bench::Tallies>();
  D dispatcher_;
  std::vector<decltype(dispatcher_.subscribe(bench::Count{}))> handles_;
};

template <class D>
void publish_sync(benchmark::State& state) {
  Subscribed<D> subscribed{state.range(0)};
  subscribed.publish();
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) subscribed.publish();
  bench::report_items(state, state.iterations(), allocated);
}

template <class D>
void subscribe(benchmark::State& state) {
  Subscribed<D> subscribed{state.range(0)};
  subscribed.subscribe_and_unsubscribe();
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) subscribed.subscribe_and_unsubscribe();
  bench::report_items(state, state.iterations(), allocated);
}

void BM_EventBus_publish_sync(benchmark::State& state) {
  publish_sync<bench::SyncBus<Timestamps::on>>(state);
}
void BM_StdFunctionLoop_publish_sync(benchmark::State& state) {
  publish_sync<bench::FloorLoop>(state);
}
void BM_SharedMutex_publish_sync(benchmark::State& state) {
  publish_sync<bench::SharedMutexDispatcher>(state);
}
BENCHMARK(BM_EventBus_publish_sync)
    ->ArgName("subscribers")
    ->Arg(0)
    ->Arg(1)
    ->Arg(8)
    ->Arg(10)
    ->Arg(50)
    ->Arg(64);
BENCHMARK(BM_StdFunctionLoop_publish_sync)->ArgName("subscribers")->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(BM_SharedMutex_publish_sync)->ArgName("subscribers")->Arg(1)->Arg(8)->Arg(64);

void BM_EventBus_subscribe(benchmark::State& state) {
  subscribe<bench::SyncBus<Timestamps::on>>(state);
}
void BM_SharedMutex_subscribe(benchmark::State& state) {
  subscribe<bench::SharedMutexDispatcher>(state);
}
BENCHMARK(BM_EventBus_subscribe)->ArgName("others")->Arg(0)->Arg(100)->Arg(10'000);
BENCHMARK(BM_SharedMutex_subscribe)->ArgName("others")->Arg(0)->Arg(100)->Arg(10'000);

// ---- a bus and its end ------------------------------------------------------------------------------

void BM_EventBus_new_bus(benchmark::State& state) {
  for (auto _ : state) {
    gossip::EventBus bus{gossip::BusOptions{.workers = static_cast<std::size_t>(state.range(0))}};
    if (!bus.shutdown().clean()) state.SkipWithError("events were left");
  }
}
BENCHMARK(BM_EventBus_new_bus)->ArgName("workers")->Arg(1)->Arg(4)->Arg(16)->UseRealTime();

}  // namespace
