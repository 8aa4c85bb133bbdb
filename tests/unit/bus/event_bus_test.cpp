// SPDX-License-Identifier: MIT
// Subscribing and publishing. How a bus begins and ends is in bus_core_test.cpp, publish_sync in
// sync_result_test.cpp.
#include <gossip/bus/event_bus.hpp>

#include "support/recorder.hpp"
#include "support/throwing_payload.hpp"
#include "support/wait.hpp"

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <latch>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventBus;
using gossip::EventId;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::Status;
using gossip::Subscription;
using gossip::SubscriptionId;
using gossip::test::Gate;
using gossip::test::Raised;
using gossip::test::Recorder;
using gossip::test::ThrowingPayload;
using Lifetime = gossip::SubscribeOptions::Lifetime;

struct User {
  std::string id;
  std::string name;
};

constexpr EventType<int> number{"test.number"};
constexpr EventType<int> other_number{"test.other_number"};
constexpr EventType<long> number_as_long{"test.number"};
constexpr EventType<std::string> text{"test.text"};
constexpr EventType<User> user_created{"auth.user.created"};
constexpr EventType<std::unique_ptr<int>> only_moved{"test.only_moved"};
constexpr EventType<void> ticked{"test.ticked"};
constexpr EventType<void> blocked{"test.blocked"};
constexpr EventType<ThrowingPayload> throwing{"test.throwing"};

static_assert(!std::is_copy_constructible_v<EventBus<>> &&
              !std::is_move_constructible_v<EventBus<>>);

/// A processor for `blocked` that keeps its worker busy until the gate opens.
auto keep_busy(Gate& gate) {
  return [&gate] { static_cast<void>(gate.pass()); };
}

// ---- Subscribing ------------------------------------------------------------------------------

TEST_CASE("EventBus: a processor may take the payload, the event, or the event with a context",
          "[event_bus]") {
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1}};
  const auto data =
      bus.subscribe(user_created, [&](const User& user) { seen.add("data " + user.name); });
  const auto event = bus.subscribe(user_created, [&](const Event<User>& e) -> Status {
    seen.add("event " + std::string{e.type()});
    return {};
  });
  SubscriptionId in_context;
  const auto context = bus.subscribe(user_created, [&](const Event<User>& e, Context& c) {
    in_context = c.subscription();
    seen.add("context " + e.data().id + " attempt " + std::to_string(c.attempt()) +
             (c.stop_requested() ? " stop" : ""));
  });
  CHECK(bus.publish(user_created, {.id = "123", .name = "alice"}).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() ==
        std::vector<std::string>{"data alice", "event auth.user.created", "context 123 attempt 1"});
  CHECK(in_context == context.id());
}

TEST_CASE("EventBus: a processor of events without data may take nothing", "[event_bus]") {
  std::atomic<int> calls{0};
  EventBus bus{{.workers = 1}};
  const auto nothing = bus.subscribe(ticked, [&] { ++calls; });
  const auto event = bus.subscribe(ticked, [&](const Event<void>&) { ++calls; });
  CHECK(bus.publish(ticked).ok());
  CHECK(bus.publish(Event{ticked}).ok());
  REQUIRE(bus.drain());
  CHECK(calls == 4);
}

TEST_CASE("EventBus: takes lambdas that are generic, mutable or move-only, and functions",
          "[event_bus]") {
  static std::atomic<int> by_function{0};
  std::atomic<int> by_generic{0};
  Recorder<int> by_mutable;
  auto owned = std::make_unique<std::atomic<int>>(0);
  const std::atomic<int>& by_move_only = *owned;
  EventBus bus{{.workers = 1}};
  const auto generic = bus.subscribe(number, [&](const auto& value) { by_generic += value; });
  const auto stateful =
      bus.subscribe(number, [&, sum = 0](int value) mutable { by_mutable.add(sum += value); });
  const auto move_only =
      bus.subscribe(number, [owned = std::move(owned)](int value) { *owned += value; });
  const std::function<void(const int&)> function = [](int value) { by_function += value; };
  const auto copied = bus.subscribe(number, function);
  for (const int value : {1, 2, 3}) CHECK(bus.publish(number, value).ok());
  REQUIRE(bus.drain());
  CHECK(by_generic == 6);
  CHECK(by_mutable.values() == std::vector<int>{1, 3, 6});
  CHECK(by_move_only == 6);
  CHECK(by_function == 6);
}

TEST_CASE("EventBus: processors of one event run in the order of subscribing", "[event_bus]") {
  Recorder<int> order;
  EventBus bus{{.workers = 1}};
  std::vector<Subscription> handles;
  for (int i = 0; i < 40; ++i) {
    handles.push_back(bus.subscribe(ticked, [&order, i] { order.add(i); }));
  }
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  std::vector<int> expected(40);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(order.values() == expected);
}

TEST_CASE("EventBus: an event reaches the processors of its type alone", "[event_bus]") {
  Recorder<int> seen;
  EventBus bus{{.workers = 2}};
  const auto a = bus.subscribe(number, [&](int value) { seen.add(value); });
  const auto b = bus.subscribe(other_number, [&](int value) { seen.add(-value); });
  CHECK(bus.publish(number, 7).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<int>{7});
}

TEST_CASE("EventBus: a plain function is a processor", "[event_bus]") {
  static std::atomic<int> sum;
  struct Plain {
    static void add(int value) { sum += value; }
    static Status add_any(const AnyEvent& event) {
      sum += 10 * event.get<int>();
      return {};
    }
    static bool odd(int value) { return value % 2 != 0; }
  };
  sum = 0;
  EventBus bus;
  const auto typed = bus.subscribe(number, Plain::add);
  const auto filtered = bus.subscribe(number, Plain::odd, Plain::add);
  const auto by_pattern = bus.subscribe("test.*", Plain::add_any);
  const auto many = bus.subscribe_all({number, other_number}, Plain::add);
  REQUIRE(bus.publish_sync(number, 1).ok());
  CHECK(sum == 13);
  REQUIRE(bus.publish_sync(other_number, 2).ok());
  CHECK(sum == 13 + 22);
}

