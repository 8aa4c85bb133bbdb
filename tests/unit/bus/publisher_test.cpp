// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/publisher.hpp>

#include "support/recorder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gossip::Errc;
using gossip::EventBus;
using gossip::EventType;
using gossip::test::Recorder;

constexpr EventType<std::string> text{"test.text"};
constexpr EventType<int> text_as_int{"test.text"};
constexpr EventType<int> number{"test.number"};
constexpr EventType<std::unique_ptr<int>> only_moved{"test.only_moved"};
constexpr EventType<void> ticked{"test.ticked"};

using TextPublisher = decltype(std::declval<EventBus<>&>().publisher(text));
static_assert(std::is_copy_constructible_v<TextPublisher>);
static_assert(std::is_copy_assignable_v<TextPublisher>);

TEST_CASE("Publisher: publishes values, copies, and what emplace makes", "[publisher]") {
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1}};
  const auto subscription = bus.subscribe(text, [&](const std::string& s) { seen.add(s); });
  auto publisher = bus.publisher(text);
  const std::string kept = "kept";
  std::string moved(50, 'm');
  CHECK(publisher.publish("literal").ok());
  CHECK(publisher.publish(kept).ok());
  CHECK(publisher.publish(std::move(moved)).ok());
  CHECK(publisher.emplace(std::size_t{2}, 'x').ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<std::string>{"literal", "kept", std::string(50, 'm'), "xx"});
  CHECK(kept == "kept");
  CHECK(moved.empty());  // NOLINT(bugprone-use-after-move): promised
}

TEST_CASE("Publisher: of void publishes without data", "[publisher]") {
  Recorder<int> seen;
  EventBus bus{{.workers = 1}};
  const auto subscription = bus.subscribe(ticked, [&] { seen.add(1); });
  auto publisher = bus.publisher(ticked);
  CHECK(publisher.publish().ok());
  REQUIRE(bus.drain());
  CHECK(seen.size() == 1);
}

TEST_CASE("Publisher: moves a move-only payload", "[publisher]") {
  Recorder<int> seen;
  EventBus bus{{.workers = 1}};
  const auto subscription =
      bus.subscribe(only_moved, [&](const std::unique_ptr<int>& value) { seen.add(*value); });
  auto publisher = bus.publisher(only_moved);
  CHECK(publisher.publish(std::make_unique<int>(4)).ok());
  CHECK(publisher.emplace(new int{5}).ok());
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<int>{4, 5});
}

TEST_CASE("Publisher: copies publish on the same bus from several threads", "[publisher]") {
  constexpr int each = 200;
  Recorder<int> seen;
  EventBus bus{{.workers = 2}};
  const auto subscription = bus.subscribe(number, [&](int value) { seen.add(value); });
  const auto publisher = bus.publisher(number);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([copy = publisher, i]() mutable {
        for (int event = 0; event < each; ++event) {
          static_cast<void>(copy.publish(i * each + event));
        }
      });
    }
  }
  REQUIRE(bus.drain());
  const auto sorted = seen.sorted();
  REQUIRE(sorted.size() == 3 * each);
  CHECK(sorted.front() == 0);
  CHECK(sorted.back() == 3 * each - 1);
}

TEST_CASE("Publisher: still publishes after it was moved from", "[publisher]") {
  Recorder<std::string> seen;
  EventBus bus{{.workers = 1}};
  const auto subscription = bus.subscribe(text, [&](const std::string& s) { seen.add(s); });
  auto publisher = bus.publisher(text);
  auto other = std::move(publisher);
  CHECK(publisher.publish("a").ok());  // NOLINT(bugprone-use-after-move): promised
  CHECK(other.publish("b").ok());
  publisher = std::move(other);
  CHECK(other.publish("c").ok());  // NOLINT(bugprone-use-after-move): promised
  REQUIRE(bus.drain());
  CHECK(seen.values() == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("Publisher: is refused for a name in use with another payload", "[publisher]") {
  EventBus bus{{.workers = 1}};
  const auto publisher = bus.publisher(text);
  CHECK_THROWS_AS((void)bus.publisher(text_as_int), gossip::TypeAssertionError);
}

TEST_CASE("Publisher: answers closed after shutdown, and after the bus is gone", "[publisher]") {
  std::optional<EventBus<>> bus{std::in_place, gossip::BusOptions{.workers = 1}};
  auto publisher = bus->publisher(text);
  bus->shutdown();
  CHECK(publisher.publish("late") == Errc::closed);
  CHECK(bus->stats().refused_closed == 1);
  bus.reset();
  std::string data(50, 'd');
  CHECK(publisher.publish(std::move(data)) == Errc::closed);
  CHECK(data == std::string(50, 'd'));  // NOLINT(bugprone-use-after-move): promised
  auto copy = publisher;
  CHECK(copy.emplace("x") == Errc::closed);
}

TEST_CASE("Publisher: does not keep the processors of its bus alive", "[publisher]") {
  auto captured = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = captured;
  std::optional<EventBus<>> bus{std::in_place, gossip::BusOptions{.workers = 1}};
  auto publisher = bus->publisher(ticked);
  const auto subscription = bus->subscribe(ticked, [captured = std::move(captured)] {});
  bus.reset();
  CHECK(watch.expired());
  CHECK(publisher.publish() == Errc::closed);
}

}  // namespace
