// SPDX-License-Identifier: MIT
// What the statistics say of each subscription is what its processor has counted itself.
#include <gossip/gossip.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

using gossip::BusOptions;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::Measure;
using gossip::Statistics;
using gossip::Status;
using gossip::SubscribeOptions;
using gossip::Subscription;
using gossip::SubscriptionId;
using gossip::test::patience;
using gossip::test::scaled;

namespace {

std::uint64_t delivered_to(const Statistics& stats, SubscriptionId id) {
  for (const auto& subscription : stats.subscriptions) {
    if (subscription.id == id) return subscription.delivered;
  }
  return ~std::uint64_t{0};
}

constexpr EventType<int> number{"counts.number"};

/// A subscription that counts its calls that succeeded.
struct Counted {
  std::atomic<std::uint64_t> calls{0};
  Subscription subscription;
  SubscriptionId id;
};

std::atomic<std::uint64_t> inner_calls{0};  // of `number`, which has one subscription

/// Subscribes, behaving as the letter says.
void subscribe(EventBus<>& bus, const EventType<int>& type, char behaviour, Counted& counted,
               Counted* next) {
  SubscribeOptions options;
  if (behaviour == '1') options.lifetime = SubscribeOptions::Lifetime::once;
  if (behaviour == 'l') options.max_concurrency = 1;
  counted.subscription = bus.subscribe(
      type,
      [&bus, &counted, behaviour, next](const Event<int>&, Context& context) -> Status {
        switch (behaviour) {
          case 'f': return Errc::fatal;
          case 't': throw std::runtime_error{"broken"};
          case 'd':
            if (context.attempt() == 1 && context.defer(std::chrono::nanoseconds{1})) {
              return Errc::retryable;
            }
            break;
          case 'k':
            if (next != nullptr) bus.unsubscribe(next->id);
            break;
          case 's': bus.unsubscribe(context.subscription()); break;
          case 'n':
            if (!bus.publish_sync(number, 1).ok()) std::abort();
            inner_calls.fetch_add(1);
            break;
          default: break;
        }
        counted.calls.fetch_add(1);
        return {};
      },
      options);
  counted.id = counted.subscription.id();
}

/// What each subscription of a list of those behaviours has counted is what the statistics say.
void check_counts(EventBus<>& bus, const EventType<int>& type, std::string_view behaviours) {
  INFO("behaviours " << behaviours);
  const std::uint64_t before = bus.stats().delivered;
  inner_calls = 0;
  std::deque<Counted> all(behaviours.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    subscribe(bus, type, behaviours[i], all[i], i + 1 < all.size() ? &all[i + 1] : nullptr);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (behaviours[i] == 'c') all[i].subscription.cancel();
  }
  for (int i = 0; i < 3; ++i) {
    REQUIRE(bus.publish(type, i).ok());
    static_cast<void>(bus.publish_sync(type, i));
    static_cast<void>(
        bus.publish_sync(type, i, {.deadline = std::chrono::steady_clock::now() + patience}));
  }
  REQUIRE(bus.drain_for(patience));
  const Statistics stats = bus.stats();
  std::uint64_t total = inner_calls.load();
  for (std::size_t i = 0; i < all.size(); ++i) {
    total += all[i].calls.load();
    const std::uint64_t delivered = delivered_to(stats, all[i].id);
    INFO("entry " << i);
    if (delivered != ~std::uint64_t{0}) CHECK(delivered == all[i].calls.load());
  }
  CHECK(stats.delivered - before == total);
}

}  // namespace

TEST_CASE("stress: one who does not just succeed is not counted, wherever it stands", "[stress]") {
  EventBus bus{BusOptions{.workers = 1}};
  const Subscription inner = bus.subscribe(number, [](int) {});
  // o succeeds, f fails, t throws, 1 is for one event, l has a lane, c is cancelled before,
  // d defers, k cancels the next one, s itself, n publishes inside
  for (
      const std::string_view behaviours :
      {"o",     "f",    "ooooo", "foooo", "oofoo", "oooof", "ffooo",
       "offoo", "ooff", "fofof", "ff",    "too",   "oto",   "oot",
       "1oo",   "o1o",  "oo1",   "11o",   "o11",   "loo",   "olo",
       "ool",   "llo",  "oll",   "l",     "coo",   "oco",   "ooc",
       "cco",   "occ",  "c",     "doo",   "odo",   "ood",   "ddo",
       "koo",   "oko",  "ok",    "kkoo",  "soo",   "oso",   "oos",
       "sso",   "ss",   "noo",   "ono",   "oofn",  "fnfo",  "oooooooofooooooooo1ooooooooooolooo"}) {
    check_counts(bus, EventType<int>::parse("counts.list"), behaviours);
  }
}

TEST_CASE("stress: random lists are counted exactly, measured or not", "[stress]") {
  std::mt19937 random{17};
  for (const Measure measure : {Measure::nothing, Measure::times}) {
    EventBus bus{BusOptions{.workers = 2, .measure = measure}};
    const Subscription inner = bus.subscribe(number, [](int) {});
    for (std::size_t round = 0; round < scaled(400); ++round) {
      std::string behaviours;
      for (auto left = 1 + random() % 12; left != 0; --left) {
        behaviours += "ooooft1lcdks"[random() % 12];
      }
      check_counts(bus, EventType<int>::parse("counts.list" + std::to_string(round % 5)),
                   behaviours);
    }
  }
}