TEST_CASE("EventBus: subscribe_all registers one processor for several types", "[event_bus]") {
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1}};
  struct Counting {
    Recorder<std::string>* seen;
    int calls = 0;
    void operator()(const Event<int>& event) {
      ++calls;
      seen->add(std::string{event.type()} + std::to_string(calls));
    }
  };
  {
    const auto handles = bus.subscribe_all({number, other_number}, Counting{&seen}, {.name = "n"});
    REQUIRE(handles.size() == 2);
    CHECK(handles[0].id() != handles[1].id());
    CHECK(bus.publish(number, 1).ok());
    CHECK(bus.publish(other_number, 1).ok());
    REQUIRE(bus.drain());
    // One object for both: it counts to two.
    CHECK(seen.values() == std::vector<std::string>{"test.number1", "test.other_number2"});
    const auto statistics = bus.stats();
    REQUIRE(statistics.subscriptions.size() == 2);
    CHECK(statistics.subscriptions[0].id == handles[0].id());
    CHECK(statistics.subscriptions[0].event_type == "test.number");
    CHECK(statistics.subscriptions[1].name == "n");
  }
  CHECK(bus.publish(number, 1).ok());
  REQUIRE(bus.drain());
  CHECK(seen.size() == 2);
}

TEST_CASE("EventBus: subscribe_all registers nothing if one type is refused", "[event_bus]") {
  EventBus bus{{.workers = 1}};
  const auto as_long = bus.subscribe(number_as_long, [](long) {});
  std::atomic<int> calls{0};
  CHECK_THROWS_AS((void)bus.subscribe_all({other_number, number}, [&](int) { ++calls; }),
                  gossip::TypeAssertionError);
  CHECK(bus.publish(other_number, 1).ok());
  REQUIRE(bus.drain());
  CHECK(calls == 0);
  CHECK(bus.stats().subscriptions.size() == 1);
}

TEST_CASE("EventBus: once means exactly one event, however many workers and publishers",
          "[event_bus]") {
  constexpr std::size_t threads = 4;
#if defined(GOSSIP_THREAD_SANITIZER)
  constexpr int rounds = 10;
#else
  constexpr int rounds = 50;
#endif
  EventBus bus{{.workers = threads}};
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> calls{0};
    const auto subscription =
        bus.subscribe(number, [&](int) { ++calls; }, {.lifetime = Lifetime::once});
    std::latch start{threads};
    {
      std::vector<std::jthread> publishers;
      for (std::size_t i = 0; i < threads; ++i) {
        publishers.emplace_back([&] {
          start.arrive_and_wait();
          for (int event = 0; event < 20; ++event) {
            if (!bus.publish(number, event).ok()) return;
          }
        });
      }
    }
    REQUIRE(bus.drain());
    REQUIRE(calls == 1);
    REQUIRE_FALSE(bus.unsubscribe(subscription.id()));
  }
  CHECK(bus.stats().published == static_cast<std::uint64_t>(rounds) * threads * 20);
}

TEST_CASE("EventBus: what a filter does not pass is not the one event of a once subscription",
          "[event_bus]") {
  EventBus bus{{.workers = 1}};
  const gossip::SubscribeOptions once{.lifetime = Lifetime::once};
  const gossip::SubscribeOptions capped{.lifetime = Lifetime::once, .max_concurrency = 1};
  const auto big = [](int value) { return value > 100; };
  Recorder<std::string> seen;
  const auto note = [&](const char* who) {
    return [&seen, who](int value) {
      std::string line{who};
      line += std::to_string(value);
      seen.add(std::move(line));
    };
  };
  auto typed = bus.subscribe(number, big, note("typed "), once);
  auto in_lane = bus.subscribe(number, big, note("lane "), capped);
  auto composed = bus.subscribe(number, gossip::filtered(big)(note("composed ")), once);
  auto shared = bus.subscribe_all({number}, gossip::filtered(big, note("shared ")), once);
  auto pattern = bus.subscribe(
      "test.*", [&](const AnyEvent& event) { return event.get_if<int>() && big(event.get<int>()); },
      [&](const AnyEvent& event) { note("pattern ")(event.get<int>()); }, once);

  CHECK(bus.publish(number, 1).ok());
  CHECK(bus.publish_sync(number, 2).ok());
  REQUIRE(bus.drain());
  CHECK(seen.size() == 0);
  CHECK(bus.stats().subscriptions.size() == 5);

  for (const int value : {200, 300}) CHECK(bus.publish(number, value).ok());
  REQUIRE(bus.drain());
  CHECK(seen.sorted() == std::vector<std::string>{"composed 200", "lane 200", "pattern 200",
                                                  "shared 200", "typed 200"});
  CHECK(bus.stats().subscriptions.empty());
}

TEST_CASE("EventBus: a filter that throws does not use up a once subscription", "[event_bus]") {
  std::vector<std::string> errors;
  EventBus bus{{.workers = 1, .on_error = [&](const gossip::ErrorReport& report) {
                  errors.emplace_back(report.status.what());
                }}};
  int calls = 0;
  const auto subscription = bus.subscribe(
      number,
      [](int value) {
        if (value == 0) throw std::runtime_error{"no idea"};
        return true;
      },
      [&](int) { ++calls; }, {.lifetime = Lifetime::once});
  for (const int value : {0, 1, 2}) CHECK(bus.publish(number, value).ok());
  REQUIRE(bus.drain());
  CHECK(errors == std::vector<std::string>{"processing failed: no idea"});
  CHECK(calls == 1);
}

TEST_CASE("EventBus: the processor of a once subscription is destroyed after its event",
          "[event_bus]") {
  EventBus bus{{.workers = 1}};
  auto captured = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = captured;
  SubscriptionId in_context;
  const auto subscription = bus.subscribe(
      ticked,
      [&in_context, captured = std::move(captured)](const Event<void>&, Context& context) {
        in_context = context.subscription();
      },
      {.lifetime = Lifetime::once});
  CHECK_FALSE(watch.expired());
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  CHECK(watch.expired());
  CHECK(in_context == subscription.id());
  CHECK(bus.stats().subscriptions.empty());
}

