// SPDX-License-Identifier: MIT
// Every accepted event is handled once, or counted under the reason why not.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

using gossip::BusOptions;
using gossip::Errc;
using gossip::EventBus;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::Statistics;
using gossip::Status;
using gossip::test::eventually;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::repeat;
using gossip::test::scaled;

namespace {

struct Numbered {
  std::size_t publisher = 0;
  std::size_t number = 0;
};
/// The same, but it does not travel inline.
struct Large : Numbered {
  std::array<std::byte, 200> padding{};
};
constexpr EventType<Numbered> numbered{"stress.numbered"};
constexpr EventType<Large> large{"stress.large"};

/// How often each event of each publisher was seen.
class Seen {
 public:
  Seen(std::size_t publishers, std::size_t events)
      : events_{events}, counts_(publishers * events) {}
  void add(const Numbered& event) {
    counts_[event.publisher * events_ + event.number].fetch_add(1);
  }
  [[nodiscard]] unsigned of(std::size_t publisher, std::size_t number) const {
    return counts_[publisher * events_ + number].load();
  }
  [[nodiscard]] std::size_t total() const {
    std::size_t sum = 0;
    for (const auto& count : counts_) sum += count.load();
    return sum;
  }
  [[nodiscard]] unsigned most() const {
    unsigned most = 0;
    for (const auto& count : counts_) most = std::max(most, count.load());
    return most;
  }

