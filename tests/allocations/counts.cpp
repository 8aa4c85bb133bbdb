// SPDX-License-Identifier: MIT
// What publishing and dispatching allocate once a bus has warmed up.
#include <gossip/gossip.hpp>

#include "support/counting_allocator.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>

using gossip::BusOptions;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::Timestamps;
using gossip::test::allocations;
using gossip::test::patience;

namespace {

template <std::size_t Bytes>
struct Block {
  std::array<std::byte, Bytes> bytes{};
};
constexpr EventType<Block<32>> small{"allocations.small"};
constexpr EventType<Block<96>> fitting{"allocations.fitting"};
constexpr EventType<Block<97>> large{"allocations.large"};
constexpr EventType<void> bare{"allocations.bare"};

constexpr std::size_t events = 2'000;

/// A bus with two processors of each type.
struct Fixture {
  explicit Fixture(const BusOptions& options) : bus{options} {
    for (int i = 0; i < 2; ++i) {
      bus.subscribe(small, [this](const Block<32>&) { ++handled; }).detach();
      bus.subscribe(fitting, [this](const Event<Block<96>>&) { ++handled; }).detach();
      bus.subscribe(large, [this](const Event<Block<97>>&, gossip::Context&) { ++handled; })
          .detach();
      bus.subscribe(bare, [this] { ++handled; }).detach();
    }
  }

  /// How many allocations `events` calls of `publish` cost, warm-up excluded.
  std::size_t cost(const std::function<bool()>& publish) {
    run(publish);
    const std::size_t before = allocations();
    run(publish);
    return allocations() - before;
  }

  EventBus<> bus;
  std::atomic<std::size_t> handled{0};

 private:
  void run(const std::function<bool()>& publish) {
    handled = 0;
    for (std::size_t i = 0; i < events; ++i) {
      if (!publish()) std::abort();
    }
    if (!bus.drain_for(patience) || handled.load() != 2 * events) std::abort();
  }
};

}  // namespace

TEST_CASE("allocations: the counter counts", "[allocations]") {
  const std::size_t before = allocations();
  const auto one = std::make_unique<int>(1);
  const auto aligned = std::make_unique<gossip::detail::ThreadSlot>();
  REQUIRE(allocations() - before >= 2);
}

TEST_CASE("allocations: payloads that travel inline cost none", "[allocations]") {
  const auto timestamps = GENERATE(Timestamps::on, Timestamps::off);
  const auto workers = GENERATE(std::size_t{1}, std::size_t{3});
  Fixture fixture{BusOptions{.workers = workers, .capacity = 64, .timestamps = timestamps}};
  EventBus<>& bus = fixture.bus;
  CHECK(fixture.cost([&] { return bus.publish(small, {}).ok(); }) == 0);
  CHECK(fixture.cost([&] { return bus.publish(fitting, {}).ok(); }) == 0);
  CHECK(fixture.cost([&] { return bus.publish(bare).ok(); }) == 0);
  CHECK(fixture.cost([&] { return bus.emplace(small).ok(); }) == 0);
}

TEST_CASE("allocations: larger payloads cost one each", "[allocations]") {
  Fixture fixture{BusOptions{.workers = 2, .capacity = 64}};
  CHECK(fixture.cost([&] { return fixture.bus.publish(large, {}).ok(); }) == events);
}

TEST_CASE("allocations: a publisher handle costs none", "[allocations]") {
  Fixture fixture{BusOptions{.workers = 2, .capacity = 64}};
  auto publisher = fixture.bus.publisher(small);
  CHECK(fixture.cost([&] { return publisher.publish({}).ok(); }) == 0);
}

TEST_CASE("allocations: publish_sync costs none", "[allocations]") {
  Fixture fixture{BusOptions{.workers = 1}};
  CHECK(fixture.cost([&] { return fixture.bus.publish_sync(small, {}).ok(); }) == 0);
  CHECK(fixture.cost([&] { return fixture.bus.publish_sync(large, {}).ok(); }) == 0);
  CHECK(fixture.cost([&] { return fixture.bus.publish_sync(bare).ok(); }) == 0);
}

TEST_CASE("allocations: an event built without metadata costs none", "[allocations]") {
  Fixture fixture{BusOptions{.workers = 2, .capacity = 64}};
  CHECK(fixture.cost([&] { return fixture.bus.publish(Event{small, {}}).ok(); }) == 0);
}

TEST_CASE("allocations: a batch costs none", "[allocations]") {
  Fixture fixture{BusOptions{.workers = 2, .capacity = 64}};
  std::array<Block<32>, 1> batch{};
  CHECK(fixture.cost([&] { return fixture.bus.publish_batch(small, batch).status.ok(); }) == 0);
}

TEST_CASE("allocations: a refused or dropped event costs none", "[allocations]") {
  const auto policy =
      GENERATE(OverflowPolicy::reject, OverflowPolicy::drop_newest, OverflowPolicy::drop_oldest);
  EventBus bus{BusOptions{.workers = 1, .capacity = 2, .overflow = policy}};
  gossip::test::Door busy;
  gossip::test::Door go_on;
  auto subscription = bus.subscribe(small, [&](const Block<32>&) {
    busy.open();
    go_on.wait();
  });
  bool all = bus.publish(small, {}).ok() && busy.wait();
  for (int i = 0; i < 4; ++i) (void)bus.publish(small, {}).ok();
  const std::size_t before = allocations();
  for (std::size_t i = 0; i < events; ++i) {
    all = all && bus.publish(small, {}).ok() == (policy != OverflowPolicy::reject);
  }
  const std::size_t cost = allocations() - before;
  go_on.open();
  REQUIRE(all);
  REQUIRE(cost == 0);
}

TEST_CASE("allocations: a self-cancelled and renewed subscription costs a bounded number",
          "[allocations]") {
  EventBus bus{BusOptions{.workers = 1}};
  const auto renew = [&] {
    for (int i = 0; i < 200; ++i) {
      auto subscription = bus.subscribe(small, [](const Block<32>&) {});
    }
  };
  renew();
  const std::size_t before = allocations();
  renew();
  // The processor, and now and then a tidied list of subscriptions.
  REQUIRE(allocations() - before <= 200 * 3);
}

TEST_CASE("allocations: a schedule costs one, and each repetition none", "[allocations]") {
  using namespace std::chrono_literals;
  gossip::ManualClock clock;
  gossip::EventBus<gossip::InMemoryProvider, gossip::ManualClock> bus{{.workers = 1}, {}, clock};
  std::size_t count = 0;
  auto subscription = bus.subscribe(small, [&](const Block<32>&) { ++count; });
  const auto step = [&] {
    clock.advance(1s);
    if (!bus.drain_for(patience)) std::abort();
  };
  const auto once = [&] {
    bus.publish_after(small, {}, 1s);
    step();
  };
  once();
  std::size_t before = allocations();
  for (int i = 0; i < 100; ++i) once();
  CHECK(allocations() - before == 100);
  gossip::Schedule schedule = bus.publish_every(small, {}, 1s);
  step();
  before = allocations();
  for (int i = 0; i < 100; ++i) step();
  CHECK(allocations() - before == 0);
  CHECK(count == 202);
}

TEST_CASE("allocations: an event that is retained costs one, others none", "[allocations]") {
  Fixture fixture{BusOptions{.workers = 2, .capacity = 64}};
  fixture.bus.retain(small);
  CHECK(fixture.cost([&] { return fixture.bus.publish(small, {}).ok(); }) == events);
  CHECK(fixture.cost([&] { return fixture.bus.publish(fitting, {}).ok(); }) == 0);
}