TEST_CASE("EventBus: a processor that cancelled itself is destroyed after its last call elsewhere",
          "[event_bus]") {
  Gate gate;
  EventBus bus{{.workers = 1}};
  auto captured = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = captured;
  Subscription subscription;
  subscription = bus.subscribe(number, [&, captured = std::move(captured)](int value) {
    if (value == 0) {
      static_cast<void>(gate.pass());
    } else {
      subscription.cancel();
    }
  });
  std::jthread elsewhere{[&] { static_cast<void>(bus.publish_sync(number, 0)); }};
  REQUIRE(gate.wait_for_arrivals());
  CHECK(bus.publish(number, 1).ok());
  REQUIRE(bus.drain());
  CHECK_FALSE(watch.expired());
  gate.open();
  elsewhere.join();
  CHECK(gossip::test::eventually([&] { return watch.expired(); }));
}

// ---- Unsubscribing ----------------------------------------------------------------------------

TEST_CASE("EventBus: destroying or cancelling the handle unsubscribes", "[event_bus]") {
  std::atomic<int> calls{0};
  EventBus bus{{.workers = 1}};
  {
    const auto scoped = bus.subscribe(ticked, [&] { ++calls; });
    CHECK(bus.publish(ticked).ok());
    REQUIRE(bus.drain());
  }
  auto cancelled = bus.subscribe(ticked, [&] { ++calls; });
  cancelled.cancel();
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  CHECK(calls == 1);
}

TEST_CASE("EventBus: cancelling destroys what the processor captured", "[event_bus]") {
  EventBus bus{{.workers = 1}};
  auto captured = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = captured;
  auto subscription = bus.subscribe(ticked, [captured = std::move(captured)] {});
  CHECK_FALSE(watch.expired());
  subscription.cancel();
  CHECK(watch.expired());
}

TEST_CASE("EventBus: what a processor captured may use the bus while it is destroyed",
          "[event_bus]") {
  EventBus bus{{.workers = 1}};
  int handled = 0;
  Subscription other = bus.subscribe(number, [&](int) { ++handled; });
  const auto last_words = [&](const int*) {
    REQUIRE(bus.publish_sync(number, 1).ok());
    other.cancel();
    const Subscription brief = bus.subscribe(number, [](int) {});
  };
  int captured = 0;
  {
    const auto subscription = bus.subscribe(
        number, [held = std::shared_ptr<int>{&captured, last_words}](int) { ++*held; });
  }
  REQUIRE(handled == 1);
  REQUIRE(captured == 0);
}

TEST_CASE("EventBus: what a processor captured is gone when any cancel returns", "[event_bus]") {
  gossip::test::Door destroying;  // somebody destroys what was captured
  gossip::test::Door cancelling;  // and somebody else cancels meanwhile
  std::atomic<bool> gone{false};
  const auto take_time = [&](const int*) {
    destroying.open();
    static_cast<void>(cancelling.wait());
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    gone = true;
  };
  int captured = 0;
  auto held = std::shared_ptr<int>{&captured, take_time};
  EventBus bus{{.workers = 1}};
  const auto cancel = [&](Subscription& subscription) {
    REQUIRE(destroying.wait());
    cancelling.open();
    subscription.cancel();
    REQUIRE(gone);
  };

  SECTION("a subscription for one event, which has come") {
    auto subscription = bus.subscribe(number, [held = std::move(held)](int) {},
                                      {.lifetime = gossip::SubscribeOptions::Lifetime::once});
    REQUIRE(bus.publish(number, 1).ok());
    cancel(subscription);
  }
  SECTION("a processor that ended its own subscription") {
    gossip::test::Door subscribed;
    gossip::SubscriptionId id;
    auto subscription = bus.subscribe(number, [&, held = std::move(held)](int) {
      static_cast<void>(subscribed.wait());
      bus.unsubscribe(id);
    });
    id = subscription.id();
    subscribed.open();
    REQUIRE(bus.publish(number, 1).ok());
    cancel(subscription);
  }
  SECTION("another thread") {
    auto subscription = bus.subscribe(number, [held = std::move(held)](int) {});
    const gossip::SubscriptionId id = subscription.id();
    std::thread other{[&] { bus.unsubscribe(id); }};
    cancel(subscription);
    other.join();
  }
}

TEST_CASE("EventBus: moving a handle over another unsubscribes the other", "[event_bus]") {
  Recorder<int> seen;
  EventBus bus{{.workers = 1}};
  auto handle = bus.subscribe(ticked, [&] { seen.add(1); });
  handle = bus.subscribe(ticked, [&] { seen.add(2); });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<int>{2});
}

TEST_CASE("EventBus: unsubscribe by id works once, also after detach", "[event_bus]") {
  std::atomic<int> calls{0};
  EventBus bus{{.workers = 1}};
  const SubscriptionId id = bus.subscribe(ticked, [&] { ++calls; }).detach();
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  CHECK(calls == 1);
  CHECK(bus.unsubscribe(id));
  CHECK_FALSE(bus.unsubscribe(id));
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  CHECK(calls == 1);
}

TEST_CASE("EventBus: an id of another bus, a stale one and none are refused", "[event_bus]") {
  std::atomic<int> calls{0};
  EventBus bus{{.workers = 1}};
  EventBus stranger{{.workers = 1}};
  const auto theirs = stranger.subscribe(ticked, [] {});
  const SubscriptionId stale = bus.subscribe(ticked, [] {}).detach();
  CHECK(bus.unsubscribe(stale));
  // In the place that the stale id and the stranger's name too.
  const auto ours = bus.subscribe(ticked, [&] { ++calls; });
  REQUIRE(ours.id().index == theirs.id().index);
  REQUIRE(ours.id().index == stale.index);
  CHECK_FALSE(bus.unsubscribe(theirs.id()));
  CHECK_FALSE(bus.unsubscribe(stale));
  CHECK_FALSE(bus.unsubscribe({}));
  CHECK_FALSE(bus.unsubscribe({ours.id().serial, 12345}));
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  CHECK(calls == 1);
  CHECK(stranger.unsubscribe(theirs.id()));
}

