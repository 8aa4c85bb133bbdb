// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Lanes: the lanes of a bus, reused and never freed. Layer: dispatch.

#include <gossip/core/atomic_pointer.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/text.hpp>
#include <gossip/dispatch/lane.hpp>
#include <gossip/dispatch/lane_queue.hpp>
#include <gossip/dispatch/lane_statistics.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/type_table.hpp>
#include <gossip/queue/asymmetric_fence.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace gossip::detail {

/// Owns the lanes of a bus.
///
/// Thread safety: any thread; takes a mutex for a moment, but for no call of a lane.
class Lanes {
 public:
  /// @param host     who posts and runs the runners; `pending`, `abandoned` and `vacant` are filled in
  /// @param workers  the most runners that a lane may have at work
  Lanes(const LaneHost& host, std::size_t workers) noexcept : workers_{workers}, host_{host} {
    host_.pending = &pending_;
    host_.abandoned = &abandoned_;
    host_.vacant = [](void* self, Lane& lane) noexcept {
      static_cast<Lanes*>(self)->put_back(lane);
    };
    host_.owner = this;
  }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  ~Lanes() {
    while (Lane* lane = newest_.load(std::memory_order_relaxed)) {
      newest_.store(lane->links().made_before, std::memory_order_relaxed);
      delete lane;
    }
  }

  /// Fills in what the host has only once somebody asks for a lane: where nobody does, nothing refers
  /// to that code. To be called before settle_in(). Idempotent.
  void prepare(decltype(LaneHost::run) run, const PayloadOperations& envelope_operations,
               decltype(LaneHost::publish) publish) {
    const std::lock_guard lock{mutex_};
    if (host_.publish != nullptr) return;
    host_.run = run;
    host_.envelope_operations = &envelope_operations;
    host_.publish = publish;
  }
  /// For publishers that have seen a lane at the type: so it is prepared.
  [[nodiscard]] const LaneHost& host() const noexcept { return host_; }

  /// Gives a subscription that wants one a lane.
  /// @param to         a TypeEntry or an EventPattern
  /// @param subscribe  called with a lease for the lane, which it opens, or throws
  /// @return           what that returns
  /// @throws std::invalid_argument  an option is out of range
  /// @throws TypeAssertionError     the ordering's key function takes another payload
  /// @throws std::bad_alloc, and what `subscribe` throws
  template <class To, class Subscribe>
  auto settle_in(const SubscribeOptions& options, const To& to, Subscribe&& subscribe) {
    const PayloadInfo* payload = nullptr;  // any
    if constexpr (std::is_same_v<To, TypeEntry>) payload = to.payload;
    LaneTerms terms = terms_for(options, payload);
    Lane& vacant = lane();
    try {
      return subscribe(LaneLease{&vacant, &terms});
    } catch (...) {
      put_back(vacant);
      throw;
    }
  }

  /// A lane without a tenant; put back if none moves in. @throws std::bad_alloc
  Lane& lane() {
    const std::lock_guard lock{mutex_};
    if (vacant_ != nullptr) {
      Lane& lane = *vacant_;
      vacant_ = lane.links().next_vacant;
      return lane;
    }
    auto* lane = new Lane{host_, workers_};
    lane->links().made_before = newest_.load(std::memory_order_relaxed);
    newest_.store(lane, std::memory_order_release);  // (1)
    return *lane;
  }
  /// Takes back a lane that has no tenant.
  void put_back(Lane& lane) noexcept {
    const std::lock_guard lock{mutex_};
    lane.links().next_vacant = vacant_;
    vacant_ = &lane;
  }

  /// While it lives a publisher may still place an event: whoever waits for the end of all work waits
  /// for the publisher, too, or the publisher sees the bus closed.
  class Intent {
   public:
    explicit Intent(Lanes& lanes) noexcept : lanes_{lanes} {
      lanes_.pending_.fetch_add(1, std::memory_order_relaxed);
      light_fence();  // Dekker with the heavy fence of who closes the bus
    }
    Intent(const Intent&) = delete;
    Intent& operator=(const Intent&) = delete;
    ~Intent() {
      if (lanes_.pending_.fetch_sub(1, std::memory_order_release) == 1) lanes_.host_.idle->notify();
    }

   private:
    Lanes& lanes_;
  };

  /// Events that lanes have accepted and that are not done with, and publishers that may place more.
  [[nodiscard]] std::size_t pending() const noexcept {
    return pending_.load(std::memory_order_acquire);
  }
  /// What happened in all of them.
  [[nodiscard]] LaneStatistics totals() const noexcept {
    LaneStatistics totals;
    for_each([&](const Lane& lane) { totals += lane.totals(); });
    return totals;
  }

  /// Makes publishers that wait for a place look at what has changed.
  void wake_who_waits() noexcept {
    for_each([](Lane& lane) { lane.places().notify_all(); });
  }
  /// Drops what is left, and what a publisher places who is late. @pre no worker runs any more
  void sweep() noexcept {
    for_each([](Lane& lane) { lane.sweep(); });
  }
  /// How many events that were. // events
  [[nodiscard]] std::uint64_t abandoned() const noexcept { return abandoned_.load(); }

 private:
  LaneTerms terms_for(const SubscribeOptions& options, const PayloadInfo* payload) const {
    require_valid(options);
    const PayloadInfo* wanted = options.ordering.payload();
    if (wanted != nullptr && wanted != payload) {
      throw TypeAssertionError{
          std::string{wanted->name}, std::string{payload != nullptr ? payload->name : "any"},
          "the key function of SubscribeOptions::ordering takes another payload"};
    }
    const std::size_t most = options.max_concurrency;
    const std::size_t runners = most != 0 && most < workers_ ? most : workers_;
    return {options.ordering, options.lane.overflow, runners,
            Owner<LaneQueue>{new LaneQueue{options.lane.capacity, runners}}};
  }

  template <class Visit>
  void for_each(Visit&& visit) const {
    Lane* lane = newest_.load(std::memory_order_acquire);  // (2) pairs with (1)
    for (; lane != nullptr; lane = lane->links().made_before) visit(*lane);
  }

  const std::size_t workers_;
  LaneHost host_;
  std::atomic<std::size_t> pending_{0};
  std::atomic<std::uint64_t> abandoned_{0};
  AtomicPointer<Lane> newest_{nullptr};
  std::mutex mutex_;
  Lane* vacant_ = nullptr;
};

}  // namespace gossip::detail
