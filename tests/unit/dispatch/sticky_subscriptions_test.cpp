// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/sticky_subscriptions.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventId;
using gossip::EventType;
using gossip::ManualClock;
using gossip::Status;
using gossip::SubscribeOptions;
using gossip::Subscription;
using gossip::test::Door;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"sticky.number"};
constexpr EventType<void> blocked{"sticky.blocked"};
constexpr SubscribeOptions::Start with_last = SubscribeOptions::Start::with_last_event;
constexpr SubscribeOptions::Lifetime once = SubscribeOptions::Lifetime::once;

/// A bus with one worker that retains numbers, and whose time stands still.
struct Fixture {
  Fixture() { bus.retain(number); }

  /// Publishes and waits until it has been handled.
  void settle(int value) {
    REQUIRE(bus.publish(number, value).ok());
    REQUIRE(bus.drain());
  }
  auto noting() {
    return [this](const int& value) { seen.push_back(value); };
  }
  Subscription subscribe(SubscribeOptions options = {.start = with_last}) {
    return bus.subscribe(number, noting(), std::move(options));
  }

  ManualClock clock;
  std::vector<int> seen;              ///< by the one worker, read after a drain
  std::vector<std::string> reported;  ///< likewise
  gossip::EventBus<gossip::InMemoryProvider, ManualClock> bus{
      {.workers = 1,
       .on_error =
           [this](const gossip::ErrorReport& report) {
             reported.push_back(std::string{report.subscription_name} + ": " +
                                std::string{report.status.what()});
           }},
      {},
      clock};
};

/// Keeps the worker busy until it is released.
struct Busy {
  explicit Busy(Fixture& fixture)
      : subscription{fixture.bus.subscribe(blocked, [this] {
          inside.open();
          go_on.wait();
        })} {
    REQUIRE(fixture.bus.publish(blocked).ok());
    REQUIRE(inside.wait());
  }
  Door inside;
  Door go_on;
  Subscription subscription;
};

}  // namespace

TEST_CASE("StickySubscriptions: the last event comes first, from a worker", "[dispatch]") {
  Fixture fixture;
  fixture.settle(1);
  fixture.settle(2);
  std::vector<std::pair<int, unsigned>> seen;
  std::thread::id thread;
  auto subscription = fixture.bus.subscribe(number,
                                            [&](const Event<int>& event, Context& context) {
                                              seen.emplace_back(event.data(), context.attempt());
                                              thread = std::this_thread::get_id();
                                            },
                                            {.start = with_last});
  REQUIRE(fixture.bus.drain());
  REQUIRE(thread != std::this_thread::get_id());
  fixture.settle(3);
  REQUIRE(seen == std::vector<std::pair<int, unsigned>>{{2, 1}, {3, 1}});
  REQUIRE(fixture.bus.stats().subscriptions.front().delivered == 2);
}

TEST_CASE("StickySubscriptions: it is the same event, with its id and its time", "[dispatch]") {
  Fixture fixture;
  std::vector<std::pair<EventId, gossip::Timestamp>> seen;
  const auto note = [&](const Event<int>& event) {
    seen.emplace_back(event.id(), event.timestamp());
  };
  auto first = fixture.bus.subscribe(number, note);
  fixture.settle(1);
  fixture.clock.advance(1s);
  auto second = fixture.bus.subscribe(number, note, {.start = with_last});
  REQUIRE(fixture.bus.drain());
  REQUIRE(seen.size() == 2);
  REQUIRE(seen[0] == seen[1]);
}

TEST_CASE("StickySubscriptions: where nothing is retained the next event is the first",
          "[dispatch]") {
  Fixture fixture;
  auto early = fixture.subscribe();  // retained, but there was none yet
  fixture.settle(1);
  REQUIRE(fixture.seen == std::vector{1});
  constexpr EventType<int> other{"sticky.other"};
  REQUIRE(fixture.bus.publish(other, 5).ok());
  REQUIRE(fixture.bus.drain());
  fixture.bus.retain(other);  // from now on
  auto late = fixture.bus.subscribe(other, fixture.noting(), {.start = with_last});
  auto usual = fixture.bus.subscribe(number, fixture.noting());
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen == std::vector{1});
}

