// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What is compared: gossip and its peers, each put to its best reasonable use for the same job:
/// hand an event of 32 bytes to one of `workers` threads, which block when there is nothing to do.
/// At most about `capacity` events wait, and none is dropped.

#include <gossip/gossip.hpp>
#include <gossip/queue/back_off.hpp>
#include <gossip/queue/coalescing.hpp>
#include <gossip/queue/mpmc_queue.hpp>
#include <gossip/queue/space_gate.hpp>
#include <gossip/queue/worker_parking.hpp>

#include "comparison/measure.hpp"

#if defined(GOSSIP_BENCH_HAS_CONCURRENTQUEUE)
#include <blockingconcurrentqueue.h>
#endif
#if defined(GOSSIP_BENCH_HAS_BOOST)
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/lockfree/queue.hpp>
#endif
#if defined(GOSSIP_BENCH_HAS_TBB)
#include <oneapi/tbb/concurrent_queue.h>
#endif

#include <atomic>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

/// Semantic requirements:
/// 1. The constructor starts the workers; they call copies of, or references to, the handler.
/// 2. `publisher()` is called once by each publishing thread. What it returns hands over one event;
///    it waits while too many are under way.
/// 3. The destructor joins the workers. All events have been handled by then.
template <class C, class Handler>
concept Contender = std::constructible_from<C, const Setup&, Handler> &&
    requires(C& contender, const Payload& event) {
  contender.publisher()(event);
};

/// The last event that a queue ever sees. Whoever takes it puts it back for the next worker.
inline constexpr std::uint64_t stop_value = ~std::uint64_t{0};

/// Bounds what is under way in a peer that has no bound of its own: each publisher compares, every 32
/// events, what has been published with what has been handled, which costs next to nothing.
class Window {
  struct alignas(128) Published {
    std::atomic<std::uint64_t> count{0};
  };

 public:
  explicit Window(const Setup& setup)
      : setup_{setup}, published_{std::make_unique<Published[]>(setup.producers)} {}

  class Publisher {
   public:
    /// To be called before each event.
    void wait_for_space() {
      if (count_++ % 32 != 0) return;
      mine_->count.store(count_, std::memory_order_relaxed);
      while (window_->full()) std::this_thread::yield();
    }

   private:
    friend class Window;
    const Window* window_ = nullptr;
    Published* mine_ = nullptr;
    std::uint64_t count_ = 0;
  };

  /// Once for each publishing thread.
  [[nodiscard]] Publisher publisher() {
    Publisher publisher;
    publisher.window_ = this;
    publisher.mine_ = &published_[publishers_.fetch_add(1)];
    return publisher;
  }

 private:
  [[nodiscard]] bool full() const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < setup_.producers; ++i) {
      sum += published_[i].count.load(std::memory_order_relaxed);
    }
    const std::uint64_t handled = setup_.tallies->events() / setup_.subscribers;
    return sum >= handled + setup_.capacity;
  }

  const Setup setup_;
  const std::unique_ptr<Published[]> published_;
  std::atomic<std::size_t> publishers_{0};
};

// ---- gossip ---------------------------------------------------------------------------------------

inline constexpr gossip::EventType<Payload> event_type{"bench.event"};

/// The whole bus.
template <class Handler, gossip::Timestamps timestamps>
class Bus {
 public:
  Bus(const Setup& setup, const Handler& handler)
      : bus_{gossip::BusOptions{
            .workers = setup.workers, .capacity = setup.capacity, .timestamps = timestamps}} {
    for (std::size_t i = 0; i < setup.subscribers; ++i) {
      subscriptions_.push_back(bus_.subscribe(event_type, handler));
    }
  }

  auto publisher() {
    return [this](const Payload& event) {
      if (!bus_.publish(event_type, event).ok()) fail("gossip refused an event");
    };
  }

 private:
  gossip::EventBus<> bus_;
  std::vector<gossip::Subscription> subscriptions_;
};

template <class Handler>
using StampingBus = Bus<Handler, gossip::Timestamps::on>;
template <class Handler>
using PlainBus = Bus<Handler, gossip::Timestamps::off>;

// ---- baselines --------------------------------------------------------------------------------------

/// gossip's ring and parking, and no bus: what the bus itself costs is the difference.
template <class Handler>
class BareRing {
 public:
  BareRing(const Setup& setup, Handler handler)
      : handler_{std::move(handler)},
        alone_{setup.workers == 1 && gossip::detail::has_membarrier},
        queue_{setup.capacity},
        parking_{setup.workers} {
    if (alone_) space_.heads_change(gossip::detail::Changes::by_stores);
    for (std::size_t i = 0; i < setup.workers; ++i) workers_.emplace_back([this, i] { work(i); });
  }
  ~BareRing() {
    stopping_.store(true);
    parking_.stop();
  }

  auto publisher() {
    return [this](const Payload& event) {
      while (!queue_.try_push(event)) space_.wait(queue_, [] { return false; });
      parking_.notify(queue_);
    };
  }