TEST_CASE("EventBus: unsubscribe_all counts the subscriptions that there were", "[event_bus]") {
  EventBus bus{{.workers = 1}};
  EventBus stranger{{.workers = 1}};
  const std::array ids{bus.subscribe(ticked, [] {}).detach(),
                       bus.subscribe(number, [](int) {}).detach(),
                       stranger.subscribe(ticked, [] {}).detach(), SubscriptionId{}};
  CHECK(bus.unsubscribe_all(ids) == 2);
  CHECK(bus.unsubscribe_all(ids) == 0);
  CHECK(bus.stats().subscriptions.empty());
}

TEST_CASE("EventBus: cancelling waits for a running call and allows no further one",
          "[event_bus]") {
  Gate gate;
  std::atomic<bool> returned{false};
  std::atomic<int> calls{0};
  EventBus bus{{.workers = 2}};
  auto subscription = bus.subscribe(ticked, [&] {
    ++calls;
    static_cast<void>(gate.pass());
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    returned = true;
  });
  CHECK(bus.publish(ticked).ok());
  REQUIRE(gate.wait_for_arrivals());
  std::jthread opener{[&] { gate.open(); }};
  subscription.cancel();
  CHECK(returned);
  CHECK(bus.publish(ticked).ok());
  REQUIRE(bus.drain());
  CHECK(calls == 1);
}

TEST_CASE("EventBus: a processor may cancel itself and subscribe another", "[event_bus]") {
  Recorder<int> seen;
  Subscription second;
  Subscription first;
  EventBus bus{{.workers = 1}};
  first = bus.subscribe(number, [&](int value) {
    seen.add(value);
    first.cancel();
    second = bus.subscribe(number, [&](int later) { seen.add(100 + later); });
  });
  for (const int value : {1, 2}) {
    CHECK(bus.publish(number, value).ok());
    REQUIRE(bus.drain());
  }
  CHECK(seen.values() == std::vector<int>{1, 102});
}

// ---- Publishing -------------------------------------------------------------------------------

TEST_CASE("EventBus: publishes a value, a copy of an lvalue, and what emplace makes",
          "[event_bus]") {
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1}};
  const auto subscription = bus.subscribe(text, [&](const std::string& s) { seen.add(s); });
  const std::string constant = "constant";
  std::string variable = "variable";
  std::string moved = "a text that is too long to lie inside the string";
  CHECK(bus.publish(text, "literal").ok());
  CHECK(bus.publish(text, constant).ok());
  CHECK(bus.publish(text, variable).ok());
  CHECK(bus.publish(text, std::move(moved)).ok());
  CHECK(bus.emplace(text, std::size_t{3}, 'x').ok());
  CHECK(bus.emplace(text).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() ==
        std::vector<std::string>{"literal", "constant", "variable",
                                 "a text that is too long to lie inside the string", "xxx", ""});
  CHECK(constant == "constant");
  CHECK(variable == "variable");
  CHECK(moved.empty());  // NOLINT(bugprone-use-after-move): promised
}

TEST_CASE("EventBus: a move-only payload is moved all the way", "[event_bus]") {
  Recorder<int*> seen;
  EventBus bus{{.workers = 1}};
  const auto subscription =
      bus.subscribe(only_moved, [&](const std::unique_ptr<int>& value) { seen.add(value.get()); });
  auto first = std::make_unique<int>(1);
  int* const place = first.get();
  CHECK(bus.publish(only_moved, std::move(first)).ok());
  CHECK(bus.emplace(only_moved, nullptr).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<int*>{place, nullptr});
}

TEST_CASE("EventBus: an event arrives with its id, time, metadata and priority", "[event_bus]") {
  std::optional<Event<User>> kept;
  EventBus bus{{.workers = 1}};
  const auto subscription =
      bus.subscribe(user_created, [&](const Event<User>& event) { kept.emplace(event); });
  auto event = Event{user_created, {.id = "1", .name = "a"}}
                   .with_metadata("request_id", "r")
                   .with_priority(gossip::Priority::high);
  const EventId id = event.id();
  const auto time = event.timestamp();

  CHECK(bus.publish(event).ok());  // a copy: the event is as before
  CHECK(event.metadata().contains("request_id"));
  CHECK(event.data().name == "a");
  REQUIRE(bus.drain());
  REQUIRE(kept);
  CHECK(kept->id() == id);
  CHECK(kept->timestamp() == time);
  CHECK(*kept->metadata().find("request_id") == gossip::MetadataValue{"r"});
  CHECK(kept->priority() == gossip::Priority::high);
  CHECK(kept->data().name == "a");

  kept.reset();
  CHECK(bus.publish(std::move(event)).ok());
  REQUIRE(bus.drain());
  REQUIRE(kept);
  CHECK(kept->id() == id);
  CHECK(kept->metadata().size() == 1);
}

TEST_CASE("EventBus: copies of delivered events outlive the bus with their ids and times",
          "[event_bus]") {
  constexpr int events = 50;
  Recorder<Event<int>> kept;
  Recorder<EventId> ids;
  const auto before = std::chrono::system_clock::now();
  {
    EventBus bus{{.workers = 2}};
    const auto subscription = bus.subscribe(number, [&](const Event<int>& event) {
      ids.add(event.id());
      kept.add(event);
    });
    for (int i = 0; i < events; ++i) CHECK(bus.publish(number, i).ok());
    REQUIRE(bus.drain());
  }
  const auto after = std::chrono::system_clock::now();
  std::set<EventId> from_copies;
  constexpr std::chrono::milliseconds tolerance{1};
  for (const Event<int>& event : kept.values()) {
    from_copies.insert(event.id());
    CHECK(event.timestamp() >= before - tolerance);
    CHECK(event.timestamp() <= after + tolerance);
    CHECK(event.type() == "test.number");
  }
  const auto seen = ids.values();
  CHECK(from_copies.size() == events);
  CHECK(from_copies == std::set<EventId>(seen.begin(), seen.end()));
}

