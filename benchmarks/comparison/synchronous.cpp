// SPDX-License-Identifier: MIT
// C: publish_sync. D: subscribe and unsubscribe.
#include "comparison/dispatchers.hpp"
#include "comparison/measure.hpp"
#include "comparison/plan.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {
namespace {

/// @return nanoseconds per call of `publish` on the slowest of the threads, which start together
template <class D>
double ns_per_publish(std::size_t thread_count, std::size_t subscribers, std::uint64_t calls,
                      const std::string& run) {
  const auto tallies = std::make_unique<Tallies>();
  const std::uint64_t warm_up = calls / 20 + 1;
  std::vector<double> elapsed(thread_count);
  {
    D dispatcher;
    std::vector<decltype(dispatcher.subscribe(Count{}))> handles;
    for (std::size_t i = 0; i < subscribers; ++i) {
      handles.push_back(dispatcher.subscribe(Count{tallies.get()}));
    }
    std::atomic<std::size_t> ready{0};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < thread_count; ++i) {
      threads.emplace_back([&, i, value = i * (warm_up + calls)]() mutable {
        for (std::uint64_t n = 0; n < warm_up; ++n) dispatcher.publish(Payload{++value});
        ready.fetch_add(1);
        while (ready.load() != thread_count) std::this_thread::yield();
        const std::uint64_t begun = now_ns();
        for (std::uint64_t n = 0; n < calls; ++n) dispatcher.publish(Payload{++value});
        elapsed[i] = static_cast<double>(now_ns() - begun);
      });
    }
    threads.clear();
    for (auto& handle : handles) dispatcher.unsubscribe(std::move(handle));
  }
  tallies->verify(thread_count * (warm_up + calls), subscribers, run);
  return *std::max_element(elapsed.begin(), elapsed.end()) / static_cast<double>(calls);
}

void plan_publish(Plan& plan) {
  for (const std::size_t subscribers : {1U, 8U, 64U}) {
    for (const std::size_t threads : {1U, 2U}) {
      for_each_dispatcher([&]<class D>(const char* name, unsigned slowness) {
        const std::string cell = std::to_string(subscribers);
        const std::string metric =
            threads == 1 ? "ns per publish_sync, one thread" : "ns per publish_sync, two threads";
        const std::uint64_t calls = plan.scaled(4'000'000) / (3 + subscribers) / slowness + 1;
        const std::string run = "C " + cell + " subscribers, " + name;
        plan.cases.push_back({'C', cell, name, [=](const Record& record) {
                                record(metric, ns_per_publish<D>(threads, subscribers, calls, run));
                              }});
      });
    }
  }
}

/// @return nanoseconds per pair of subscribe and unsubscribe, with `others` subscribed to the type
template <class D>
double ns_per_pair(std::size_t others, std::uint64_t pairs, const std::string& run) {
  const auto tallies = std::make_unique<Tallies>();
  double elapsed = 0;
  {
    D dispatcher;
    std::deque<decltype(dispatcher.subscribe(Count{}))> handles;
    for (std::size_t i = 0; i < others; ++i) {
      handles.push_back(dispatcher.subscribe(Count{tallies.get()}));
    }
    const auto pair = [&] { dispatcher.unsubscribe(dispatcher.subscribe(Count{tallies.get()})); };
    for (std::uint64_t n = 0; n < pairs / 20; ++n) pair();
    const std::uint64_t begun = now_ns();
    for (std::uint64_t n = 0; n < pairs; ++n) pair();
    elapsed = static_cast<double>(now_ns() - begun);
    std::jthread{[&] { dispatcher.publish(Payload{1}); }}.join();
    while (!handles.empty()) {
      dispatcher.unsubscribe(std::move(handles.back()));
      handles.pop_back();
    }
  }
  tallies->verify(1, others, run);
  return elapsed / static_cast<double>(pairs);
}

void plan_pairs(Plan& plan) {
  for (const std::size_t others : {0U, 100U, 10'000U}) {
    for_each_dispatcher([&]<class D>(const char* name, unsigned) {
      const std::string cell = std::to_string(others);
      const std::string run = "D " + cell + " others, " + name;
      const std::uint64_t pairs = plan.scaled(40'000);
      plan.cases.push_back({'D', cell, name, [=](const Record& record) {
                              record("ns per subscribe + unsubscribe",
                                     ns_per_pair<D>(others, pairs, run));
                            }});
    });
  }
}

}  // namespace

void plan_synchronous(Plan& plan) {
  plan_publish(plan);
  plan_pairs(plan);
}

}  // namespace bench
