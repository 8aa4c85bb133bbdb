// SPDX-License-Identifier: MIT
// E: from publish to the start of the processor, with workers that are asleep in between; and what
// the workers cost meanwhile, and when nothing happens at all.
#include "comparison/contenders.hpp"
#include "comparison/measure.hpp"
#include "comparison/plan.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {
namespace {

struct Latencies {
  Tallies tallies;
  std::array<std::vector<std::uint32_t>, Tallies::max_threads> ns;

  explicit Latencies(std::size_t workers, std::size_t events) {
    for (std::size_t i = 0; i < workers; ++i) ns[i].reserve(events);
  }
};

/// Reads the clock before anything else.
struct Timing {
  Latencies* latencies;

  void operator()(const Payload& event) const {
    const std::uint64_t now = now_ns();
    latencies->ns[latencies->tallies.place()].push_back(
        static_cast<std::uint32_t>(now - event.sent));
    latencies->tallies.add(event.value);
  }
};

double quantile(const std::vector<std::uint32_t>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

/// Publishes one event per period; spins on the clock in between.
template <class C>
void pace(const Setup& setup, Latencies& latencies, std::uint64_t events, std::uint64_t period_ns,
          const Record& record, const std::string& run) {
  const std::uint64_t warm_up = events / 20 + 1;
  {
    C contender{setup, Timing{&latencies}};
    auto publish = contender.publisher();
    double workers_cpu = 0;
    std::uint64_t begun = 0;
    std::uint64_t due = now_ns();
    for (std::uint64_t value = 1; value <= warm_up + events; ++value) {
      while (now_ns() < due) gossip::detail::pause_processor();
      due += period_ns;
      publish(Payload{value, now_ns()});
      if (value == warm_up) {
        begun = now_ns();
        workers_cpu = process_cpu_ns() - thread_cpu_ns();
      }
    }
    workers_cpu = process_cpu_ns() - thread_cpu_ns() - workers_cpu;
    record("CPU of the workers, % of a core",
           100 * workers_cpu / static_cast<double>(now_ns() - begun));
    latencies.tallies.wait_for(warm_up + events, run);
  }
  latencies.tallies.verify(warm_up + events, 1, run);
}

template <class C>
void add_paced(Plan& plan, const std::string& name, std::size_t workers, std::uint64_t rate) {
  const std::uint64_t events = plan.scaled(rate * 6 / 10);  // 0.6 s
  const std::string cell = std::to_string(rate / 1000) + "k/s 1x" + std::to_string(workers);
  const std::string run = "E " + cell + ", " + name;
  plan.cases.push_back({'E', cell, name, [=](const Record& record) {
                          const auto latencies =
                              std::make_unique<Latencies>(workers, 2 * events + 2);
                          const Setup setup{.workers = workers, .tallies = &latencies->tallies};
                          pace<C>(setup, *latencies, events, 1'000'000'000 / rate, record, run);
                          std::vector<std::uint32_t> all;
                          for (const auto& of_one : latencies->ns)
                            all.insert(all.end(), of_one.begin(), of_one.end());
                          std::sort(all.begin(), all.end());
                          record("latency p50, us", quantile(all, 0.5) / 1000);
                          record("latency p90, us", quantile(all, 0.9) / 1000);
                          record("latency p99, us", quantile(all, 0.99) / 1000);
                          record("latency p99.9, us", quantile(all, 0.999) / 1000);
                        }});
}

/// With nothing to do for a second, after some work.
template <class C>
void add_idle(Plan& plan, const std::string& name) {
  const auto idle = std::chrono::milliseconds{1000};
  plan.cases.push_back({'E', "1 s idle", name, [=](const Record& record) {
                          Tallies tallies;
                          const Setup setup{.workers = 2, .tallies = &tallies};
                          C contender{setup, Count{&tallies}};
                          auto publish = contender.publisher();
                          for (std::uint64_t i = 1; i <= 1000; ++i) publish(Payload{i});
                          tallies.wait_for(1000, "E idle, " + name);
                          std::this_thread::sleep_for(std::chrono::milliseconds{20});
                          const double begun = process_cpu_ns();
                          std::this_thread::sleep_for(idle);
                          record("CPU when idle, ms", (process_cpu_ns() - begun) / 1e6);
                        }});
}

}  // namespace

void plan_latency(Plan& plan) {
  for (const std::uint64_t rate : {20'000U, 100'000U}) {
    for (const std::size_t workers : {1U, 2U}) {
      add_paced<StampingBus<Timing>>(plan, gossip_default, workers, rate);
      add_paced<MutexPool<Timing>>(plan, "mutex pool", workers, rate);
#if defined(GOSSIP_BENCH_HAS_BOOST)
      add_paced<Asio<Timing>>(plan, "Boost.Asio", workers, rate);
#endif
#if defined(GOSSIP_BENCH_HAS_CONCURRENTQUEUE)
      add_paced<Moodycamel<Timing>>(plan, "moodycamel", workers, rate);
#endif
    }
  }
  add_idle<StampingBus<Count>>(plan, gossip_default);
  add_idle<MutexPool<Count>>(plan, "mutex pool");
}

}  // namespace bench
