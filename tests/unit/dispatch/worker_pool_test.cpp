// SPDX-License-Identifier: MIT
#include <gossip/dispatch/worker_pool.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

using gossip::BusOptions;
using gossip::detail::Kept;
using gossip::detail::WorkerPool;

namespace {

/// A pool whose options and whose body live as long as its threads.
template <class Body>
struct Pool {
  const BusOptions options;
  Body body;
  WorkerPool pool{};

  void start(const gossip::detail::Keeper& keep_alive = {}) {
    pool.start(options, options.workers,
               {[](void* self, std::size_t index) { static_cast<Pool*>(self)->body(index); }, this},
               keep_alive, gossip::detail::WorkerHooks::of_options());
  }
};
template <class Body>
Pool(BusOptions, Body) -> Pool<Body>;

}  // namespace

TEST_CASE("WorkerPool: every worker runs the body with its own index, between its hooks",
          "[dispatch]") {
  std::mutex mutex;
  std::set<std::size_t> started;
  std::set<std::size_t> ran;
  std::set<std::size_t> stopped;
  const auto note = [&](std::set<std::size_t>& set, std::size_t index) {
    const std::lock_guard lock{mutex};
    set.insert(index);
  };
  bool all_started = true;
  {
    Pool pool{BusOptions{.workers = 3,
                         .on_worker_start = [&](std::size_t i) { note(started, i); },
                         .on_worker_stop = [&](std::size_t i) { note(stopped, i); }},
              [&](std::size_t i) {
                note(ran, i);
                const std::lock_guard lock{mutex};
                all_started = all_started && started.size() == 3;
              }};
    pool.start();
  }
  const std::set<std::size_t> expected{0, 1, 2};
  REQUIRE(started == expected);
  REQUIRE(ran == expected);
  REQUIRE(stopped == expected);
  REQUIRE(all_started);  // no body begins before every hook has run
}

TEST_CASE("WorkerPool: what a start hook throws comes out of start, and no body runs",
          "[dispatch]") {
  std::atomic<int> ran{0};
  std::atomic<int> stopped{0};
  Pool pool{BusOptions{.workers = 3,
                       .on_worker_start =
                           [](std::size_t i) {
                             if (i == 1) throw std::runtime_error{"hook"};
                           },
                       .on_worker_stop = [&](std::size_t) { ++stopped; }},
            [&](std::size_t) { ++ran; }};
  REQUIRE_THROWS_AS(pool.start(), std::runtime_error);
  REQUIRE(ran.load() == 0);
  REQUIRE(stopped.load() == 2);
}

TEST_CASE("WorkerPool: each thread keeps alive what it was told to, while it runs", "[dispatch]") {
  static std::atomic<bool> exists;
  exists = true;
  struct Object : Kept {
    Object() : Kept{[](Kept* self) noexcept { delete static_cast<Object*>(self); }} {}
    ~Object() { exists = false; }
  };
  gossip::detail::Keeper kept{new Object};
  std::atomic<int> alive{0};
  gossip::test::Door let_go;
  Pool pool{BusOptions{.workers = 2}, [&](std::size_t) {
              if (let_go.wait() && exists) ++alive;
            }};
  pool.start(kept);
  kept = nullptr;
  let_go.open();
  pool.pool.join();
  REQUIRE(alive.load() == 2);
  REQUIRE_FALSE(exists.load());
}

#if defined(__linux__)
TEST_CASE("WorkerPool: workers have names cut to 15 bytes", "[dispatch]") {
  std::mutex mutex;
  std::set<std::string> names;
  {
    Pool pool{BusOptions{.workers = 2, .worker_name = "a-name-that-is-too-long"}, [&](std::size_t) {
                char name[16] = {};
                pthread_getname_np(pthread_self(), name, sizeof name);
                const std::lock_guard lock{mutex};
                names.insert(name);
              }};
    pool.start();
  }
  REQUIRE(names == std::set<std::string>{"a-name-that-i-0", "a-name-that-i-1"});
}

TEST_CASE("WorkerPool: workers run on the cores that were asked for", "[dispatch]") {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  unsigned core = 0;
  while (!CPU_ISSET(core, &allowed)) ++core;
  std::atomic<int> right{0};
  {
    Pool pool{BusOptions{.workers = 2, .worker_cores = {core}}, [&](std::size_t) {
                cpu_set_t mine;
                CPU_ZERO(&mine);
                pthread_getaffinity_np(pthread_self(), sizeof mine, &mine);
                if (CPU_COUNT(&mine) == 1 && CPU_ISSET(core, &mine)) ++right;
              }};
    pool.start();
  }
  REQUIRE(right.load() == 2);
}

TEST_CASE("WorkerPool: a core that does not exist comes out of start by number", "[dispatch]") {
  Pool pool{BusOptions{.workers = 1, .worker_cores = {1023}}, [](std::size_t) {}};
  try {
    pool.start();
    SUCCEED("this machine has 1024 cores");
  } catch (const std::system_error& error) {
    REQUIRE(std::string{error.what()}.find("1023") != std::string::npos);
  }
}
#endif