TEST_CASE("EventBus: an event that was delivered can be published again as it is", "[event_bus]") {
  Recorder<EventId> first;
  Recorder<EventId> second;
  EventBus target{{.workers = 1}};
  EventBus source{{.workers = 1}};
  const auto to = target.subscribe(number, [&](const Event<int>& e) { second.add(e.id()); });
  const auto from = source.subscribe(number, [&](const Event<int>& e) -> Status {
    first.add(e.id());
    return target.publish(e);
  });
  CHECK(source.publish(number, 1).ok());
  REQUIRE(source.drain());
  REQUIRE(target.drain());
  REQUIRE(first.size() == 1);
  CHECK(second.values() == first.values());
}

TEST_CASE("EventBus: publish_batch copies from an lvalue and moves from an rvalue", "[event_bus]") {
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1}};
  const auto subscription = bus.subscribe(text, [&](const std::string& s) { seen.add(s); });
  const std::string long_one(100, 'a');
  std::vector<std::string> range{long_one, "b"};
  const auto& constant = range;

  CHECK(bus.publish_batch(text, range).published == 2);
  CHECK(range == std::vector<std::string>{long_one, "b"});
  CHECK(bus.publish_batch(text, constant).published == 2);
  const std::array literals{"c", "d"};
  CHECK(bus.publish_batch(text, literals).published == 2);
  const auto moved = bus.publish_batch(text, std::move(range));
  CHECK(moved.published == 2);
  CHECK(moved.status.ok());
  CHECK(range[0].empty());  // NOLINT(bugprone-use-after-move): promised
  REQUIRE(bus.drain());
  CHECK(seen.values() ==
        std::vector<std::string>{long_one, "b", long_one, "b", "c", "d", long_one, "b"});
  CHECK(bus.publish_batch(text, std::vector<std::string>{}).published == 0);
}

TEST_CASE("EventBus: publish_batch copies from a view, and from what cannot be moved from",
          "[event_bus]") {
  Recorder<std::string> seen;
  Recorder<int> numbers;
  EventBus bus{{.workers = 1}};
  const auto texts = bus.subscribe(text, [&](const std::string& s) { seen.add(s); });
  const auto subscription = bus.subscribe(number, [&](int value) { numbers.add(value); });
  const std::string long_one(100, 'a');
  std::vector<std::string> owner{long_one};
  const std::vector<std::string> constant{long_one};

  CHECK(bus.publish_batch(text, std::span{owner}).published == 1);
  CHECK(owner[0] == long_one);
  CHECK(bus.publish_batch(text, std::span{constant}).published == 1);
  CHECK(bus.publish_batch(text, std::move(constant)).published == 1);
  CHECK(constant[0] == long_one);  // NOLINT(bugprone-use-after-move): promised
  CHECK(bus.publish_batch(text, std::vector<const char*>{"b"}).published == 1);
  CHECK(bus.publish_batch(number, std::initializer_list<int>{1, 2}).published == 2);
  CHECK(bus.publish_batch(text, std::move(owner)).published == 1);
  CHECK(owner[0].empty());  // NOLINT(bugprone-use-after-move): promised
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<std::string>{long_one, long_one, long_one, "b", long_one});
  CHECK(numbers.values() == std::vector<int>{1, 2});
}

TEST_CASE("EventBus: publish_batch stops at the first that is refused", "[event_bus]") {
  Gate gate;
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1, .capacity = 2, .overflow = OverflowPolicy::reject}};
  const auto busy = bus.subscribe(blocked, keep_busy(gate));
  const auto subscription = bus.subscribe(text, [&](const std::string& s) { seen.add(s); });
  CHECK(bus.publish(blocked).ok());
  REQUIRE(gate.wait_for_arrivals());
  std::vector<std::string> range{std::string(50, 'a'), std::string(50, 'b'), std::string(50, 'c'),
                                 std::string(50, 'd')};
  const auto result = bus.publish_batch(text, std::move(range));
  CHECK(result.published == 2);
  CHECK(result.status == Errc::queue_full);
  // NOLINTBEGIN(bugprone-use-after-move): promised
  CHECK(range[1].empty());
  CHECK(range[2] == std::string(50, 'c'));
  CHECK(range[3] == std::string(50, 'd'));
  // NOLINTEND(bugprone-use-after-move)
  gate.open();
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<std::string>{std::string(50, 'a'), std::string(50, 'b')});
}

// ---- Payloads that are refused ----------------------------------------------------------------

struct Small {
  std::string value;
};
struct Large {
  std::string value;
  std::array<char, 300> ballast{};
};
struct MoveOnly {
  explicit MoveOnly(std::string content) : value{std::move(content)} {}
  MoveOnly(MoveOnly&&) noexcept = default;
  MoveOnly& operator=(MoveOnly&&) noexcept = default;
  std::string value;
  std::unique_ptr<int> tail;
};
struct LargeMoveOnly : MoveOnly {
  using MoveOnly::MoveOnly;
  std::array<char, 300> ballast{};
};
static_assert(sizeof(Small) <= gossip::inline_payload_bytes);
static_assert(sizeof(Large) > gossip::inline_payload_bytes);

template <class T>
T payload_of(const std::string& value) {
  if constexpr (std::is_constructible_v<T, std::string>) {
    return T{value};
  } else {
    return T{.value = value};
  }
}

