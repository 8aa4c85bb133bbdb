// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// WorkerPool: a fixed set of named threads. Layer: dispatch.

#include <gossip/core/condition_variable.hpp>
#include <gossip/core/keeper.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/start_thread.hpp>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace gossip::detail {

/// What the threads of a pool run.
struct WorkerBody {
  void (*run)(void* context, std::size_t index);  ///< must not throw
  void* context;
};

/// What workers do about options that few buses have, so that a bus without any does not compile it.
struct WorkerHooks {
  /// What BusOptions ask for.
  template <class Options = BusOptions>
  static WorkerHooks of_options() noexcept {
    return {&begin_as_asked<Options>, [](const Options& options, std::size_t index) {
              if (options.on_worker_stop) options.on_worker_stop(index);
            }};
  }

  /// On each worker's thread, before any of them runs its body; may throw. Null: nothing.
  void (*begin)(const BusOptions& options, std::size_t index) = nullptr;
  /// On each worker's thread, when its body has ended; must not throw. Null: nothing.
  void (*end)(const BusOptions& options, std::size_t index) = nullptr;

 private:
  template <class Options>
  static void begin_as_asked(const Options& options, std::size_t index) {
    if (!options.worker_cores.empty()) {
      bind_to(options.worker_cores[index % options.worker_cores.size()]);
    }
    if (options.on_worker_start) options.on_worker_start(index);
  }

  static void bind_to([[maybe_unused]] unsigned core) {
#if defined(__linux__)
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (const int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set)) {
      char what[64];
      std::snprintf(what, sizeof what, "worker_cores: cannot run on core %u", core);
      throw std::system_error{error, std::generic_category(), what};
    }
#endif
  }
};

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

  /// Starts `count` threads and waits until each has run its start hook. Called once.
  /// @param options     outlive the threads
  /// @param keep_alive  held by each thread while it runs
  /// @param hooks       WorkerHooks::of_options(); none if the options are the defaults
  /// @throws what a start hook throws, std::system_error if a thread cannot be started or bound to
  ///         its core; no body has run then, and no thread is left
  void start(const BusOptions& options, std::size_t count, WorkerBody body,
             const Keeper& keep_alive, WorkerHooks hooks) {
    workers_.reset(new Workers{count});
    Start start{options, body, keep_alive, hooks};
    try {
      for (std::size_t i = 0; i < count; ++i) {
        Worker& worker = workers_->all[i];
        worker.start = &start;
        worker.index = i;
        worker.thread = start_thread(&run, &worker);
        ++workers_->started;
      }
    } catch (...) {
      start.fail(std::current_exception());
    }
    if (const std::exception_ptr failure = start.await(workers_->started, count)) {
      join();
      std::rethrow_exception(failure);
    }
  }

  /// Waits for every thread but the calling one.
  void join() noexcept {
    for (std::size_t i = 0; i < started(); ++i) {
      Thread& thread = workers_->all[i].thread;
      if (thread.joinable() && !thread.is_current()) thread.join();
    }
  }

  /// Lets the threads go; their bodies must keep alive what they use.
  void detach() noexcept {
    for (std::size_t i = 0; i < started(); ++i) {
      Thread& thread = workers_->all[i].thread;
      if (thread.joinable()) thread.detach();
    }
  }

 private:
  /// Holds every worker back until all have got through their hooks, or one has failed.
  class Start {
   public:
    Start(const BusOptions& bus_options, WorkerBody what, const Keeper& held,
          WorkerHooks around) noexcept
        : options{bus_options}, body{what}, keep_alive{held}, hooks{around} {}

    const BusOptions& options;
    const WorkerBody body;
    const Keeper& keep_alive;
    const WorkerHooks hooks;

    void fail(std::exception_ptr failure) {
      const std::lock_guard lock{mutex_};
      if (!failure_) failure_ = std::move(failure);
    }

    /// For a worker. @return true if it shall run its body
    bool arrive() {
      std::unique_lock lock{mutex_};
      ++arrived_;
      changed_.notify_all();
      while (!decided_) changed_.wait(lock);
      const bool go = go_;
      ++left_;
      changed_.notify_all();
      return go;
    }

    /// For the starter. Outlives the last use of this object by a worker.
    std::exception_ptr await(std::size_t started, std::size_t wanted) {
      std::unique_lock lock{mutex_};
      while (arrived_ != started) changed_.wait(lock);
      go_ = failure_ == nullptr && started == wanted;
      decided_ = true;
      changed_.notify_all();
      while (left_ != started) changed_.wait(lock);
      return failure_;
    }

   private:
    std::mutex mutex_;
    ConditionVariable changed_;
    std::size_t arrived_ = 0;
    std::size_t left_ = 0;
    bool decided_ = false;
    bool go_ = false;
    std::exception_ptr failure_;
  };

  struct Worker {
    Start* start = nullptr;
    std::size_t index = 0;
    Thread thread;
  };

  struct Workers {
    explicit Workers(std::size_t count) : all{count} {}

    const Owner<Worker[]> all;
    std::size_t started = 0;
  };

  [[nodiscard]] std::size_t started() const noexcept { return workers_ ? workers_->started : 0; }

  static void run(void* context) {
    const Worker& self = *static_cast<const Worker*>(context);
    Start& start = *self.start;
    // In locals, since `start` and perhaps the pool are gone when the body runs.
    const std::size_t index = self.index;
    const Keeper keep_alive = start.keep_alive;
    const BusOptions& options = start.options;
    const WorkerBody body = start.body;
    const WorkerHooks hooks = start.hooks;
    bool started = false;
    try {
      name_thread(options.worker_name, index);
      if (hooks.begin != nullptr) hooks.begin(options, index);
      started = true;
    } catch (...) {
      start.fail(std::current_exception());
    }
    if (start.arrive()) body.run(body.context, index);
    if (started && hooks.end != nullptr) hooks.end(options, index);
  }

  static void name_thread([[maybe_unused]] const std::string& prefix,
                          [[maybe_unused]] std::size_t index) {
#if defined(__linux__)
    const int digits = std::snprintf(nullptr, 0, "%zu", index);
    char name[48];  // of which the system takes 15 bytes
    std::snprintf(name, sizeof name, "%.*s-%zu", 14 - digits, prefix.c_str(), index);
    pthread_setname_np(pthread_self(), name);
#endif
  }

  Owner<Workers> workers_;
};

}  // namespace gossip::detail