TEST_CASE("StickySubscriptions: it comes before what waits in the queue already", "[dispatch]") {
  for (int turn = 0; turn < 2; ++turn) {
    Fixture fixture;
    fixture.settle(1);
    Busy busy{fixture};
    for (int i = 2; i <= 4; ++i) REQUIRE(fixture.bus.publish(number, i).ok());
    auto subscription = fixture.subscribe();
    if (turn == 1)
      REQUIRE(fixture.bus.publish(number, 5, {.priority = gossip::Priority::high}).ok());
    busy.go_on.open();
    REQUIRE(fixture.bus.drain());
    REQUIRE(fixture.seen == (turn == 0 ? std::vector{1, 2, 3, 4} : std::vector{1, 5, 2, 3, 4}));
  }
}

TEST_CASE("StickySubscriptions: a pattern has no last event", "[dispatch]") {
  Fixture fixture;
  fixture.settle(1);
  const auto token = std::make_shared<int>(0);
  REQUIRE_THROWS_AS(
      static_cast<void>(fixture.bus.subscribe(
          "sticky.*", [held = token](const gossip::AnyEvent&) {}, {.start = with_last})),
      gossip::ValidationError);
  REQUIRE(token.use_count() == 1);
  auto all = fixture.bus.subscribe("sticky.*",
                                   [&](const gossip::AnyEvent&) { fixture.seen.push_back(0); });
  auto sticky = fixture.subscribe();
  REQUIRE(fixture.bus.drain());
  fixture.settle(2);
  REQUIRE(fixture.seen == std::vector{1, 0, 2});
}

TEST_CASE("StickySubscriptions: a subscription with a lane cannot begin with it", "[dispatch]") {
  Fixture fixture;
  fixture.settle(1);
  const auto token = std::make_shared<int>(0);
  REQUIRE_THROWS_AS(
      static_cast<void>(fixture.bus.subscribe(number, [held = token](const int&) {},
                                              {.start = with_last, .max_concurrency = 1})),
      std::invalid_argument);
  REQUIRE(token.use_count() == 1);
  REQUIRE(fixture.bus.stats().subscriptions.empty());
}

TEST_CASE("StickySubscriptions: what only lanes get is retained, too", "[dispatch]") {
  Fixture fixture;
  std::vector<int> in_lane;
  auto lane = fixture.bus.subscribe(number, [&](const int& value) { in_lane.push_back(value); },
                                    {.ordering = gossip::Ordering::per_publisher()});
  fixture.settle(1);
  fixture.settle(2);
  auto sticky = fixture.subscribe();
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen == std::vector{2});
  fixture.settle(3);
  auto another = fixture.subscribe();
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen == std::vector{2, 3, 3});
  REQUIRE(in_lane == std::vector{1, 2, 3});
  const auto stats = fixture.bus.stats();
  REQUIRE(stats.published == 3);
  REQUIRE(stats.handled == 3);
}

TEST_CASE("StickySubscriptions: every new subscription gets it", "[dispatch]") {
  Fixture fixture;
  fixture.settle(7);
  std::vector<Subscription> subscriptions;
  for (int i = 0; i < 20; ++i) subscriptions.push_back(fixture.subscribe());
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen == std::vector<int>(20, 7));
}

TEST_CASE("StickySubscriptions: once means the last event, or else the next", "[dispatch]") {
  Fixture fixture;
  auto next = fixture.subscribe({.lifetime = once, .start = with_last});
  fixture.settle(1);
  fixture.settle(2);
  REQUIRE(fixture.seen == std::vector{1});
  Busy busy{fixture};
  REQUIRE(fixture.bus.publish(number, 3).ok());
  auto last = fixture.subscribe({.lifetime = once, .start = with_last});
  busy.go_on.open();
  REQUIRE(fixture.bus.drain());
  fixture.settle(4);
  REQUIRE(fixture.seen == std::vector{1, 2});
  REQUIRE_FALSE(fixture.bus.unsubscribe(last.id()));
}