TEMPLATE_TEST_CASE("EventBus: a refused payload is untouched and can be published again",
                   "[event_bus]", Small, Large, MoveOnly, LargeMoveOnly) {
  constexpr EventType<TestType> type{"test.refused"};
  const std::string value(60, 'v');
  Gate gate;
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1, .capacity = 2, .overflow = OverflowPolicy::reject}};
  const auto busy = bus.subscribe(blocked, keep_busy(gate));
  const auto subscription = bus.subscribe(type, [&](const TestType& p) { seen.add(p.value); });
  CHECK(bus.publish(blocked).ok());
  REQUIRE(gate.wait_for_arrivals());
  CHECK(bus.publish(type, payload_of<TestType>("1")).ok());
  CHECK(bus.publish(type, payload_of<TestType>("2")).ok());

  TestType data = payload_of<TestType>(value);
  const void* const place = data.value.data();
  CHECK(bus.publish(type, std::move(data)) == Errc::queue_full);
  CHECK(data.value == value);  // NOLINT(bugprone-use-after-move): promised
  CHECK(static_cast<const void*>(data.value.data()) == place);

  auto event = Event<TestType>{type, payload_of<TestType>(value)}.with_metadata("k", 1);
  const EventId id = event.id();
  CHECK(bus.publish(std::move(event)) == Errc::queue_full);
  CHECK(event.data().value == value);  // NOLINT(bugprone-use-after-move): promised
  CHECK(event.id() == id);
  CHECK(event.metadata().contains("k"));

  gate.open();
  REQUIRE(bus.drain());
  CHECK(bus.publish(type, std::move(data)).ok());
  REQUIRE(bus.drain());
  CHECK(bus.publish(std::move(event)).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<std::string>{"1", "2", value, value});
  CHECK(bus.stats().rejected == 2);

  bus.shutdown();
  TestType late = payload_of<TestType>(value);
  CHECK(bus.publish(type, std::move(late)) == Errc::closed);
  CHECK(late.value == value);  // NOLINT(bugprone-use-after-move): promised
}

/// Boxed, and not assignable.
struct LargeConstant {
  std::unique_ptr<int> value;
  const int key = 0;
  std::array<char, 300> ballast{};
};

TEST_CASE("EventBus: a refused payload comes back though it cannot be assigned", "[event_bus]") {
  constexpr EventType<LargeConstant> type{"test.large_constant"};
  Gate gate;
  EventBus bus{{.workers = 1, .capacity = 2, .overflow = OverflowPolicy::reject}};
  const auto busy = bus.subscribe(blocked, keep_busy(gate));
  CHECK(bus.publish(blocked).ok());
  REQUIRE(gate.wait_for_arrivals());
  CHECK(bus.publish(type, LargeConstant{}).ok());
  CHECK(bus.publish(type, LargeConstant{}).ok());
  LargeConstant data{std::make_unique<int>(7), 1};
  // NOLINTBEGIN(bugprone-use-after-move): promised
  CHECK(bus.publish(type, std::move(data)) == Errc::queue_full);
  REQUIRE(data.value);
  CHECK(*data.value == 7);
  CHECK(data.key == 1);
  gate.open();
  bus.shutdown();
  CHECK(bus.publish(type, std::move(data)) == Errc::closed);
  REQUIRE(data.value);
  CHECK(*data.value == 7);
  // NOLINTEND(bugprone-use-after-move)
}

TEST_CASE("EventBus: a payload that cannot be copied or moved leaves everything as it was",
          "[event_bus]") {
  REQUIRE(ThrowingPayload::alive == 0);
  Recorder<int> seen;
  {
    EventBus bus{{.workers = 1}};
    const auto subscription =
        bus.subscribe(throwing, [&](const ThrowingPayload& p) { seen.add(p.value); });
    ThrowingPayload data{5};
    {
      const Raised copies_fail{ThrowingPayload::fail_copies};
      CHECK_THROWS_AS(bus.publish(throwing, data), ThrowingPayload::Failure);
    }
    {
      const Raised moves_fail{ThrowingPayload::fail_moves};
      CHECK_THROWS_AS(bus.publish(throwing, std::move(data)), ThrowingPayload::Failure);
    }
    CHECK(data.value == 5);  // NOLINT(bugprone-use-after-move): promised
    CHECK(bus.stats().published == 0);
    CHECK(bus.publish(throwing, data).ok());
    REQUIRE(bus.drain());
  }
  CHECK(seen.values() == std::vector<int>{5});
  CHECK(ThrowingPayload::alive == 0);
}

TEST_CASE("EventBus: an event whose payload cannot be moved keeps its metadata and id",
          "[event_bus]") {
  EventBus bus{{.workers = 1}};
  auto event = Event<ThrowingPayload>{throwing, ThrowingPayload{5}}.with_metadata("k", 1);
  const EventId id = event.id();
  {
    const Raised moves_fail{ThrowingPayload::fail_moves};
    CHECK_THROWS_AS(bus.publish(std::move(event)), ThrowingPayload::Failure);
  }
  CHECK(event.data().value == 5);  // NOLINT(bugprone-use-after-move): promised
  CHECK(event.id() == id);
  CHECK(event.metadata().contains("k"));
}

TEST_CASE("EventBus: a publish that is wrong in itself is counted, and told", "[event_bus]") {
  std::vector<std::string> told;
  EventBus<>* self = nullptr;
  EventBus bus{{.workers = 1, .on_error = [&](const gossip::ErrorReport& report) {
                  CHECK(report.subscription == SubscriptionId{});
                  CHECK(report.attempt == 1);
                  told.emplace_back(report.event_type) +=
                      report.status == Errc::validation_failed ? " priority" : " type";
                  // What the handler does wrong in turn is counted alone.
                  CHECK_FALSE(self->publish(number_as_long, 6).ok());
                }}};
  self = &bus;
  const auto subscription = bus.subscribe(number, [](int) {});
  CHECK(bus.publish(number_as_long, 5) == Errc::type_assertion_failed);
  CHECK(bus.publish(Event{number_as_long, 5}) == Errc::type_assertion_failed);
  CHECK(bus.publish_batch(number_as_long, std::vector<long>{5, 6}).status ==
        Errc::type_assertion_failed);
  CHECK(bus.stats().refused_invalid == 6);

  const auto no_priority = static_cast<gossip::Priority>(7);
  const gossip::Status refused = bus.publish(number, 5, {.priority = no_priority});
  REQUIRE(gossip::find_error<gossip::ValidationError>(refused) != nullptr);
  CHECK(refused.error()->message() == "priority is 7; allowed: high, normal, low");
  CHECK_FALSE(bus.publish(Event{number, 5}.with_priority(no_priority)).ok());
  CHECK_FALSE(bus.publisher(number).publish(5, {.priority = no_priority}).ok());

  CHECK(bus.publish(number, 5).ok());
  REQUIRE(bus.drain());
  const gossip::Statistics stats = bus.stats();
  CHECK(stats.refused_invalid == 12);
  CHECK(stats.published == 1);
  CHECK(told == std::vector<std::string>{"test.number type", "test.number type", "test.number type",
                                         "test.number priority", "test.number priority",
                                         "test.number priority"});
}

