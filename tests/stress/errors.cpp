// SPDX-License-Identifier: MIT
// Processors and payloads that throw: no worker is lost, no event, and no error.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>

using gossip::BusOptions;
using gossip::Errc;
using gossip::ErrorReport;
using gossip::EventBus;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::Statistics;
using gossip::Status;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::scaled;

namespace {

constexpr EventType<std::size_t> job{"stress.job"};

/// Every seventh move and every fifth copy of a thread throws.
struct Fragile {
  explicit Fragile(std::size_t number) : value{number} { ++alive; }
  Fragile(const Fragile& from) : value{from.value} {
    if (++copies % 5 == 0) throw std::runtime_error{"copy"};
    ++alive;
  }
  Fragile(Fragile&& from) : value{from.value} {
    if (++moves % 7 == 0) throw std::runtime_error{"move"};
    ++alive;
  }
  Fragile& operator=(const Fragile&) = delete;
  Fragile& operator=(Fragile&&) = delete;
  ~Fragile() { --alive; }

  std::size_t value;
  static inline thread_local unsigned copies = 0;
  static inline thread_local unsigned moves = 0;
  static inline std::atomic<std::ptrdiff_t> alive{0};
};
constexpr EventType<Fragile> fragile{"stress.fragile"};

}  // namespace

TEST_CASE("stress: every failure of a processor reaches the error handler", "[stress]") {
  constexpr std::size_t publishers = 3;
  const std::size_t events = scaled(20'000) / 6 * 6;
  std::atomic<std::size_t> reports{0};
  std::atomic<std::size_t> wrong{0};
  std::atomic<std::size_t> succeeded{0};
  EventBus bus{BusOptions{.workers = 3, .capacity = 64, .on_error = [&](const ErrorReport& report) {
                            ++reports;
                            if (report.event_type != "stress.job" || report.status.ok() ||
                                report.event_id == gossip::EventId{}) {
                              ++wrong;
                            }
                            if (reports.load() % 2 == 0) throw std::runtime_error{"handler"};
                          }}};
  auto subscription = bus.subscribe(job, [&](const std::size_t& number) -> Status {
    switch (number % 6) {
      case 0: throw std::runtime_error{"thrown"};
      case 1: throw 5;
      case 2: return Errc::retryable;
      default: ++succeeded; return {};
    }
  });
  on_threads(publishers, [&](std::size_t) {
    for (std::size_t i = 0; i < events; ++i) {
      if (!bus.publish(job, i).ok()) std::abort();
    }
  });
  REQUIRE(bus.drain_for(patience));
  const Statistics stats = bus.stats();
  REQUIRE(stats.handled == publishers * events);
  REQUIRE(succeeded.load() == publishers * events / 2);
  REQUIRE(reports.load() == publishers * events / 2);
  REQUIRE(stats.delivered == succeeded.load());
  REQUIRE(stats.failed == reports.load());
  REQUIRE(stats.subscriptions.at(0).failed == reports.load());
  REQUIRE(stats.handler_failures > 0);
  REQUIRE(wrong.load() == 0);
}

TEST_CASE("stress: payloads whose copies and moves throw leave nothing behind", "[stress]") {
  constexpr std::size_t publishers = 3;
  const std::size_t events = scaled(20'000);
  for (const OverflowPolicy policy : {OverflowPolicy::block, OverflowPolicy::reject,
                                      OverflowPolicy::drop_oldest, OverflowPolicy::drop_newest}) {
    INFO(to_string(policy));
    std::atomic<std::size_t> handled{0};
    std::atomic<std::size_t> accepted{0};
    std::atomic<std::size_t> thrown{0};
    {
      EventBus bus{BusOptions{.workers = 2, .capacity = 8, .overflow = policy}};
      auto subscription = bus.subscribe(fragile, [&](const Fragile&) { ++handled; });
      on_threads(publishers, [&](std::size_t) {
        for (std::size_t i = 0; i < events; ++i) {
          try {
            const Fragile kept{i};
            const Status status =
                i % 2 == 0 ? bus.publish(fragile, kept) : bus.publish(fragile, Fragile{i});
            if (status.ok()) ++accepted;
          } catch (const std::runtime_error&) {
            ++thrown;
          }
        }
      });
      REQUIRE(bus.drain_for(patience));
      const Statistics stats = bus.stats();
      REQUIRE(thrown.load() > 0);
      REQUIRE(handled.load() == stats.handled);
      REQUIRE(accepted.load() == stats.handled + stats.dropped_oldest + stats.dropped_newest);
      REQUIRE(accepted.load() + stats.rejected + thrown.load() == publishers * events);
    }
    REQUIRE(Fragile::alive.load() == 0);
  }
}
