// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What every measurement uses: the event, the processors, the clock, and the proof that nothing
/// was lost.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bench {

/// Ends the program, at once: the contender that lost an event cannot be trusted to stop.
[[noreturn]] inline void fail(const std::string& what) {
  std::fflush(stdout);
  std::fprintf(stderr, "gossip_bench: ERROR: %s\n", what.c_str());
  std::_Exit(1);
}

using SteadyClock = std::chrono::steady_clock;

[[nodiscard]] inline std::uint64_t now_ns() noexcept {
  return static_cast<std::uint64_t>(SteadyClock::now().time_since_epoch().count());
}

/// CPU time that the process, or the calling thread, has used. // nanoseconds
/// @{
[[nodiscard]] inline double cpu_ns(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}
[[nodiscard]] inline double process_cpu_ns() noexcept { return cpu_ns(CLOCK_PROCESS_CPUTIME_ID); }
[[nodiscard]] inline double thread_cpu_ns() noexcept { return cpu_ns(CLOCK_THREAD_CPUTIME_ID); }
/// @}

/// Keeps the optimiser from dropping the computation of `value`.
template <class T>
void keep(const T& value) noexcept {
  asm volatile("" : : "r,m"(value) : "memory");
}

[[nodiscard]] inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// The event of all workloads.
struct Payload {
  std::uint64_t value = 0;  ///< different for every event of a run, from 1
  std::uint64_t sent = 0;   ///< E: when it was published // nanoseconds
  std::uint64_t unused[2] = {};
};
static_assert(sizeof(Payload) == 32);

/// What the workers of one run have handled: one tally for each, on cache lines of its own.
class Tallies {
 public:
  static constexpr std::size_t max_threads = 64;

  /// The calling thread's place.
  [[nodiscard]] std::size_t place() noexcept {
    struct Cached {
      Tallies* owner;
      std::size_t place;
    };
    static thread_local constinit Cached cached{nullptr, 0};
    if (cached.owner != this) [[unlikely]] {
      cached = {this, threads_.fetch_add(1)};
      if (cached.place >= max_threads) fail("too many threads for the tallies");
    }
    return cached.place;
  }

  void add(std::uint64_t value) noexcept {
    Tally& mine = tallies_[place()];
    mine.sum.store(mine.sum.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
    mine.events.store(mine.events.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  /// Calls of processors so far.
  [[nodiscard]] std::uint64_t events() const noexcept { return total(&Tally::events); }

  /// Waits, asleep, for that many calls; a run that makes no progress for 20 seconds has lost events.
  void wait_for(std::uint64_t expected, const std::string& run) const {
    std::uint64_t seen = events();
    SteadyClock::time_point deadline = SteadyClock::now() + std::chrono::seconds{20};
    while (seen < expected) {
      std::this_thread::sleep_for(std::chrono::microseconds{20});
      const std::uint64_t events_now = events();
      if (events_now != seen) {
        seen = events_now;
        deadline = SteadyClock::now() + std::chrono::seconds{20};
      } else if (SteadyClock::now() > deadline) {
        fail(run + ": " + std::to_string(seen) + " of " + std::to_string(expected) + " calls");
      }
    }
  }

  /// Checks that the events 1 to `count` were handled, each `calls` times. The workers have ended.
  void verify(std::uint64_t count, std::uint64_t calls, const std::string& run) const {
    if (events() != count * calls || total(&Tally::sum) != count * (count + 1) / 2 * calls) {
      fail(run + ": events were lost or handled twice: " + std::to_string(events()) +
           " calls, expected " + std::to_string(count * calls));
    }
  }

 private:
  struct alignas(128) Tally {
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> sum{0};
  };

  [[nodiscard]] std::uint64_t total(std::atomic<std::uint64_t> Tally::*counter) const noexcept {
    std::uint64_t sum = 0;
    for (const Tally& tally : tallies_) sum += (tally.*counter).load(std::memory_order_acquire);
    return sum;
  }

  std::array<Tally, max_threads> tallies_;
  std::atomic<std::size_t> threads_{0};
};

/// Where a thread that measures waits for those that publish, asleep: one that looks at them every 70 us
/// takes a processor from them, or puts two of them on one.
class Finish {
 public:
  explicit Finish(std::size_t publishers) : missing_{publishers} {}

  /// For each publisher, when it has published everything.
  void arrive() {
    const std::lock_guard lock{mutex_};
    if (--missing_ == 0) all_here_.notify_one();
  }
  /// Waits for all of them; if that takes a minute, one of them stands still.
  void wait(const std::string& run) {
    std::unique_lock lock{mutex_};
    if (!all_here_.wait_for(lock, std::chrono::minutes{1}, [this] { return missing_ == 0; })) {
      fail(run + ": " + std::to_string(missing_) + " publishers have not finished after a minute");
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::size_t missing_;
};

/// The processor of all workloads but E.
struct Count {
  Tallies* tallies;

  void operator()(const Payload& event) const noexcept { tallies->add(event.value); }
};

/// Several processors, called in a loop: the floor, and what a queue of structs needs for a fan-out.
struct Loop {
  std::vector<std::function<void(const Payload&)>> processors;

  Loop(Tallies& tallies, std::size_t count) : processors(count, Count{&tallies}) {}
  void operator()(const Payload& event) const {
    for (const auto& processor : processors) processor(event);
  }
};

/// How a contender is to be set up.
struct Setup {
  std::size_t producers = 1;         ///< threads that publish
  std::size_t workers = 1;           ///< threads that run processors
  std::size_t subscribers = 1;       ///< calls per event
  std::size_t capacity = 1024;       ///< events that may wait
  const Tallies* tallies = nullptr;  ///< what has been handled
};

}  // namespace bench