TEST_CASE("EventBus: a lifetime out of range is refused by name", "[event_bus]") {
  EventBus bus{{.workers = 1}};
  try {
    const auto none = bus.subscribe(number, [](int) {}, {.lifetime = static_cast<Lifetime>(9)});
    FAIL("was taken");
  } catch (const std::invalid_argument& error) {
    CHECK(std::string{error.what()} ==
          "SubscribeOptions: lifetime is 9; allowed: until_cancelled, once");
  }
  CHECK(bus.stats().subscriptions.empty());
}

// ---- Types ------------------------------------------------------------------------------------

template <class Throw>
void check_names_both_types(Throw&& use) {
  Status status;
  try {
    status = use();
  } catch (const gossip::TypeAssertionError& error) {
    status = error;
  }
  const auto* error = gossip::find_error<gossip::TypeAssertionError>(status);
  REQUIRE(error != nullptr);
  CHECK(error->expected() == gossip::payload_info<int>().name);
  CHECK(error->actual() == gossip::payload_info<long>().name);
  CHECK(error->message().find("test.number") != std::string::npos);
}

TEST_CASE("EventBus: a name in use with another payload is refused, naming both types",
          "[event_bus]") {
  std::atomic<int> calls{0};
  EventBus bus{{.workers = 1}};
  const auto subscription = bus.subscribe(number, [&](int) { ++calls; });
  check_names_both_types([&] { return bus.publish(number_as_long, 1); });
  check_names_both_types([&] { return bus.publish(Event{number_as_long, 1}); });
  check_names_both_types([&] { return bus.emplace(number_as_long, 1); });
  check_names_both_types(
      [&] { return bus.publish_batch(number_as_long, std::vector<long>{1}).status; });
  check_names_both_types([&] { return bus.publish_sync(number_as_long, 1).refused; });
  check_names_both_types([&] { return bus.publish_sync(Event{number_as_long, 1}).refused; });
  check_names_both_types([&]() -> Status {
    (void)bus.publisher(number_as_long);
    return {};
  });
  check_names_both_types([&]() -> Status {
    (void)bus.subscribe(number_as_long, [](long) {});
    return {};
  });
  REQUIRE(bus.drain());
  CHECK(calls == 0);
  CHECK(bus.stats().subscriptions.size() == 1);
}

TEST_CASE("EventBus: another bus may use the name with another payload", "[event_bus]") {
  EventBus first{{.workers = 1}};
  EventBus second{{.workers = 1}};
  std::atomic<long> sum{0};
  const auto a = first.subscribe(number, [&](int value) { sum += value; });
  const auto b = second.subscribe(number_as_long, [&](long value) { sum += 10 * value; });
  CHECK(first.publish(number, 1).ok());
  CHECK(second.publish(number_as_long, 1).ok());
  REQUIRE(first.drain());
  REQUIRE(second.drain());
  CHECK(sum == 11);
}

TEST_CASE("EventBus: a filter chooses among the events of a subscription", "[event_bus]") {
  Recorder<int> large;
  Recorder<std::string> named;
  EventBus bus{{.workers = 1}};
  const auto above_ten = [](int value) { return value > 10; };
  const auto first = bus.subscribe(number, above_ten, [&](int value) { large.add(value); });
  const auto second = bus.subscribe(
      number, [](const Event<int>& event) { return event.metadata().contains("key"); },
      [&](const Event<int>&, Context&) -> Status {
        named.add("called");
        return Errc::fatal;
      },
      {.name = "named"});
  const auto other = bus.subscribe(
      number, [](int) {}, gossip::SubscribeOptions{.name = "plain"});
  for (const int value : {9, 10, 11, 12}) CHECK(bus.publish(number, value).ok());
  CHECK(bus.publish(Event{number, 1}.with_metadata("key", 1)).ok());
  REQUIRE(bus.drain());
  CHECK(large.values() == std::vector{11, 12});
  CHECK(named.size() == 1);
  const auto result = bus.publish_sync(Event{number, 13}.with_metadata("key", 1));
  CHECK(result.calls == 3);
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].subscription_name == "named");
}

TEST_CASE("EventBus: a filter that throws fails the call, and the processor is not called",
          "[event_bus]") {
  EventBus bus{{.workers = 1}};
  bool called = false;
  const auto subscription = bus.subscribe(
      number, [](int) -> bool { throw std::out_of_range{"filter"}; }, [&](int) { called = true; });
  const auto result = bus.publish_sync(number, 1);
  REQUIRE(result.errors.size() == 1);
  CHECK(gossip::is_processing(result.errors[0].status));
  CHECK_FALSE(called);
}

// ---- Patterns ---------------------------------------------------------------------------------

TEST_CASE("EventBus: a pattern gets the events of all types that it matches", "[event_bus]") {
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1}};
  static_cast<void>(bus.publisher(number));  // met before the pattern
  auto all = bus.subscribe("test.*", [&](const AnyEvent& event) {
    std::string what{event.type()};
    if (const int* value = event.get_if<int>()) what += '=' + std::to_string(*value);
    seen.add(std::move(what));
  });
  const auto created = bus.subscribe(user_created, [&](const User&) { seen.add("user"); });
  CHECK(bus.publish(number, 1).ok());
  CHECK(bus.publish(text, "new").ok());  // the bus meets it now
  CHECK(bus.publish(user_created, {.id = "1", .name = "a"}).ok());
  CHECK(bus.publish(ticked).ok());
  CHECK(bus.publish_sync(number, 2).calls == 1);
  REQUIRE(bus.drain());
  CHECK(seen.sorted() == std::vector<std::string>{"test.number=1", "test.number=2", "test.text",
                                                  "test.ticked", "user"});
  all.cancel();
  CHECK(bus.publish(number, 3).ok());
  CHECK(bus.publish(other_number, 3).ok());
  REQUIRE(bus.drain());
  CHECK(seen.size() == 5);
  CHECK(bus.stats().unmatched == 2);
}