 private:
  std::size_t events_;
  std::vector<std::atomic<unsigned>> counts_;
};

template <class Payload>
void check_conservation(const EventType<Payload>& type, OverflowPolicy policy, std::size_t workers,
                        std::size_t publishers) {
  const std::size_t events = scaled(40'000);
  Seen first{publishers, events};
  Seen second{publishers, events};
  EventBus bus{BusOptions{.workers = workers, .capacity = 16, .overflow = policy}};
  auto one = bus.subscribe(type, [&](const Payload& event) { first.add(event); });
  auto two = bus.subscribe(type, [&](const Payload& event) { second.add(event); });
  std::vector<std::atomic<std::size_t>> refused(publishers);
  std::vector<std::vector<bool>> accepted(publishers, std::vector<bool>(events));
  on_threads(publishers, [&](std::size_t self) {
    for (std::size_t i = 0; i < events; ++i) {
      Payload payload{};
      payload.publisher = self;
      payload.number = i;
      const Status status = bus.publish(type, payload);
      accepted[self][i] = status.ok();
      if (!status.ok()) ++refused[self];
    }
  });
  REQUIRE(bus.drain_for(patience));
  const Statistics stats = bus.stats();
  std::size_t refusals = 0;
  for (const auto& count : refused) refusals += count.load();
  const std::size_t offered = publishers * events;
  CHECK(first.most() <= 1);
  CHECK(second.most() <= 1);
  CHECK(first.total() == stats.handled);
  CHECK(second.total() == stats.handled);
  CHECK(stats.delivered == 2 * stats.handled);
  CHECK(stats.published == stats.handled + stats.dropped_oldest);
  CHECK(stats.published + stats.rejected + stats.dropped_newest == offered);
  CHECK(stats.rejected == refusals);
  CHECK(stats.depth == 0);
  CHECK(stats.in_flight == 0);
  for (std::size_t p = 0; p < publishers; ++p) {
    for (std::size_t i = 0; i < events; ++i) {
      if (first.of(p, i) != second.of(p, i)) FAIL("one subscription saw what the other did not");
      if (!accepted[p][i] && first.of(p, i) != 0) FAIL("a refused event was handled");
    }
  }
  switch (policy) {
    case OverflowPolicy::block: CHECK(stats.handled == offered); break;
    case OverflowPolicy::reject: CHECK(stats.handled == offered - refusals); break;
    case OverflowPolicy::drop_oldest: CHECK(stats.dropped_newest + stats.rejected == 0); break;
    case OverflowPolicy::drop_newest: CHECK(stats.dropped_oldest + stats.rejected == 0); break;
  }
}

}  // namespace

TEST_CASE("stress: every overflow policy conserves events", "[stress]") {
  const auto policy = GENERATE(OverflowPolicy::block, OverflowPolicy::reject,
                               OverflowPolicy::drop_oldest, OverflowPolicy::drop_newest);
  INFO(to_string(policy));
  check_conservation(numbered, policy, 1, 1);
  check_conservation(numbered, policy, 1, 3);
  check_conservation(numbered, policy, 3, 1);
  check_conservation(numbered, policy, 3, 3);
}

TEST_CASE("stress: events that do not travel inline are conserved", "[stress]") {
  const auto policy = GENERATE(OverflowPolicy::block, OverflowPolicy::reject,
                               OverflowPolicy::drop_oldest, OverflowPolicy::drop_newest);
  INFO(to_string(policy));
  check_conservation(large, policy, 2, 2);
}

TEST_CASE("stress: one worker keeps the order of each publisher", "[stress]") {
  constexpr std::size_t publishers = 4;
  const std::size_t events = scaled(50'000);
  std::vector<std::size_t> next(publishers, 0);  // of one worker: no lock
  bool in_order = true;
  EventBus bus{BusOptions{.workers = 1, .capacity = 8}};
  auto subscription = bus.subscribe(numbered, [&](const Numbered& event) {
    in_order = in_order && next[event.publisher]++ == event.number;
  });
  on_threads(publishers, [&](std::size_t self) {
    for (std::size_t i = 0; i < events; ++i) {
      if (!bus.publish(numbered, {self, i}).ok()) std::abort();
    }
  });
  REQUIRE(bus.drain_for(patience));
  REQUIRE(in_order);
  REQUIRE(next == std::vector<std::size_t>(publishers, events));
}

TEST_CASE("stress: drain from several threads returns once all is handled", "[stress]") {
  repeat(300, [] {
    std::atomic<std::size_t> handled{0};
    EventBus bus{BusOptions{.workers = 2, .capacity = 8}};
    auto subscription = bus.subscribe(numbered, [&](const Numbered&) { ++handled; });
    std::atomic<bool> sound{true};
    on_threads(3, [&](std::size_t self) {
      for (std::size_t i = 1; i <= 20; ++i) {
        if (!bus.publish(numbered, {self, i}).ok() || !bus.drain() || handled.load() < i) {
          sound = false;
        }
      }
    });
    REQUIRE(sound.load());
    REQUIRE(handled.load() == 60);
  });
}

TEST_CASE("stress: drain waits for what processors publish", "[stress]") {
  repeat(300, [] {
    std::atomic<std::size_t> handled{0};
    EventBus bus{BusOptions{.workers = 2, .capacity = 4}};
    auto subscription = bus.subscribe(numbered, [&](const Numbered& event) {
      if (event.number > 0 && !bus.publish(numbered, {0, event.number - 1}).ok()) std::abort();
      ++handled;
    });
    REQUIRE(bus.publish(numbered, {0, 30}).ok());
    REQUIRE(bus.drain());
    REQUIRE(handled.load() == 31);
  });
}

TEST_CASE("stress: event ids are unique across threads and buses", "[stress]") {
  constexpr std::size_t publishers = 3;
  const std::size_t events = scaled(8'000);
  std::mutex mutex;
  std::vector<gossip::EventId> ids;
  EventBus one{BusOptions{.workers = 2}};
  EventBus two{BusOptions{.workers = 2}};
  const auto keep = [&](const gossip::Event<Numbered>& event) {
    const gossip::EventId id = event.id();
    const std::lock_guard lock{mutex};
    ids.push_back(id);
  };
  auto first = one.subscribe(numbered, keep);
  auto second = two.subscribe(numbered, keep);
  on_threads(publishers, [&](std::size_t self) {
    for (std::size_t i = 0; i < events; ++i) {
      EventBus<>& bus = i % 2 == 0 ? one : two;
      gossip::Event<Numbered> built{numbered, {self, i}};
      Status status;
      switch (i % 4) {
        case 0: status = bus.publish(numbered, {self, i}); break;
        case 1: (void)built.id(); [[fallthrough]];
        case 2: status = bus.publish(std::move(built)); break;
        default:
          if (!bus.publish_sync(numbered, {self, i}).ok()) status = Errc::fatal;
      }
      if (!status.ok()) std::abort();
    }
  });
  REQUIRE(one.drain_for(patience));
  REQUIRE(two.drain_for(patience));
  REQUIRE(ids.size() == publishers * events);
  std::sort(ids.begin(), ids.end());
  REQUIRE(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
  REQUIRE(ids.front().origin != 0);
}
