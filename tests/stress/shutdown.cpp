// SPDX-License-Identifier: MIT
// The end of a bus, while others still use it.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

using gossip::BusOptions;
using gossip::Errc;
using gossip::EventBus;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::ShutdownReport;
using gossip::Statistics;
using gossip::Status;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::repeat;

namespace {

constexpr EventType<int> tick{"stress.tick"};

}  // namespace

TEST_CASE("stress: shutdown races with publishers and every event is accounted for", "[stress]") {
  const auto policy = GENERATE(OverflowPolicy::block, OverflowPolicy::reject,
                               OverflowPolicy::drop_oldest, OverflowPolicy::drop_newest);
  INFO(to_string(policy));
  repeat(250, [&] {
    std::atomic<std::size_t> handled{0};
    std::atomic<std::size_t> accepted{0};
    std::atomic<std::size_t> full{0};
    std::atomic<std::size_t> closed{0};
    constexpr std::chrono::seconds limit = 2 * patience;
    bool clean = false;
    std::chrono::nanoseconds took{0};
    EventBus bus{BusOptions{.workers = 2, .capacity = 8, .overflow = policy}};
    auto subscription = bus.subscribe(tick, [&](const int&) { ++handled; });
    on_threads(4, [&](std::size_t self) {
      if (self == 0) {
        while (accepted.load() < 100) std::this_thread::yield();
        const auto begun = std::chrono::steady_clock::now();
        clean = bus.shutdown(limit).clean();
        took = std::chrono::steady_clock::now() - begun;
        return;
      }
      for (;;) {
        const Status status = bus.publish(tick, 1);
        if (status.ok()) {
          ++accepted;
        } else if (status == Errc::queue_full) {
          ++full;
          std::this_thread::yield();
        } else {
          ++closed;
          if (!(status == Errc::closed)) std::abort();
          return;
        }
      }
    });
    const Statistics stats = bus.stats();
    REQUIRE(clean);
    REQUIRE(took < limit / 2);  // it must not sit out its time: there are few events to handle
    REQUIRE(closed.load() == 3);
    REQUIRE(stats.refused_closed == 3);
    REQUIRE(stats.handled == handled.load());
    REQUIRE(stats.rejected == full.load());
    REQUIRE(stats.abandoned == 0);
    REQUIRE(stats.published == stats.handled + stats.dropped_oldest);
    REQUIRE(accepted.load() == stats.published + stats.dropped_newest);
    REQUIRE(bus.publish(tick, 2) == Errc::closed);
  });
}

TEST_CASE("stress: a shutdown without time abandons what is queued, and counts it", "[stress]") {
  repeat(400, [] {
    std::atomic<std::size_t> handled{0};
    std::atomic<std::size_t> accepted{0};
    EventBus bus{BusOptions{.workers = 2, .capacity = 64}};
    auto subscription = bus.subscribe(tick, [&](const int&) { ++handled; });
    ShutdownReport reports[2];
    on_threads(4, [&](std::size_t self) {
      if (self < 2) {
        while (accepted.load() < 50) std::this_thread::yield();
        reports[self] = bus.shutdown(std::chrono::nanoseconds{0});
      } else {
        while (bus.publish(tick, 1).ok()) ++accepted;
      }
    });
    REQUIRE((reports[0].complete || reports[1].complete));
    const ShutdownReport last = bus.shutdown();
    REQUIRE(last.complete);
    REQUIRE(accepted.load() == handled.load() + last.abandoned);
    REQUIRE(bus.stats().abandoned == last.abandoned);
  });
}

TEST_CASE("stress: a worker that publishes into a full queue during shutdown comes to its end",
          "[stress]") {
  repeat(60, [] {
    std::atomic<std::size_t> closed{0};
    Door full;
    Door go_on;
    EventBus bus{BusOptions{.workers = 1, .capacity = 2}};
    auto subscription = bus.subscribe(tick, [&](const int& number) {
      if (number != 0) return;
      full.open();
      go_on.wait();
      for (int i = 0; i < 3; ++i) {
        if (bus.publish(tick, 1) == Errc::closed) ++closed;
      }
    });
    REQUIRE(bus.publish(tick, 0).ok());
    REQUIRE(full.wait());
    REQUIRE(bus.publish(tick, 1).ok());
    REQUIRE(bus.publish(tick, 1).ok());
    std::atomic<bool> over{false};
    std::thread closer{[&] {
      const ShutdownReport report = bus.shutdown(patience);
      over = report.complete;
    }};
    REQUIRE(eventually([&] { return bus.publish(tick, 1) == Errc::closed; }));
    go_on.open();
    closer.join();
    REQUIRE(over.load());
    REQUIRE(closed.load() == 0);  // its own workers may still publish while it drains
    REQUIRE(bus.stats().handled == 6);
  });
}

TEST_CASE("stress: a publisher that waits for space is told when the bus closes", "[stress]") {
  repeat(100, [] {
    Door busy;
    Door go_on;
    EventBus bus{BusOptions{.workers = 1, .capacity = 2}};
    auto subscription = bus.subscribe(tick, [&](const int&) {
      busy.open();
      go_on.wait();
    });
    for (int i = 0; i < 3; ++i) {
      REQUIRE(bus.publish(tick, i).ok());
      if (i == 0) REQUIRE(busy.wait());
    }
    std::atomic<int> told{0};
    std::thread waiter{[&] { told = bus.publish(tick, 9) == Errc::closed ? 1 : -1; }};
    std::thread closer{[&] { bus.shutdown(patience); }};
    const bool in_time =
        eventually([&] { return told.load() != 0; }, patience / 2);  // worker still busy
    go_on.open();
    waiter.join();
    closer.join();
    REQUIRE(in_time);
    REQUIRE(told.load() == 1);
  });
}

TEST_CASE("stress: drain returns although a shutdown abandons what it waits for", "[stress]") {
  std::size_t abandoned = 0;
  repeat(20, [&] {
    Door busy;
    EventBus bus{BusOptions{.workers = 1, .capacity = 8}};
    auto subscription =
        bus.subscribe(tick, [&](const gossip::Event<int>&, gossip::Context& context) {
          busy.open();
          while (!context.stop_requested()) std::this_thread::yield();
        });
    for (int i = 0; i < 8; ++i) REQUIRE(bus.publish(tick, i).ok());
    REQUIRE(busy.wait());
    std::atomic<bool> returned{false};
    std::thread drainer{[&] {
      // A limit, so that the test ends; it must not be needed.
      bus.drain_for(patience);
      returned = true;
    }};
    bus.shutdown(std::chrono::nanoseconds{0});
    abandoned += bus.stats().abandoned;
    const bool in_time = eventually([&] { return returned.load(); }, patience / 2);
    drainer.join();
    REQUIRE(in_time);
  });
  REQUIRE(abandoned > 0);
}