 private:
  void work(std::size_t self) {
    gossip::detail::Coalescing coalescing;
    std::uint64_t taken = 0;
    while (!stopping_.load(std::memory_order_acquire)) {
      if (auto claim = alone_ ? queue_.try_claim_alone() : queue_.try_claim()) {
        ++taken;
        const Payload event = *claim;
        claim.release();
        gossip::detail::light_fence(true);
        if (space_.has_waiters()) space_.wake(queue_, claim.ticket());
        handler_(event);
        continue;
      }
      coalescing.wait(queue_, taken);
      if (!gossip::detail::spin_until([this] { return queue_.ready(); }, 10, 8)) {
        parking_.park(self, queue_);
      }
    }
  }

  const Handler handler_;
  const bool alone_;  ///< one worker takes all events
  gossip::MpmcQueue<Payload> queue_;
  gossip::detail::WorkerParking<> parking_;
  gossip::detail::SpaceGate<> space_;
  std::atomic<bool> stopping_{false};
  std::vector<std::jthread> workers_;
};

/// What everybody writes first: a mutex, two condition variables, a deque.
/// @tparam Task  what the deque holds: Payload, or std::function<void()>
template <class Handler, class Task>
class BasicMutexPool {
 public:
  BasicMutexPool(const Setup& setup, Handler handler)
      : handler_{std::move(handler)}, capacity_{setup.capacity} {
    for (std::size_t i = 0; i < setup.workers; ++i) workers_.emplace_back([this] { work(); });
  }
  ~BasicMutexPool() {
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
    }
    not_empty_.notify_all();
  }

  auto publisher() {
    return [this](const Payload& event) {
      {
        std::unique_lock lock{mutex_};
        not_full_.wait(lock, [this] { return tasks_.size() < capacity_; });
        tasks_.push_back(task_of(event));
      }
      not_empty_.notify_one();
    };
  }

 private:
  Task task_of(const Payload& event) {
    if constexpr (std::same_as<Task, Payload>) {
      return event;
    } else {
      return [this, event] { handler_(event); };
    }
  }

  void work() {
    for (;;) {
      std::unique_lock lock{mutex_};
      not_empty_.wait(lock, [this] { return !tasks_.empty() || closed_; });
      if (tasks_.empty()) return;
      const Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      not_full_.notify_one();
      if constexpr (std::same_as<Task, Payload>) {
        handler_(task);
      } else {
        task();
      }
    }
  }

  const Handler handler_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::deque<Task> tasks_;
  bool closed_ = false;
  std::vector<std::jthread> workers_;
};

template <class Handler>
using MutexPool = BasicMutexPool<Handler, Payload>;
template <class Handler>
using FunctionMutexPool = BasicMutexPool<Handler, std::function<void()>>;

// ---- moodycamel -------------------------------------------------------------------------------------

#if defined(GOSSIP_BENCH_HAS_CONCURRENTQUEUE)

/// moodycamel::BlockingConcurrentQueue of structs. try_enqueue allocates nothing, so the blocks made
/// at the start are the bound.
template <class Handler>
class Moodycamel {
 public:
  Moodycamel(const Setup& setup, Handler handler)
      : handler_{std::move(handler)}, queue_{setup.capacity} {
    for (std::size_t i = 0; i < setup.workers; ++i) workers_.emplace_back([this] { work(); });
  }
  ~Moodycamel() { queue_.enqueue(Payload{stop_value}); }

  auto publisher() {
    return [this](const Payload& event) {
      while (!queue_.try_enqueue(event)) std::this_thread::yield();
    };
  }

 private:
  void work() {
    Payload event;
    for (;;) {
      queue_.wait_dequeue(event);
      if (event.value == stop_value) break;
      handler_(event);
    }
    queue_.enqueue(event);
  }

  const Handler handler_;
  moodycamel::BlockingConcurrentQueue<Payload> queue_;
  std::vector<std::jthread> workers_;
};

/// The same with a token for each publisher and each worker; workers take up to 32 events at once.
/// With tokens a publisher gives no block back to the others, so a window is the bound.
template <class Handler>
class MoodycamelBulk {
 public:
  MoodycamelBulk(const Setup& setup, Handler handler)
      : handler_{std::move(handler)},
        window_{setup},
        queue_{setup.capacity, setup.producers, setup.workers + 1} {
    for (std::size_t i = 0; i < setup.workers; ++i) workers_.emplace_back([this] { work(); });
  }
  ~MoodycamelBulk() { queue_.enqueue(Payload{stop_value}); }

  auto publisher() {
    return [this, window = window_.publisher(),
            token = moodycamel::ProducerToken{queue_}](const Payload& event) mutable {
      window.wait_for_space();
      queue_.enqueue(token, event);
    };
  }

