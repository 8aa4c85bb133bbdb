// SPDX-License-Identifier: MIT
// G: what the machine itself asks for the operations that queues are made of.
#include "comparison/measure.hpp"
#include "comparison/plan.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace bench {
namespace {

template <class Operation>
double ns_per(std::uint64_t count, Operation operation) {
  const std::uint64_t begun = now_ns();
  for (std::uint64_t i = 0; i < count; ++i) operation();
  return static_cast<double>(now_ns() - begun) / static_cast<double>(count);
}

template <class Operation>
void add_floor(Plan& plan, const std::string& name, Operation operation) {
  const std::uint64_t count = plan.scaled(200'000);
  plan.cases.push_back({'G', "one thread", name, [=](const Record& record) mutable {
                          record("ns", ns_per(count, operation));
                        }});
}

/// Two threads at once, on the same object.
template <class Operation>
void add_contended(Plan& plan, const std::string& name, Operation operation) {
  const std::uint64_t count = plan.scaled(400'000);
  plan.cases.push_back({'G', "two threads", name, [=](const Record& record) {
                          std::atomic<int> ready{0};
                          const auto run = [&] {
                            ready.fetch_add(1);
                            while (ready.load() != 2) std::this_thread::yield();
                            return ns_per(count, operation);
                          };
                          std::jthread other{run};
                          record("ns", run());
                        }});
}

std::atomic<std::uint64_t> counter{0};
std::mutex mutex;

}  // namespace

void plan_floors(Plan& plan) {
  const auto add = [] { counter.fetch_add(1, std::memory_order_relaxed); };
  const auto lock = [] { const std::lock_guard guard{mutex}; };
  add_floor(plan, "atomic add", add);
  add_contended(plan, "atomic add", add);
  add_floor(plan, "mutex lock + unlock", lock);
  add_contended(plan, "mutex lock + unlock", lock);
  add_floor(plan, "seq_cst fence", [] { std::atomic_thread_fence(std::memory_order_seq_cst); });
  add_floor(plan, "steady_clock", [] { keep(std::chrono::steady_clock::now()); });
  add_floor(plan, "system_clock", [] { keep(std::chrono::system_clock::now()); });
#if defined(__x86_64__)
  add_floor(plan, "time stamp counter", [] { keep(__rdtsc()); });
#endif
  add_floor(plan, "malloc + free, 64 bytes", [] {
    void* memory = std::malloc(64);
    keep(memory);
    std::free(memory);
  });
  add_floor(plan, "std::function call",
            [call = std::function<void()>{[] { keep(0); }}] { call(); });
  add_floor(plan, "sched_yield", [] { std::this_thread::yield(); });
}

}  // namespace bench
