// SPDX-License-Identifier: MIT
#include <gossip/dispatch/worker_pool.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
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
using gossip::detail::WorkerPool;

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
    WorkerPool pool;
    pool.start(BusOptions{.workers = 3,
                          .on_worker_start = [&](std::size_t i) { note(started, i); },
                          .on_worker_stop = [&](std::size_t i) { note(stopped, i); }},
               3, [&](std::size_t i) {
                 note(ran, i);
                 const std::lock_guard lock{mutex};
                 all_started = all_started && started.size() == 3;
               });
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
  WorkerPool pool;
  REQUIRE_THROWS_AS(pool.start(BusOptions{.workers = 3,
                                          .on_worker_start =
                                              [](std::size_t i) {
                                                if (i == 1) throw std::runtime_error{"hook"};
                                              },
                                          .on_worker_stop = [&](std::size_t) { ++stopped; }},
                               3, [&](std::size_t) { ++ran; }),
                    std::runtime_error);
  REQUIRE(ran.load() == 0);
  REQUIRE(stopped.load() == 2);
}

TEST_CASE("WorkerPool: what copying the stop hook throws comes out of start", "[dispatch]") {
  struct Hook {
    Hook(std::thread::id owner, int copies) : thread{owner}, copies_left{copies} {}
    Hook(const Hook& other) : thread{other.thread}, copies_left{other.copies_left - 1} {
      // Thrown on a worker, nobody could catch it.
      if (copies_left == 0 || std::this_thread::get_id() != thread) {
        throw std::runtime_error{"copy"};
      }
    }
    void operator()(std::size_t) const {}
    std::thread::id thread;
    int copies_left;
  };
  int refused = 0;
  int bodies = 0;
  for (int copies = 1; copies < 12; ++copies) {
    const auto me = std::this_thread::get_id();
    BusOptions options{.workers = 1};
    try {
      options.on_worker_stop = Hook{me, copies};
    } catch (const std::runtime_error&) {
      continue;  // the options themselves
    }
    WorkerPool pool;
    try {
      pool.start(options, 1, [&](std::size_t) { ++bodies; });
      pool.join();
      REQUIRE(bodies == 1);  // copied on this thread alone
      bodies = 0;
    } catch (const std::runtime_error& error) {
      ++refused;
      REQUIRE(std::string{error.what()} == "copy");
      REQUIRE(bodies == 0);
    }
  }
  REQUIRE(refused >= 1);
}

#if defined(__linux__)
TEST_CASE("WorkerPool: workers have names cut to 15 bytes", "[dispatch]") {
  std::mutex mutex;
  std::set<std::string> names;
  {
    WorkerPool pool;
    pool.start(BusOptions{.workers = 2, .worker_name = "a-name-that-is-too-long"}, 2,
               [&](std::size_t) {
                 char name[16] = {};
                 pthread_getname_np(pthread_self(), name, sizeof name);
                 const std::lock_guard lock{mutex};
                 names.insert(name);
               });
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
    WorkerPool pool;
    pool.start(BusOptions{.workers = 2, .worker_cores = {core}}, 2, [&](std::size_t) {
      cpu_set_t mine;
      CPU_ZERO(&mine);
      pthread_getaffinity_np(pthread_self(), sizeof mine, &mine);
      if (CPU_COUNT(&mine) == 1 && CPU_ISSET(core, &mine)) ++right;
    });
  }
  REQUIRE(right.load() == 2);
}

TEST_CASE("WorkerPool: a core that does not exist comes out of start by number", "[dispatch]") {
  WorkerPool pool;
  try {
    pool.start(BusOptions{.workers = 1, .worker_cores = {1023}}, 1, [](std::size_t) {});
    SUCCEED("this machine has 1024 cores");
  } catch (const std::system_error& error) {
    REQUIRE(std::string{error.what()}.find("1023") != std::string::npos);
  }
}
#endif