 private:
  void work() {
    moodycamel::ConsumerToken token{queue_};
    Payload events[32];
    for (bool stop = false; !stop;) {
      const std::size_t count = queue_.wait_dequeue_bulk(token, events, 32);
      for (std::size_t i = 0; i < count; ++i) {
        if (events[i].value == stop_value) {
          stop = true;
        } else {
          handler_(events[i]);
        }
      }
    }
    queue_.enqueue(Payload{stop_value});
  }

  const Handler handler_;
  Window window_;
  moodycamel::BlockingConcurrentQueue<Payload> queue_;
  std::vector<std::jthread> workers_;
};

#endif

// ---- Boost --------------------------------------------------------------------------------------------

#if defined(GOSSIP_BENCH_HAS_BOOST)

/// boost::lockfree::queue with nodes made beforehand; a semaphore blocks idle workers.
template <class Handler>
class LockfreeQueue {
 public:
  LockfreeQueue(const Setup& setup, Handler handler)
      : handler_{std::move(handler)}, queue_{setup.capacity} {
    for (std::size_t i = 0; i < setup.workers; ++i) workers_.emplace_back([this] { work(); });
  }
  ~LockfreeQueue() { push(Payload{stop_value}); }

  auto publisher() {
    return [this](const Payload& event) { push(event); };
  }

 private:
  void push(const Payload& event) {
    while (!queue_.bounded_push(event)) std::this_thread::yield();
    waiting_.release();
  }

  void work() {
    Payload event;
    for (;;) {
      waiting_.acquire();
      while (!queue_.pop(event)) gossip::detail::pause_processor();
      if (event.value == stop_value) break;
      handler_(event);
    }
    push(event);
  }

  const Handler handler_;
  boost::lockfree::queue<Payload> queue_;
  std::counting_semaphore<> waiting_{0};
  std::vector<std::jthread> workers_;
};

/// boost::asio::post to a thread_pool.
template <class Handler>
class Asio {
 public:
  Asio(const Setup& setup, Handler handler)
      : handler_{std::move(handler)}, window_{setup}, pool_{setup.workers} {}
  ~Asio() { pool_.join(); }

  auto publisher() {
    return [this, window = window_.publisher()](const Payload& event) mutable {
      window.wait_for_space();
      boost::asio::post(pool_, [this, event] { handler_(event); });
    };
  }

 private:
  const Handler handler_;
  Window window_;
  boost::asio::thread_pool pool_;
};

#endif

// ---- oneTBB -------------------------------------------------------------------------------------------

#if defined(GOSSIP_BENCH_HAS_TBB)

/// oneTBB's concurrent_bounded_queue, which blocks on both sides by itself.
template <class Handler>
class TbbQueue {
 public:
  TbbQueue(const Setup& setup, Handler handler) : handler_{std::move(handler)} {
    queue_.set_capacity(static_cast<std::ptrdiff_t>(setup.capacity));
    for (std::size_t i = 0; i < setup.workers; ++i) workers_.emplace_back([this] { work(); });
  }
  ~TbbQueue() { queue_.push(Payload{stop_value}); }

  auto publisher() {
    return [this](const Payload& event) { queue_.push(event); };
  }

 private:
  void work() {
    Payload event;
    for (;;) {
      queue_.pop(event);
      if (event.value == stop_value) break;
      handler_(event);
    }
    queue_.push(event);
  }

  const Handler handler_;
  tbb::concurrent_bounded_queue<Payload> queue_;
  std::vector<std::jthread> workers_;
};

#endif

// ---- all of them --------------------------------------------------------------------------------------

/// Calls `visit.operator()<C>(name, slowness)` for each contender but gossip's buses. The slower one
/// is, the fewer events it is given.
template <class Handler, class Visit>
void for_each_peer(Visit&& visit) {
  const auto call = [&]<Contender<Handler> C>(const char* name, unsigned slowness) {
    visit.template operator()<C>(name, slowness);
  };
  call.template operator()<BareRing<Handler>>("bare ring", 1);
#if defined(GOSSIP_BENCH_HAS_CONCURRENTQUEUE)
  call.template operator()<Moodycamel<Handler>>("moodycamel", 2);
  call.template operator()<MoodycamelBulk<Handler>>("moodycamel tokens+bulk", 2);
#endif
#if defined(GOSSIP_BENCH_HAS_BOOST)
  call.template operator()<LockfreeQueue<Handler>>("Boost.Lockfree", 4);
  call.template operator()<Asio<Handler>>("Boost.Asio", 4);
#endif
#if defined(GOSSIP_BENCH_HAS_TBB)
  call.template operator()<TbbQueue<Handler>>("oneTBB", 8);
#endif
  call.template operator()<MutexPool<Handler>>("mutex pool", 8);
  call.template operator()<FunctionMutexPool<Handler>>("mutex pool of functions", 8);
}

static_assert(Contender<StampingBus<Count>, Count> && Contender<PlainBus<Count>, Count>);
static_assert(!Contender<Loop, Count>);  // it publishes nothing

}  // namespace bench
