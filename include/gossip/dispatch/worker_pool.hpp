// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// WorkerPool: a fixed set of named threads. Layer: dispatch.

#include <gossip/dispatch/options.hpp>

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace gossip::detail {

/// Threads that each run the same body with their own index, after the hooks, names and cores of
/// the options have been applied to all of them.
///
/// Thread safety: join() and detach() from one thread at a time; the rest from any.
class WorkerPool {
 public:
  WorkerPool() = default;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() { join(); }

  /// Starts `count` threads and waits until each has run its start hook. The body must not throw.
  /// @throws what a start hook throws, std::system_error if a thread cannot be started or bound to
  ///         its core; no body has run then, and no thread is left
  void start(const BusOptions& options, std::size_t count, std::function<void(std::size_t)> body) {
    const std::function<void(std::size_t)> last = options.on_worker_stop;
    threads_.reserve(count);
    Start start;
    try {
      for (std::size_t i = 0; i < count; ++i) {
        threads_.emplace_back(
            [&options, &start, body, last, i] { run(options, start, body, last, i); });
      }
    } catch (...) {
      start.fail(std::current_exception());
    }
    if (const std::exception_ptr failure = start.await(threads_.size(), count)) {
      join();
      std::rethrow_exception(failure);
    }
  }

  /// Waits for every thread but the calling one.
  void join() noexcept {
    for (std::thread& thread : threads_) {
      if (thread.joinable() && thread.get_id() != std::this_thread::get_id()) thread.join();
    }
  }

  /// Lets the threads go; their bodies must keep alive what they use.
  void detach() noexcept {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.detach();
    }
  }

 private:
  /// Holds every worker back until all have got through their hooks, or one has failed.
  class Start {
   public:
    void fail(std::exception_ptr failure) {
      const std::lock_guard lock{mutex_};
      if (!failure_) failure_ = std::move(failure);
    }

    /// For a worker. @return true if it shall run its body
    bool arrive() {
      std::unique_lock lock{mutex_};
      ++arrived_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return decided_; });
      const bool go = go_;
      ++left_;
      changed_.notify_all();
      return go;
    }

    /// For the starter. Outlives the last use of this object by a worker.
    std::exception_ptr await(std::size_t started, std::size_t wanted) {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [&] { return arrived_ == started; });
      go_ = failure_ == nullptr && started == wanted;
      decided_ = true;
      changed_.notify_all();
      changed_.wait(lock, [&] { return left_ == started; });
      return failure_;
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t arrived_ = 0;
    std::size_t left_ = 0;
    bool decided_ = false;
    bool go_ = false;
    std::exception_ptr failure_;
  };

  static void run(const BusOptions& options, Start& start,
                  const std::function<void(std::size_t)>& body,
                  const std::function<void(std::size_t)>& last, std::size_t index) {
    bool started = false;
    try {
      name_thread(options.worker_name, index);
      bind_thread(options.worker_cores, index);
      if (options.on_worker_start) options.on_worker_start(index);
      started = true;
    } catch (...) {
      start.fail(std::current_exception());
    }
    if (start.arrive()) body(index);  // `options` and `start` are gone after this line
    if (started && last) last(index);
  }

  static void name_thread([[maybe_unused]] const std::string& prefix,
                          [[maybe_unused]] std::size_t index) {
#if defined(__linux__)
    std::string suffix{'-'};
    suffix += std::to_string(index);
    pthread_setname_np(pthread_self(), (prefix.substr(0, 15 - suffix.size()) + suffix).c_str());
#endif
  }

  static void bind_thread([[maybe_unused]] const std::vector<unsigned>& cores,
                          [[maybe_unused]] std::size_t index) {
#if defined(__linux__)
    if (cores.empty()) return;
    const unsigned core = cores[index % cores.size()];
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (const int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set)) {
      throw std::system_error{error, std::generic_category(),
                              "worker_cores: cannot run on core " + std::to_string(core)};
    }
#endif
  }

  std::vector<std::thread> threads_;
};

}  // namespace gossip::detail
