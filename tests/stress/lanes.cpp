// SPDX-License-Identifier: MIT
// Subscriptions with an order, a cap or an overflow policy of their own.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <latch>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

using gossip::BusOptions;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::LaneOptions;
using gossip::LaneOverflow;
using gossip::LaneStatistics;
using gossip::Ordering;
using gossip::Statistics;
using gossip::Status;
using gossip::Subscription;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::repeat;
using gossip::test::scaled;

namespace {

struct Item {
  std::uint32_t publisher = 0;
  std::uint32_t key = 0;
  std::uint64_t number = 0;  ///< of this publisher, for this key
};
constexpr EventType<Item> item{"lanes.item"};
constexpr EventType<Item> other_item{"lanes.other"};

/// Cheap random numbers; a state per thread.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_{seed * 0x9E3779B97F4A7C15U + 1} {}
  std::uint64_t next(std::uint64_t below) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_ % below;
  }

 private:
  std::uint64_t state_;
};

void work_for(std::uint64_t turns) {
  for (std::uint64_t i = 0; i < turns; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Checks that the events of one key come one at a time, those of a publisher in order.
class OrderCheck {
 public:
  OrderCheck(std::size_t publishers, std::size_t keys)
      : keys_{keys}, busy_(keys), expected_(publishers * keys) {}

  void operator()(const Item& event, std::size_t key) {
    if (busy_[key].exchange(true)) overlapped = true;
    std::uint64_t& expected = expected_[event.publisher * keys_ + key];
    if (event.number != expected++) disordered = true;
    seen.fetch_add(1, std::memory_order_relaxed);
    busy_[key].store(false);
  }

  std::atomic<bool> overlapped{false};
  std::atomic<bool> disordered{false};
  std::atomic<std::uint64_t> seen{0};

 private:
  std::size_t keys_;
  std::vector<std::atomic<bool>> busy_;
  std::vector<std::uint64_t> expected_;  ///< guarded by the order, if it holds
};

/// Which threads have come by.
class ThreadLog {
 public:
  void note() {
    thread_local const ThreadLog* noted = nullptr;
    if (noted == this) return;
    noted = this;
    const std::lock_guard lock{mutex_};
    threads_.insert(std::this_thread::get_id());
  }
  std::size_t count() const {
    const std::lock_guard lock{mutex_};
    return threads_.size();
  }
  /// Waits until so many have come by. @return false if they have not
  [[nodiscard]] bool wait_for(std::size_t threads) const {
    return gossip::test::eventually([&] { return count() >= threads; });
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::thread::id> threads_;
};

void check_sums(const LaneStatistics& lane) {
  CHECK(lane.accepted == lane.handled + lane.dropped_oldest + lane.coalesced + lane.unsubscribed +
                             lane.abandoned + lane.waiting + lane.in_flight);
}

void publish(EventBus<>& bus, const EventType<Item>& type, const Item& event) {
  if (!bus.publish(type, event).ok()) std::abort();
}

}  // namespace

TEST_CASE("stress: events of one key are handled in order, one at a time, by all workers",
          "[stress]") {
  constexpr std::size_t publishers = 4;
  constexpr std::size_t workers = 4;
  constexpr std::size_t keys = 61;
  const std::size_t events = scaled(10'000'000) / publishers;
  OrderCheck check{publishers, keys};
  ThreadLog threads;
  std::atomic<bool> left_alone{false};
  EventBus bus{BusOptions{.workers = workers}};
  auto subscription = bus.subscribe(
      item,
      [&](const Item& event) {
        thread_local Random random{std::hash<std::thread::id>{}(std::this_thread::get_id())};
        threads.note();
        if (event.publisher == 0 && event.number == 0 && event.key < workers) {
          if (!threads.wait_for(workers)) left_alone = true;  // each of them has something to do
        }
        work_for(random.next(100));
        check(event, event.key);
      },
      {.name = "by key", .ordering = Ordering::by_key(&Item::key)});
  std::atomic<std::uint64_t> plain{0};
  auto unordered = bus.subscribe(item, [&](const Item&) { ++plain; });
  on_threads(publishers, [&](std::size_t self) {
    Random random{self + 1};
    std::array<std::uint64_t, keys> next{};
    for (std::size_t i = 0; i < events; ++i) {
      const std::uint64_t key = random.next(keys);
      publish(bus, item,
              {static_cast<std::uint32_t>(self), static_cast<std::uint32_t>(key), next[key]++});
    }
  });
  REQUIRE(bus.drain_for(patience));
  CHECK_FALSE(check.overlapped.load());
  CHECK_FALSE(check.disordered.load());
  CHECK(check.seen.load() == publishers * events);
  CHECK(plain.load() == publishers * events);
  CHECK(threads.count() == workers);
  CHECK_FALSE(left_alone.load());
  const Statistics stats = bus.stats();
  CHECK(stats.published == publishers * events);
  CHECK(stats.handled == publishers * events);
  CHECK(stats.subscriptions.at(0).lane.handled == publishers * events);
  CHECK(stats.lanes.waiting + stats.lanes.in_flight == 0);
  check_sums(stats.lanes);
}

TEST_CASE("stress: each publisher's events are handled in order", "[stress]") {
  constexpr std::size_t publishers = 4;
  const std::size_t events = scaled(200'000);
  OrderCheck check{publishers, publishers};
  ThreadLog threads;
  std::atomic<bool> left_alone{false};
  EventBus bus{BusOptions{.workers = 4, .capacity = 64}};
  auto subscription =
      bus.subscribe(item,
                    [&](const Item& event) {
                      threads.note();
                      if (event.number == 0 && !threads.wait_for(2)) left_alone = true;
                      check(event, event.publisher);
                    },
                    {.ordering = Ordering::per_publisher(), .lane = {.capacity = 16}});
  std::latch begun{publishers};
  on_threads(publishers, [&](std::size_t self) {
    for (std::size_t i = 0; i < events; ++i) {
      publish(bus, item, {static_cast<std::uint32_t>(self), 0, i});
      if (i == 0) begun.arrive_and_wait();  // before anybody's second event takes the last place
    }
  });
  REQUIRE(bus.drain_for(patience));
  CHECK_FALSE(check.overlapped.load());
  CHECK_FALSE(check.disordered.load());
  CHECK(check.seen.load() == publishers * events);
  CHECK(threads.count() > 1);
  CHECK_FALSE(left_alone.load());
}

TEST_CASE("stress: max_concurrency is reached and never exceeded", "[stress]") {
  constexpr std::size_t cap = 2;
  const std::size_t events = scaled(200'000);
  std::atomic<std::size_t> inside{0};
  std::atomic<std::size_t> most{0};
  EventBus bus{BusOptions{.workers = 4}};
  auto subscription =
      bus.subscribe(item,
                    [&](const Item& event) {
                      const std::size_t now = inside.fetch_add(1) + 1;
                      std::size_t seen = most.load();
                      while (now > seen && !most.compare_exchange_weak(seen, now)) {
                      }
                      // The first wait for one another: if fewer were let in, they would wait for ever.
                      if (event.number < cap) {
                        if (!gossip::test::eventually([&] { return most.load() >= cap; }))
                          std::abort();
                      }
                      // Others would come in now, if they were let.
                      if (event.number % 32 == 0) {
                        for (int turn = 0; turn < 8; ++turn) std::this_thread::yield();
                      }
                      inside.fetch_sub(1);
                    },
                    {.max_concurrency = cap});
  on_threads(2, [&](std::size_t self) {
    for (std::size_t i = 0; i < events; ++i) {
      publish(bus, item, {static_cast<std::uint32_t>(self), 0, i * 2 + self});
    }
  });
  REQUIRE(bus.drain_for(patience));
  CHECK(most.load() == cap);
  CHECK(bus.stats().lanes.handled == 2 * events);
}

TEST_CASE("stress: every overflow policy of a lane conserves events", "[stress]") {
  const auto policy = GENERATE(LaneOverflow::block, LaneOverflow::reject, LaneOverflow::drop_oldest,
                               LaneOverflow::drop_newest, LaneOverflow::coalesce);
  const bool ordered = GENERATE(true, false);
  INFO(to_string(policy) << (ordered ? ", by key" : ", unordered"));
  constexpr std::size_t publishers = 3;
  const std::size_t events = scaled(40'000);
  std::atomic<std::uint64_t> seen{0};
  std::atomic<std::uint64_t> plain{0};
  std::atomic<std::uint64_t> refused{0};
  std::vector<std::atomic<unsigned>> calls(publishers * events);
  EventBus bus{BusOptions{.workers = 3, .capacity = 64}};
  auto subscription =
      bus.subscribe(item,
                    [&](const Item& event) {
                      ++seen;
                      ++calls[event.publisher * events + event.number];
                      work_for(200);
                    },
                    {.ordering = ordered ? Ordering::by_key(&Item::key) : Ordering{},
                     .max_concurrency = 2,
                     .lane = {.capacity = 8, .overflow = policy}});
  auto unordered = bus.subscribe(item, [&](const Item&) { ++plain; });
  on_threads(publishers, [&](std::size_t self) {
    for (std::size_t i = 0; i < events; ++i) {
      const Item event{static_cast<std::uint32_t>(self), static_cast<std::uint32_t>(i % 7), i};
      const Status status = bus.publish(item, event);
      if (status == Errc::queue_full) {
        ++refused;
      } else if (!status.ok()) {
        std::abort();
      }
    }
  });
  REQUIRE(bus.drain_for(patience));
  const Statistics stats = bus.stats();
  const LaneStatistics lane = stats.lanes;
  const std::uint64_t offered = publishers * events;
  check_sums(lane);
  CHECK(lane.waiting + lane.in_flight == 0);
  CHECK(lane.handled == seen.load());
  CHECK(stats.subscriptions.at(0).delivered == seen.load());
  CHECK(lane.accepted + lane.rejected + lane.dropped_newest == offered);
  CHECK(lane.rejected == refused.load());
  CHECK(stats.rejected == refused.load());
  CHECK(stats.published == offered - refused.load());
  CHECK(stats.handled == stats.published);
  CHECK(plain.load() == stats.published);
  CHECK(std::all_of(calls.begin(), calls.end(), [](const auto& n) { return n.load() <= 1; }));
  switch (policy) {
    case LaneOverflow::block: CHECK(lane.handled == offered); break;
    case LaneOverflow::reject: CHECK(lane.handled == offered - refused.load()); break;
    case LaneOverflow::drop_oldest: CHECK(lane.handled + lane.dropped_oldest == offered); break;
    case LaneOverflow::drop_newest: CHECK(lane.handled + lane.dropped_newest == offered); break;
    case LaneOverflow::coalesce:
      CHECK(lane.handled + lane.coalesced + lane.dropped_oldest == offered);
      break;
  }
}

TEST_CASE("stress: lane subscriptions come and go while events are published", "[stress]") {
  repeat(20, [] {
    constexpr std::size_t publishers = 2;
    const std::size_t events = scaled(4'000);
    std::atomic<std::size_t> publishing{publishers};
    std::atomic<std::uint64_t> steady{0};
    std::atomic<bool> late{false};
    EventBus bus{BusOptions{.workers = 3, .capacity = 64}};
    auto stays = bus.subscribe(item, [&](const Item&) { ++steady; },
                               {.ordering = Ordering::by_key(&Item::key)});
    on_threads(publishers + 2, [&](std::size_t self) {
      if (self < publishers) {
        for (std::size_t i = 0; i < events; ++i) {
          publish(bus, item,
                  {static_cast<std::uint32_t>(self), static_cast<std::uint32_t>(i % 5), i});
        }
        --publishing;
        return;
      }
      while (publishing.load() != 0) {
        const auto alive = std::make_shared<std::atomic<bool>>(true);
        auto subscription = bus.subscribe(
            item,
            [&late, alive](const Item&) {
              if (!alive->load()) late = true;
            },
            {.ordering = self % 2 == 0 ? Ordering::by_key([alive, &late](const Item& event) {
               if (!alive->load()) late = true;
               return event.key;
             })
                                       : Ordering::per_publisher(),
             .lane = {.capacity = 4}});
        std::this_thread::yield();
        subscription.cancel();
        alive->store(
            false);  // from here on neither the processor nor the key function may be called
      }
    });
    REQUIRE(bus.drain_for(patience));
    CHECK_FALSE(late.load());
    CHECK(steady.load() == publishers * events);
    const Statistics stats = bus.stats();
    check_sums(stats.lanes);
    CHECK(stats.lanes.waiting + stats.lanes.in_flight == 0);
    CHECK(stats.published == publishers * events);
    CHECK(stats.lanes.handled == stats.delivered);
  });
}

TEST_CASE("stress: a shutdown races with publishers to a lane", "[stress]") {
  const bool in_time = GENERATE(true, false);
  repeat(60, [in_time] {
    constexpr std::size_t publishers = 3;
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> handled{0};
    std::atomic<std::uint64_t> plain{0};
    std::atomic<std::size_t> started{0};
    EventBus bus{BusOptions{.workers = 2, .capacity = 16}};
    auto subscription =
        bus.subscribe(item,
                      [&](const Item&) {
                        ++handled;
                        work_for(500);
                      },
                      {.ordering = Ordering::by_key(&Item::key), .lane = {.capacity = 4}});
    auto unordered = bus.subscribe(item, [&](const Item&) { ++plain; });
    on_threads(publishers + 1, [&](std::size_t self) {
      if (self == publishers) {
        if (!gossip::test::eventually([&] { return started.load() == publishers; })) std::abort();
        bus.shutdown(in_time ? std::chrono::nanoseconds{patience} : std::chrono::nanoseconds{});
        return;
      }
      for (std::uint64_t i = 0;; ++i) {
        const Status status =
            bus.publish(item, {static_cast<std::uint32_t>(self), static_cast<std::uint32_t>(i), i});
        if (i == 5) ++started;
        if (status == Errc::closed) break;
        if (!status.ok()) std::abort();
        ++accepted;
      }
    });
    const Statistics stats = bus.stats();
    const gossip::ShutdownReport report = bus.shutdown();
    check_sums(stats.lanes);
    CHECK(stats.lanes.accepted == accepted.load());
    CHECK(stats.lanes.handled == handled.load());
    CHECK(stats.lanes.waiting + stats.lanes.in_flight == 0);
    CHECK(stats.published == accepted.load());
    CHECK(plain.load() + stats.abandoned == accepted.load());
    CHECK(stats.lanes.abandoned == report.abandoned_in_lanes);
    if (in_time) CHECK(report.clean());
  });
}

TEST_CASE("stress: attempts that are put off keep the order of their key", "[stress]") {
  const bool at_once = GENERATE(true, false);
  constexpr std::size_t keys = 5;
  const std::size_t events = scaled(20'000);
  std::array<std::atomic<std::uint64_t>, keys> next{};
  std::array<std::atomic<bool>, keys> busy{};
  std::atomic<bool> disordered{false};
  std::atomic<std::uint64_t> attempts{0};
  std::atomic<std::size_t> inside{0};
  std::atomic<bool> too_many{false};
  EventBus bus{BusOptions{.workers = 4}};
  auto subscription = bus.subscribe(
      item,
      [&](const Event<Item>& event, Context& context) -> Status {
        const Item& data = event.data();
        if (inside.fetch_add(1) >= 3) too_many = true;
        if (busy[data.key].exchange(true)) disordered = true;
        if (next[data.key].load() != data.number) disordered = true;
        ++attempts;
        Status status;
        if (context.attempt() <= data.number % 3) {
          if (!context.defer(at_once ? std::chrono::nanoseconds{}
                                     : std::chrono::microseconds{20})) {
            std::abort();
          }
          status = Errc::retryable;
        } else {
          ++next[data.key];
        }
        busy[data.key] = false;
        inside.fetch_sub(1);
        return status;
      },
      {.ordering = Ordering::by_key(&Item::key), .max_concurrency = 3, .lane = {.capacity = 64}});
  for (std::size_t i = 0; i < events; ++i) {
    publish(bus, item, {0, static_cast<std::uint32_t>(i % keys), i / keys});
  }
  REQUIRE(bus.drain_for(patience));
  CHECK_FALSE(disordered.load());
  CHECK_FALSE(too_many.load());
  std::uint64_t handled = 0;
  for (const auto& count : next) handled += count.load();
  CHECK(handled == events);
  const Statistics stats = bus.stats();
  CHECK(attempts.load() == events + stats.deferred);
  CHECK(stats.lanes.handled == events);
  CHECK(stats.deferred_waiting == 0);
  CHECK(stats.deferred_dropped == 0);
  check_sums(stats.lanes);
}

TEST_CASE("stress: cancelling a lane subscription while its retries are pending", "[stress]") {
  repeat(40, [] {
    EventBus bus{BusOptions{.workers = 2}};
    std::atomic<std::uint64_t> calls{0};
    auto subscription = bus.subscribe(
        item,
        [&](const Event<Item>& event, Context& context) -> Status {
          ++calls;
          context.defer(std::chrono::nanoseconds{event.data().number % 2 == 0 ? 0 : 30'000});
          return Errc::retryable;
        },
        {.ordering = Ordering::by_key(&Item::key)});
    for (std::uint32_t i = 0; i < 50; ++i) publish(bus, item, {0, i % 10, i});
    if (!gossip::test::eventually([&] { return calls.load() > 30; })) std::abort();
    subscription.cancel();
    const std::uint64_t made = calls.load();
    REQUIRE(bus.drain_for(patience));
    CHECK(calls.load() == made);
    const Statistics stats = bus.stats();
    check_sums(stats.lanes);
    CHECK(stats.lanes.accepted == 50);
    CHECK(stats.lanes.unsubscribed + stats.lanes.handled == 50);
    CHECK(stats.deferred_waiting == 0);
  });
}

TEST_CASE("stress: workers of two buses publish into each other's full lanes", "[stress]") {
  const std::size_t chains = scaled(2'000);
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> calls{0};
  EventBus one{BusOptions{.workers = 2, .capacity = 8, .max_nesting = 8}};
  EventBus two{BusOptions{.workers = 2, .capacity = 8, .max_nesting = 8}};
  const auto hop = [&](EventBus<>& to) {
    return [&](const Item& event) {
      ++calls;
      if (event.number == 0) return;
      const Status status = to.publish(item, {event.publisher, event.key + 1, event.number - 1});
      if (status == Errc::queue_full) {
        refused += 1;
      } else if (!status.ok()) {
        std::abort();
      }
    };
  };
  const gossip::SubscribeOptions options{.ordering = Ordering::by_key(&Item::key),
                                         .lane = {.capacity = 2}};
  auto first = one.subscribe(item, hop(two), options);
  auto second = two.subscribe(item, hop(one), options);
  auto itself = one.subscribe(other_item, hop(one), options);
  on_threads(2, [&](std::size_t self) {
    for (std::size_t i = 0; i < chains; ++i) {
      publish(self == 0 ? one : two, item, {0, static_cast<std::uint32_t>(i), 5});
      if (self == 0) publish(one, other_item, {0, static_cast<std::uint32_t>(i), 2});
    }
  });
  for (int i = 0; i < 8; ++i) {
    REQUIRE(one.drain_for(patience));
    REQUIRE(two.drain_for(patience));
  }
  const LaneStatistics lanes_one = one.stats().lanes;
  const LaneStatistics lanes_two = two.stats().lanes;
  check_sums(lanes_one);
  check_sums(lanes_two);
  CHECK(lanes_one.handled + lanes_two.handled == calls.load());
  CHECK(lanes_one.rejected + lanes_two.rejected == refused.load());
}

TEST_CASE("stress: publishers to several full lanes do not wait for one another in a circle",
          "[stress]") {
  const std::size_t events = scaled(20'000);
  EventBus bus{BusOptions{.workers = 2, .capacity = 4}};
  std::vector<Subscription> subscriptions;
  std::atomic<std::uint64_t> calls{0};
  for (int i = 0; i < 12; ++i) {
    for (const EventType<Item>& type : {item, other_item}) {
      subscriptions.push_back(bus.subscribe(type, [&](const Item&) { ++calls; },
                                            {.max_concurrency = 1, .lane = {.capacity = 1}}));
    }
  }
  on_threads(4, [&](std::size_t self) {
    for (std::size_t i = 0; i < events / 8; ++i) {
      publish(bus, self % 2 == 0 ? item : other_item, {0, 0, i});
    }
  });
  REQUIRE(bus.drain_for(patience));
  CHECK(calls.load() == events / 8 * 4 * 12);
}

TEST_CASE("stress: a lane of a pattern keeps one order for the events of all its types",
          "[stress]") {
  constexpr std::size_t publishers = 3;
  constexpr std::size_t keys = 7;
  const std::size_t events = scaled(40'000);
  OrderCheck check{publishers, keys};
  std::atomic<std::uint64_t> plain{0};
  EventBus bus{BusOptions{.workers = 3}};
  auto subscription = bus.subscribe(
      "lanes.*",
      [&](const gossip::AnyEvent& event) { check(event.get<Item>(), event.get<Item>().key); },
      {.ordering =
           Ordering::by_key([](const gossip::AnyEvent& event) { return event.get<Item>().key; }),
       .lane = {.capacity = 32}});
  auto unordered = bus.subscribe("*.item", [&](const gossip::AnyEvent&) { ++plain; });
  on_threads(publishers, [&](std::size_t self) {
    for (std::size_t i = 0; i < events; ++i) {
      publish(bus, i / keys % 2 == 0 ? item : other_item,  // types that come after the patterns
              {static_cast<std::uint32_t>(self), static_cast<std::uint32_t>(i % keys), i / keys});
    }
  });
  REQUIRE(bus.drain_for(patience));
  CHECK_FALSE(check.overlapped.load());
  CHECK_FALSE(check.disordered.load());
  CHECK(check.seen.load() == publishers * events);
  const Statistics stats = bus.stats();
  CHECK(stats.subscriptions.at(0).lane.handled == publishers * events);
  CHECK(stats.published == publishers * events);
  CHECK(plain.load() ==
        stats.types.at(stats.types.at(0).event_type == "lanes.item" ? 0 : 1).dispatched);
  subscription.cancel();
  publish(bus, other_item, {});
  REQUIRE(bus.drain_for(patience));
  CHECK(bus.stats().unmatched == 1);
}
