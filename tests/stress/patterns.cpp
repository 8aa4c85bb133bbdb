// SPDX-License-Identifier: MIT
// Types that a bus meets while patterns come and go.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"
#include "support/pattern_reference.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using gossip::AnyEvent;
using gossip::BusOptions;
using gossip::EventBus;
using gossip::EventPattern;
using gossip::EventType;
using gossip::Subscription;
using gossip::test::on_threads;
using gossip::test::patience;
using gossip::test::repeat;

namespace {

/// Names of types, all of them known to the process before the race.
std::vector<EventType<std::size_t>> names(std::size_t count) {
  std::vector<EventType<std::size_t>> types;
  for (std::size_t i = 0; i < count; ++i) {
    std::string name{"race."};
    name += i % 2 == 0 ? "even." : "odd.";
    name += std::to_string(i);
    types.push_back(EventType<std::size_t>::parse(name));
  }
  return types;
}

}  // namespace

TEST_CASE("stress: no event of a new type misses a pattern that was there before", "[stress]") {
  const auto types = names(40);
  repeat(300, [&] {
    std::vector<std::atomic<std::size_t>> seen(types.size());
    std::atomic<std::size_t> wrong{0};
    EventBus bus{BusOptions{.workers = 2, .capacity = 64}};
    auto all =
        bus.subscribe("race.>", [&](const AnyEvent& event) { ++seen[event.get<std::size_t>()]; });
    auto even = bus.subscribe("race.even.*", [&](const AnyEvent& event) {
      if (event.get<std::size_t>() % 2 != 0) ++wrong;
    });
    // Every type is met by several threads at once, and by a subscriber.
    on_threads(4, [&](std::size_t self) {
      for (std::size_t i = 0; i < types.size(); ++i) {
        if (self == 3) {
          auto short_lived = bus.subscribe(types[i], [](const std::size_t&) {});
        } else if (self == 2) {
          if (!bus.publish_sync(types[i], i).ok()) std::abort();
        } else if (!bus.publish(types[i], i).ok()) {
          std::abort();
        }
      }
    });
    REQUIRE(bus.drain_for(patience));
    std::size_t missed = 0;
    for (const auto& count : seen) missed += count.load() == 3 ? 0 : 1;
    REQUIRE(missed == 0);
    REQUIRE(wrong.load() == 0);
  });
}

TEST_CASE("stress: patterns come and go while types are met and events are handled", "[stress]") {
  const auto types = names(60);
  constexpr std::string_view patterns[] = {"race.>", "race.even.*", "race.*.7", "*.odd.>",
                                           "race.even.20"};
  repeat(60, [&] {
    std::atomic<std::size_t> late{0};
    std::atomic<std::size_t> wrong{0};
    std::atomic<std::size_t> missed{0};
    std::atomic<std::size_t> survivors{0};
    std::atomic<std::size_t> anchored{0};
    std::atomic<std::size_t> publishers{2};
    EventBus bus{BusOptions{.workers = 2, .capacity = 32}};
    auto anchor = bus.subscribe("race.>", [&](const AnyEvent&) { ++anchored; });
    on_threads(4, [&](std::size_t self) {
      if (self < 2) {
        for (std::size_t i = 0; i < types.size(); ++i) {
          if (!bus.publish(types[i], i).ok()) std::abort();
          if (!bus.publish(types[(i * 7) % types.size()], i).ok()) std::abort();
        }
        --publishers;
        return;
      }
      for (std::size_t turn = self; publishers.load() != 0; ++turn) {
        const std::string_view text = patterns[turn % std::size(patterns)];
        auto captured = std::make_shared<std::atomic<bool>>(false);  // set once it is cancelled
        const std::weak_ptr<std::atomic<bool>> watch = captured;
        std::atomic<std::size_t> mine{0};
        const auto token = types[turn % types.size()];
        Subscription subscription =
            bus.subscribe(EventPattern{text},
                          [&, text, held = captured](const AnyEvent& event) {
                            if (held->load()) ++late;
                            if (!gossip::test::reference_matches(text, event.type())) ++wrong;
                            if (event.get<std::size_t>() == 1'000 + self) ++mine;
                            if (held->load()) ++late;
                          },
                          {.priority = static_cast<int>(turn % 3)});
        // What is published after subscribing arrives, be the type new or not.
        if (!bus.publish_sync(token, 1'000 + self).ok()) std::abort();
        if (mine.load() != (gossip::test::reference_matches(text, token.name()) ? 1U : 0U)) {
          ++missed;
        }
        subscription.cancel();
        captured->store(true);
        captured.reset();
        if (!watch.expired()) ++survivors;
      }
    });
    REQUIRE(bus.drain_for(patience));
    REQUIRE(late.load() == 0);
    REQUIRE(wrong.load() == 0);
    REQUIRE(missed.load() == 0);
    REQUIRE(survivors.load() == 0);
    REQUIRE(anchored.load() >= 4 * types.size());
    REQUIRE(bus.stats().subscriptions.size() == 1);
  });
}
