// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What is compared where the publisher itself calls the processors.

#include <gossip/gossip.hpp>

#include "comparison/contenders.hpp"
#include "comparison/measure.hpp"

#if defined(GOSSIP_BENCH_HAS_BOOST)
#include <boost/signals2/signal.hpp>
#endif

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace bench {

/// `subscribe(Count)` returns a handle that keeps the processor registered until `unsubscribe` is
/// given it; `publish` calls all processors.
template <class D>
concept Dispatcher = requires(D& dispatcher, Count processor, const Payload& event) {
  dispatcher.publish(event);
  dispatcher.unsubscribe(dispatcher.subscribe(processor));
};

/// The floor: a loop over std::function. No thread safety at all; subscriptions come and go at the
/// end only.
class FloorLoop {
 public:
  std::size_t subscribe(Count processor) {
    processors_.emplace_back(processor);
    return processors_.size();
  }
  void unsubscribe(std::size_t) { processors_.pop_back(); }
  void publish(const Payload& event) const {
    for (const auto& processor : processors_) processor(event);
  }

 private:
  std::vector<std::function<void(const Payload&)>> processors_;
};

/// The whole bus.
template <gossip::Timestamps timestamps>
class SyncBus {
 public:
  gossip::Subscription subscribe(Count processor) { return bus_.subscribe(event_type, processor); }
  void unsubscribe(gossip::Subscription subscription) { subscription.cancel(); }
  void publish(const Payload& event) {
    if (!bus_.publish_sync(event_type, event).ok()) fail("gossip refused an event");
  }

 private:
  gossip::EventBus<> bus_{gossip::BusOptions{.workers = 2, .timestamps = timestamps}};
};

/// What everybody writes first.
class SharedMutexDispatcher {
 public:
  std::uint64_t subscribe(Count processor) {
    const std::unique_lock lock{mutex_};
    entries_.push_back({++last_, processor});
    return last_;
  }
  void unsubscribe(std::uint64_t id) {
    const std::unique_lock lock{mutex_};
    for (auto at = entries_.end(); at != entries_.begin();) {
      if ((--at)->id == id) {
        entries_.erase(at);
        return;
      }
    }
  }
  void publish(const Payload& event) const {
    const std::shared_lock lock{mutex_};
    for (const Entry& entry : entries_) entry.processor(event);
  }

 private:
  struct Entry {
    std::uint64_t id;
    std::function<void(const Payload&)> processor;
  };

  mutable std::shared_mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t last_ = 0;
};

#if defined(GOSSIP_BENCH_HAS_BOOST)

class Signals2 {
 public:
  auto subscribe(Count processor) { return signal_.connect(processor); }
  void unsubscribe(const boost::signals2::connection& connection) { connection.disconnect(); }
  void publish(const Payload& event) const { signal_(event); }

 private:
  boost::signals2::signal<void(const Payload&)> signal_;
};

#endif

/// Calls `visit.operator()<D>(name, slowness)` for each. The slower one is, the fewer calls it makes.
template <class Visit>
void for_each_dispatcher(Visit&& visit) {
  const auto call = [&]<Dispatcher D>(const char* name, unsigned slowness) {
    visit.template operator()<D>(name, slowness);
  };
  call.template operator()<SyncBus<gossip::Timestamps::on>>("gossip", 1);
  call.template operator()<SyncBus<gossip::Timestamps::off>>("gossip, no time stamp", 1);
  call.template operator()<FloorLoop>("loop over std::function", 1);
  call.template operator()<SharedMutexDispatcher>("shared_mutex", 2);
#if defined(GOSSIP_BENCH_HAS_BOOST)
  call.template operator()<Signals2>("Boost.Signals2", 10);
#endif
}

}  // namespace bench
