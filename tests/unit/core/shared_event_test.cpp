// SPDX-License-Identifier: MIT
#include <gossip/core/shared_event.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using gossip::Event;
using gossip::EventType;
using gossip::detail::SharedEvent;

namespace {

struct Counted {
  explicit Counted(std::atomic<int>& count) : alive{&count} { ++*alive; }
  Counted(const Counted& other) : alive{other.alive} { ++*alive; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive; }
  std::atomic<int>* alive;
};
constexpr EventType<Counted> counted{"shared.counted"};
constexpr EventType<std::unique_ptr<int>> unique{"shared.unique"};

}  // namespace

TEST_CASE("SharedEvent: the event lives as long as one of its owners", "[shared_event]") {
  std::atomic<int> alive{0};
  SharedEvent kept;
  REQUIRE_FALSE(kept);
  {
    const Event<Counted> event{counted, Counted{alive}};
    const auto first = SharedEvent::copy_of<Counted>(event);
    REQUIRE(alive == 2);
    SharedEvent second = first;
    REQUIRE(alive == 2);
    kept = std::move(second);
  }
  REQUIRE(alive == 1);
  REQUIRE(static_cast<const Event<Counted>&>(*kept).data().alive == &alive);
  kept = {};
  REQUIRE(alive == 0);
}

TEST_CASE("SharedEvent: a copy keeps the identity of the event", "[shared_event]") {
  constexpr EventType<int> number{"shared.number"};
  const auto event = Event{number, 7}.with_metadata("key", "value");
  const auto copy = SharedEvent::copy_of<int>(event);
  REQUIRE((*copy).id() == event.id());
  REQUIRE((*copy).timestamp() == event.timestamp());
  REQUIRE((*copy).metadata() == event.metadata());
}

TEST_CASE("SharedEvent: what cannot be copied can be taken over", "[shared_event]") {
  Event<std::unique_ptr<int>> event{unique, std::make_unique<int>(7)};
  REQUIRE_FALSE(SharedEvent::copy_of<std::unique_ptr<int>>(event));
  const auto owner = SharedEvent::of(std::move(event));
  REQUIRE(*static_cast<const Event<std::unique_ptr<int>>&>(*owner).data() == 7);
}

TEST_CASE("SharedEvent: owners in many threads destroy the event once", "[shared_event]") {
  std::atomic<int> alive{0};
  auto owner = SharedEvent::of(Event<Counted>{counted, Counted{alive}});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([owner] {
      for (int k = 0; k < 1000; ++k) SharedEvent copy = owner;
    });
  }
  owner = {};
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  REQUIRE(alive == 0);
}