TEST_CASE("StickySubscriptions: once means the next event if the filter rejects the last one",
          "[dispatch]") {
  Fixture fixture;
  fixture.settle(1);
  const auto subscribe = [&](auto filter) {
    return fixture.bus.subscribe(number, filter, fixture.noting(),
                                 {.name = "late", .lifetime = once, .start = with_last});
  };
  auto big = subscribe([](int value) { return value > 100; });
  auto small = subscribe([](int value) { return value < 100; });
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen == std::vector{1});
  REQUIRE_FALSE(fixture.bus.unsubscribe(small.id()));
  fixture.settle(2);
  fixture.settle(200);
  fixture.settle(300);
  REQUIRE(fixture.seen == std::vector{1, 200});
  REQUIRE_FALSE(fixture.bus.unsubscribe(big.id()));
}

TEST_CASE("StickySubscriptions: a filter that throws at the last event does not use up once",
          "[dispatch]") {
  Fixture fixture;
  fixture.settle(1);
  auto subscription = fixture.bus.subscribe(number,
                                            [](int value) {
                                              if (value == 1) throw std::runtime_error{"unwilling"};
                                              return true;
                                            },
                                            fixture.noting(),
                                            {.name = "late", .lifetime = once, .start = with_last});
  REQUIRE(fixture.reported == std::vector<std::string>{"late: processing failed: unwilling"});
  fixture.settle(2);
  fixture.settle(3);
  REQUIRE(fixture.seen == std::vector{2});
}

TEST_CASE("StickySubscriptions: another attempt is made for it, as for any event", "[dispatch]") {
  for (const bool only : {false, true}) {
    Fixture fixture;
    fixture.settle(1);
    std::vector<std::pair<int, unsigned>> seen;
    auto subscription = fixture.bus.subscribe(
        number,
        [&](const Event<int>& event, Context& context) -> Status {
          seen.emplace_back(event.data(), context.attempt());
          if (event.data() != 1 || context.attempt() == 3 || !context.defer(1s)) return {};
          return Errc::retryable;
        },
        {.lifetime = only ? once : SubscribeOptions::Lifetime::until_cancelled,
         .start = with_last});
    const auto waiting = [&] { return fixture.bus.stats().deferred_waiting == 1; };
    REQUIRE(gossip::test::eventually([&] { return waiting() && fixture.bus.stats().failed == 0; }));
    REQUIRE(fixture.bus.publish(number, 2).ok());
    REQUIRE(gossip::test::eventually([&] { return fixture.bus.stats().handled == 2; }));
    fixture.clock.advance(1s);
    // The second is arranged once the first is over.
    REQUIRE(
        gossip::test::eventually([&] { return fixture.bus.stats().deferred == 2 && waiting(); }));
    fixture.clock.advance(1s);
    REQUIRE(fixture.bus.drain());
    fixture.settle(3);
    using Seen = std::vector<std::pair<int, unsigned>>;
    REQUIRE(seen ==
            (only ? Seen{{1, 1}, {1, 2}, {1, 3}} : Seen{{1, 1}, {2, 1}, {1, 2}, {1, 3}, {3, 1}}));
    REQUIRE(fixture.bus.unsubscribe(subscription.id()) == !only);
  }
}

TEST_CASE("StickySubscriptions: its failure is counted and told", "[dispatch]") {
  for (const bool only : {false, true}) {
    Fixture fixture;
    fixture.settle(1);
    auto subscription = fixture.bus.subscribe(
        number, [](const int&) { throw std::runtime_error{"no"}; },
        {.name = "picky",
         .lifetime = only ? once : SubscribeOptions::Lifetime::until_cancelled,
         .start = with_last});
    REQUIRE(fixture.bus.drain());
    REQUIRE(fixture.reported == std::vector<std::string>{"picky: processing failed: no"});
    REQUIRE(fixture.bus.stats().failed == 1);
    fixture.settle(2);
    REQUIRE(fixture.reported.size() == (only ? 1 : 2));
  }
}

