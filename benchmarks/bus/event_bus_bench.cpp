// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>

#include "comparison/contenders.hpp"
#include "comparison/dispatchers.hpp"
#include "support/report_items.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <latch>
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
BENCHMARK(BM_EventBus_publish)
    ->Apply(publish_axes)
    ->Args({1, 4, sizeof(bench::Payload)})
    ->Args({1, 16, sizeof(bench::Payload)});
BENCHMARK(BM_BareRing_publish)->Apply(publish_axes);
BENCHMARK(BM_MutexPool_publish)->Apply(publish_axes);

// ---- publish: no payload, payloads that travel inline, and those that do not ------------------------

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

void BM_EventBus_publish_nothing(benchmark::State& state) {
  constexpr std::int64_t burst = 10'000;
  constexpr gossip::EventType<void> nothing{"bench.nothing"};
  gossip::EventBus bus{gossip::BusOptions{.workers = 1}};
  const auto subscription = bus.subscribe(nothing, [] {});
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) {
    for (std::int64_t i = 0; i < burst; ++i) {
      if (!bus.publish(nothing).ok()) state.SkipWithError("refused");
    }
    bus.drain();
  }
  bench::report_items(state, state.iterations() * burst, allocated);
}
BENCHMARK(BM_EventBus_publish_nothing)->UseRealTime();
BENCHMARK_TEMPLATE(publish_block, 96)
    ->Name("BM_EventBus_publish_block/producers:1/workers:1/payload_bytes:96")
    ->UseRealTime();
BENCHMARK_TEMPLATE(publish_block, 256)
    ->Name("BM_EventBus_publish_block/producers:1/workers:1/payload_bytes:256")
    ->UseRealTime();
BENCHMARK_TEMPLATE(publish_block, 10240)
    ->Name("BM_EventBus_publish_block/producers:1/workers:1/payload_bytes:10240")
    ->UseRealTime();

// ---- publish: many processors and publishers, and a queue that is full ------------------------------

/// Events that one thread publishes to that many processors; the other threads do the same.
template <class D>
void contention(benchmark::State& state) {
  static std::unique_ptr<D> dispatcher;
  if (state.thread_index() == 0) dispatcher = std::make_unique<D>(state.range(0));
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) dispatcher->publish();
  bench::report_items(state, state.iterations(), allocated);
  if (state.thread_index() == 0) dispatcher.reset();
}

/// A bus, and a queue with a mutex, each with two workers and processors that count nothing.
class CrowdedBus {
 public:
  explicit CrowdedBus(std::int64_t processors) {
    for (std::int64_t i = 0; i < processors; ++i) {
      handles_.push_back(bus_.subscribe(block_type<32>, [](const Block<32>&) {}));
    }
  }
  void publish() {
    if (!bus_.publish(block_type<32>, Block<32>{}).ok()) std::abort();
  }

 private:
  gossip::EventBus<> bus_{gossip::BusOptions{.workers = 2}};
  std::vector<gossip::Subscription> handles_;
};
class CrowdedPool {
 public:
  explicit CrowdedPool(std::int64_t processors)
      : processors_(static_cast<std::size_t>(processors), [](const bench::Payload&) {}) {}
  void publish() { publisher_(bench::Payload{1}); }

 private:
  struct CallAll {
    const std::vector<std::function<void(const bench::Payload&)>>* processors;
    void operator()(const bench::Payload& payload) const {
      for (const auto& processor : *processors) processor(payload);
    }
  };

  std::vector<std::function<void(const bench::Payload&)>> processors_;
  bench::MutexPool<CallAll> pool_{bench::Setup{.workers = 2}, CallAll{&processors_}};
  decltype(pool_.publisher()) publisher_ = pool_.publisher();
};
void BM_EventBus_contention(benchmark::State& state) { contention<CrowdedBus>(state); }
void BM_MutexPool_contention(benchmark::State& state) { contention<CrowdedPool>(state); }
BENCHMARK(BM_EventBus_contention)
    ->ArgName("subscribers")
    ->Arg(50)
    ->ThreadRange(1, 4)
    ->UseRealTime();
BENCHMARK(BM_MutexPool_contention)
    ->ArgName("subscribers")
    ->Arg(50)
    ->ThreadRange(1, 4)
    ->UseRealTime();

/// What a publisher pays whose event finds no room, the only worker being busy.
void BM_EventBus_publish_full(benchmark::State& state) {
  const auto overflow = static_cast<gossip::OverflowPolicy>(state.range(0));
  std::latch busy{1};
  std::latch enough{1};
  gossip::EventBus bus{gossip::BusOptions{.workers = 1, .capacity = 64, .overflow = overflow}};
  const auto subscription = bus.subscribe(block_type<32>, [&](const Block<32>&) {
    if (!busy.try_wait()) busy.count_down();
    enough.wait();
  });
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(bus.publish(block_type<32>, Block<32>{}));
    if (i == 0) busy.wait();
  }
  const std::uint64_t allocated = bench::allocations();
  for (auto _ : state) benchmark::DoNotOptimize(bus.publish(block_type<32>, Block<32>{}).ok());
  bench::report_items(state, state.iterations(), allocated);
  enough.count_down();
}
void policies(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("overflow");
  for (const auto policy : {gossip::OverflowPolicy::reject, gossip::OverflowPolicy::drop_oldest,
                            gossip::OverflowPolicy::drop_newest}) {
    benchmark->Arg(static_cast<int>(policy));
  }
}
BENCHMARK(BM_EventBus_publish_full)->Apply(policies);

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