TEST_CASE("EventBus: patterns, options and errors work as for a type", "[event_bus]") {
  Recorder<std::string> seen;
  Recorder<std::string> errors;
  gossip::BusOptions options{.workers = 1};
  options.on_error = [&](const gossip::ErrorReport& report) {
    errors.add(std::string{report.subscription_name} + ' ' + std::string{report.event_type});
  };
  EventBus bus{options};
  const auto single = bus.subscribe(number, [&](int) { seen.add("single"); });
  const std::string text_of_pattern{"*.number"};
  const auto failing =
      bus.subscribe(text_of_pattern,
                    [&](const AnyEvent&, Context& context) -> Status {
                      seen.add("failing " + std::string{context.subscription_name()});
                      return gossip::FatalError{"no"};
                    },
                    {.name = "fails"});
  const auto once =
      bus.subscribe(gossip::EventPattern{">"}, [&](const AnyEvent&) { seen.add("once"); },
                    {.lifetime = Lifetime::once, .priority = 1});
  CHECK(bus.publish(number, 1).ok());
  CHECK(bus.publish(number, 2).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() ==
        std::vector<std::string>{"once", "single", "failing fails", "single", "failing fails"});
  CHECK(errors.values() == std::vector<std::string>(2, "fails test.number"));
  const gossip::Statistics stats = bus.stats();
  REQUIRE(stats.subscriptions.size() == 2);
  CHECK(stats.subscriptions[1].event_type == "*.number");
  CHECK(stats.subscriptions[1].failed == 2);
}

TEST_CASE("EventBus: a filter chooses among the events of a pattern", "[event_bus]") {
  Recorder<int> seen;
  EventBus bus{{.workers = 1}};
  const auto odd = bus.subscribe(
      "test.>", [](const AnyEvent& event) { return event.get<int>() % 2 == 1; },
      [&](const AnyEvent& event) { seen.add(event.get<int>()); });
  for (int i = 0; i < 4; ++i) CHECK(bus.publish(i < 2 ? number : other_number, i).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<int>{1, 3});
}

TEST_CASE("EventBus: an invalid pattern is refused with the position of the fault", "[event_bus]") {
  EventBus bus{{.workers = 1}};
  try {
    static_cast<void>(bus.subscribe("order.>.created", [](const AnyEvent&) {}));
    FAIL("accepted");
  } catch (const gossip::ValidationError& error) {
    CHECK(error.field() == "pattern");
    CHECK(std::string{error.what()}.find("invalid at byte 7; allowed there: the end") !=
          std::string::npos);
  }
  CHECK(bus.stats().subscriptions.empty());
  bus.shutdown();
  CHECK_THROWS_AS(static_cast<void>(bus.subscribe("order.>", [](const AnyEvent&) {})),
                  gossip::Error);
}

TEST_CASE("EventBus: an event may be kept by a pattern's processor", "[event_bus]") {
  Recorder<AnyEvent> kept;
  {
    EventBus bus{{.workers = 2}};
    const auto all = bus.subscribe(">", [&](const AnyEvent& event) { kept.add(event); });
    CHECK(bus.publish(Event{text, "kept"}.with_metadata("k", 1)).ok());
    REQUIRE(bus.drain());
  }
  REQUIRE(kept.size() == 1);
  CHECK(kept.values()[0].get<std::string>() == "kept");
  CHECK(kept.values()[0].metadata().contains("k"));
}

TEST_CASE("EventBus: a processor that a pattern calls may be called again for its event",
          "[event_bus]") {
  std::atomic<unsigned> attempts{0};
  std::atomic<int> sum{0};
  EventBus bus{{.workers = 1}};
  const auto all = bus.subscribe(">", [&](const AnyEvent& event, Context& context) -> Status {
    attempts = context.attempt();
    sum += event.get<int>();
    if (context.attempt() < 3 && context.defer(std::chrono::nanoseconds{0})) return Errc::retryable;
    return {};
  });
  CHECK(bus.publish(number, 7).ok());
  REQUIRE(bus.drain());
  CHECK(attempts == 3);
  CHECK(sum == 21);
}

TEST_CASE("EventBus: types named at run time are the same as literals", "[event_bus]") {
  Recorder<int> seen;
  EventBus bus{{.workers = 1}};
  const auto subscription = bus.subscribe(number, [&](int value) { seen.add(value); });
  CHECK(bus.publish(EventType<int>::parse(std::string{"test."} + "number"), 9).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<int>{9});
}

TEST_CASE("EventBus: ids of events are unique over threads and buses", "[event_bus]") {
  constexpr std::size_t threads = 4;
  constexpr int each = 200;
  Recorder<EventId> ids;
  EventBus a{{.workers = 2}};
  EventBus b{{.workers = 2}};
  const auto in_a = a.subscribe(number, [&](const Event<int>& event) { ids.add(event.id()); });
  const auto in_b = b.subscribe(number, [&](const Event<int>& event) { ids.add(event.id()); });
  {
    std::vector<std::jthread> publishers;
    for (std::size_t i = 0; i < threads; ++i) {
      publishers.emplace_back([&, i] {
        for (int event = 0; event < each; ++event) {
          static_cast<void>((i % 2 == 0 ? a : b).publish(number, event));
        }
      });
    }
  }
  REQUIRE(a.drain());
  REQUIRE(b.drain());
  const auto seen = ids.values();
  CHECK(seen.size() == threads * each);
  CHECK(std::set<EventId>(seen.begin(), seen.end()).size() == seen.size());
}

}  // namespace

TEST_CASE("EventBus: flush in memory has nothing to wait for", "[bus]") {
  EventBus bus;
  REQUIRE(bus.flush(std::chrono::nanoseconds::zero()).ok());
}