TEST_CASE("StickySubscriptions: a subscription that is cancelled first gets nothing",
          "[dispatch]") {
  Fixture fixture;
  const auto token = std::make_shared<int>(0);
  fixture.settle(1);
  Busy busy{fixture};
  {
    auto gone = fixture.bus.subscribe(
        number, [&, held = token](const int& value) { fixture.seen.push_back(value); },
        {.start = with_last});
    REQUIRE(token.use_count() == 2);
  }
  REQUIRE(token.use_count() == 1);
  auto other = fixture.bus.subscribe(number, [](const int&) {});  // in the same place
  busy.go_on.open();
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen.empty());
  REQUIRE(fixture.bus.stats().subscriptions.back().delivered == 0);
}

TEST_CASE("StickySubscriptions: a processor may end itself at its first event", "[dispatch]") {
  Fixture fixture;
  fixture.settle(1);
  Busy busy{fixture};
  REQUIRE(fixture.bus.publish(number, 2).ok());
  Subscription subscription;
  subscription = fixture.bus.subscribe(number,
                                       [&](const int& value) {
                                         fixture.seen.push_back(value);
                                         subscription.cancel();
                                       },
                                       {.start = with_last});
  busy.go_on.open();
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen == std::vector{1});
}

TEST_CASE("StickySubscriptions: an event of publish_sync is retained, but gives no other first",
          "[dispatch]") {
  Fixture fixture;
  REQUIRE(fixture.bus.publish_sync(number, 1).ok());
  Busy busy{fixture};
  std::vector<int> here;
  const auto self = std::this_thread::get_id();
  auto subscription = fixture.bus.subscribe(
      number,
      [&](const int& value) {
        (std::this_thread::get_id() == self ? here : fixture.seen).push_back(value);
      },
      {.start = with_last});
  REQUIRE(fixture.bus.publish_sync(number, 2).ok());
  REQUIRE(here == std::vector{2});
  busy.go_on.open();
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen == std::vector{1});
}

TEST_CASE("StickySubscriptions: an event that cannot be copied is delivered, not retained",
          "[dispatch]") {
  struct Fragile {
    explicit Fragile(int number_of) : value{number_of} {}
    Fragile(const Fragile& from) : value{from.value} {
      if (value < 0) throw std::runtime_error{"no copy"};
    }
    Fragile(Fragile&&) noexcept = default;
    Fragile& operator=(const Fragile&) = default;
    int value;
  };
  constexpr EventType<Fragile> fragile{"sticky.fragile"};
  Fixture fixture;
  fixture.bus.retain(fragile);
  const auto note = [&](const Fragile& payload) { fixture.seen.push_back(payload.value); };
  auto always = fixture.bus.subscribe(fragile, note);
  REQUIRE(fixture.bus.publish(fragile, Fragile{1}).ok());
  REQUIRE(fixture.bus.publish(fragile, Fragile{-2}).ok());
  REQUIRE(fixture.bus.drain());
  auto sticky = fixture.bus.subscribe(fragile, note, {.start = with_last});
  REQUIRE(fixture.bus.drain());
  REQUIRE(fixture.seen == std::vector{1, -2, 1});
  REQUIRE(fixture.reported == std::vector<std::string>{": processing failed: no copy"});
}

TEST_CASE("StickySubscriptions: a shutdown may come first", "[dispatch]") {
  Fixture fixture;
  fixture.settle(1);
  auto stopping = fixture.bus.subscribe(blocked, [&](const Event<void>&, Context& context) {
    while (!context.stop_requested()) std::this_thread::yield();
  });
  REQUIRE(fixture.bus.publish(blocked).ok());
  REQUIRE(gossip::test::eventually([&] { return fixture.bus.stats().in_flight == 1; }));
  auto subscription = fixture.subscribe();
  REQUIRE(fixture.bus.shutdown(0s).complete);
  REQUIRE(fixture.seen.empty());
}
