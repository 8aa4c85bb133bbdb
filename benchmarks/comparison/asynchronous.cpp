// SPDX-License-Identifier: MIT
// A: end to end. B: fan-out. F: the publisher's cost in a burst that fits the queue.
#include "comparison/contenders.hpp"
#include "comparison/measure.hpp"
#include "comparison/plan.hpp"
#include "support/allocations.hpp"

#if defined(GOSSIP_BENCH_HAS_BOOST)
#include <boost/signals2/signal.hpp>
#endif

#include <cstddef>
#include <cstdint>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {
namespace {

/// Publishes from all producers at once, and waits until all is handled.
/// @return nanoseconds per event, from the start of the producers, who are ready and warm, to the
///         end of the last processor
template <class C, class Handler>
double ns_per_event(const Setup& setup, Handler handler, Tallies& tallies, std::uint64_t events,
                    const std::string& run) {
  const std::uint64_t share = events / setup.producers;
  const std::uint64_t warm_up = share / 20 + 1;
  const std::uint64_t all = (share + warm_up) * setup.producers;
  double elapsed = 0;
  {
    C contender{setup, std::move(handler)};
    std::latch ready{static_cast<std::ptrdiff_t>(setup.producers)};
    std::latch start{1};
    Finish finish{setup.producers};
    std::vector<std::jthread> producers;
    for (std::size_t i = 0; i < setup.producers; ++i) {
      producers.emplace_back([&, value = i * (share + warm_up)]() mutable {
        auto publish = contender.publisher();
        for (std::uint64_t n = 0; n < warm_up; ++n) publish(Payload{++value});
        ready.count_down();
        start.wait();
        for (std::uint64_t n = 0; n < share; ++n) publish(Payload{++value});
        finish.arrive();
      });
    }
    ready.wait();
    tallies.wait_for(warm_up * setup.producers * setup.subscribers, run);
    const std::uint64_t begun = now_ns();
    start.count_down();
    finish.wait(run);
    tallies.wait_for(all * setup.subscribers, run);
    elapsed = static_cast<double>(now_ns() - begun);
  }
  tallies.verify(all, setup.subscribers, run);
  return elapsed / static_cast<double>(share * setup.producers);
}

std::string cell_of(const Setup& setup) {
  return std::to_string(setup.producers) + "x" + std::to_string(setup.workers);
}

/// @param make_handler  what is called for an event, made of a Tallies
template <class C, class MakeHandler>
void add_end_to_end(Plan& plan, char workload, const std::string& name, Setup setup,
                    std::uint64_t events, MakeHandler make_handler) {
  const std::string run = std::string{workload} + " " + cell_of(setup) + ", " + name;
  plan.cases.push_back({workload, cell_of(setup), name, [=](const Record& record) mutable {
                          const auto tallies = std::make_unique<Tallies>();
                          setup.tallies = tallies.get();
                          record("ns per event", ns_per_event<C>(setup, make_handler(*tallies),
                                                                 *tallies, events, run));
                        }});
}

void plan_end_to_end(Plan& plan) {
  for (const auto& [producers, workers] :
       {std::pair{1, 1}, {1, 2}, {2, 1}, {2, 2}, {4, 4}, {8, 2}}) {
    const Setup setup{.producers = static_cast<std::size_t>(producers),
                      .workers = static_cast<std::size_t>(workers)};
    const auto count = [](Tallies& tallies) { return Count{&tallies}; };
    const std::uint64_t events = plan.scaled(2'000'000);
    add_end_to_end<StampingBus<Count>>(plan, 'A', gossip_default, setup, events, count);
    add_end_to_end<PlainBus<Count>>(plan, 'A', gossip_unstamped, setup, events, count);
    for_each_peer<Count>([&]<class C>(const char* name, unsigned slowness) {
      add_end_to_end<C>(plan, 'A', name, setup, events / slowness, count);
    });
  }
}

#if defined(GOSSIP_BENCH_HAS_BOOST) && defined(GOSSIP_BENCH_HAS_CONCURRENTQUEUE)
/// Boost.Signals2 behind a queue.
struct Emit {
  using Signal = boost::signals2::signal<void(const Payload&)>;
  std::shared_ptr<Signal> signal = std::make_shared<Signal>();

  void operator()(const Payload& event) const { (*signal)(event); }
};
#endif

void plan_fan_out(Plan& plan) {
  for (const std::size_t producers : {1U, 2U}) {
    const Setup setup{.producers = producers, .workers = 2, .subscribers = 8};
    const std::uint64_t events = plan.scaled(600'000);
    const auto count = [](Tallies& tallies) { return Count{&tallies}; };
    const auto loop = [](Tallies& tallies) { return Loop{tallies, 8}; };
    add_end_to_end<StampingBus<Count>>(plan, 'B', gossip_default, setup, events, count);
    add_end_to_end<PlainBus<Count>>(plan, 'B', gossip_unstamped, setup, events, count);
    for_each_peer<Loop>([&]<class C>(const char* name, unsigned slowness) {
      add_end_to_end<C>(plan, 'B', name, setup, events / slowness, loop);
    });
#if defined(GOSSIP_BENCH_HAS_BOOST) && defined(GOSSIP_BENCH_HAS_CONCURRENTQUEUE)
    add_end_to_end<Moodycamel<Emit>>(plan, 'B', "moodycamel + Signals2", setup, events / 4,
                                     [](Tallies& tallies) {
                                       Emit emit;
                                       for (int i = 0; i < 8; ++i) {
                                         emit.signal->connect(Count{&tallies});
                                       }
                                       return emit;
                                     });
#endif
  }
}

/// One publisher, one worker, which is asleep when a burst begins.
template <class C>
void add_burst(Plan& plan, const std::string& name) {
  const std::uint64_t bursts = plan.scaled(200);
  const std::string run = "F, " + name;
  plan.cases.push_back({'F', "1x1", name, [=](const Record& record) {
                          constexpr std::uint64_t burst = 900;  // of 1024
                          constexpr std::uint64_t warm_up = 5;  // bursts
                          Tallies tallies;
                          const Setup setup{.tallies = &tallies};
                          std::vector<double> ns;
                          ns.reserve(bursts + warm_up);
                          std::uint64_t value = 0;
                          std::uint64_t allocated = 0;
                          {
                            C contender{setup, Count{&tallies}};
                            auto publish = contender.publisher();
                            for (std::uint64_t i = 0; i < bursts + warm_up; ++i) {
                              if (i == warm_up) allocated = allocations();
                              const std::uint64_t begun = now_ns();
                              for (std::uint64_t n = 0; n < burst; ++n) publish(Payload{++value});
                              ns.push_back(static_cast<double>(now_ns() - begun) / burst);
                              tallies.wait_for(value, run);
                            }
                            allocated = allocations() - allocated;
                          }
                          tallies.verify(value, 1, run);
                          ns.erase(ns.begin(), ns.begin() + warm_up);
                          record("ns per publish (median burst)", median(std::move(ns)));
                          record("allocations per event", static_cast<double>(allocated) /
                                                              static_cast<double>(bursts * burst));
                        }});
}

void plan_bursts(Plan& plan) {
  add_burst<StampingBus<Count>>(plan, gossip_default);
  add_burst<PlainBus<Count>>(plan, gossip_unstamped);
  for_each_peer<Count>([&]<class C>(const char* name, unsigned) { add_burst<C>(plan, name); });
}

}  // namespace

void plan_asynchronous(Plan& plan) {
  plan_end_to_end(plan);
  plan_fan_out(plan);
  plan_bursts(plan);
}

}  // namespace bench
