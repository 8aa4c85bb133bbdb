// SPDX-License-Identifier: MIT
#include <gossip/dispatch/lane_queue.hpp>
#include <gossip/dispatch/task_queue.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

using gossip::Event;
using gossip::EventType;
using gossip::detail::LaneQueue;
using gossip::detail::PayloadOperations;
using gossip::detail::SharedEvent;
using gossip::detail::Task;
using gossip::detail::TypeEntry;

namespace {

constexpr EventType<int> number{"lane_queue.number"};
constexpr PayloadOperations no_operations{};

struct Fixture {
  explicit Fixture(std::size_t capacity, std::size_t runners = 4) : queue{capacity, runners} {}

  void put(std::uint64_t key, int value) { queue.put(key, event(value), type); }
  void put_alone(int value) { queue.put(event(value), type); }
  bool replace(std::uint64_t key, int value) {
    SharedEvent replacement = event(value);
    return queue.replace(key, replacement, type);
  }
  static SharedEvent event(int value) { return SharedEvent::of(Event<int>{number, value}); }
  static int value_of(const SharedEvent& event) {
    return static_cast<const Event<int>&>(*event).data();
  }
  /// The number taken; -1 if none is ready.
  int take() {
    taken = {};
    if (!queue.take(taken)) return -1;
    return taken.retry != nullptr ? 1'000 : value_of(taken.event);
  }

  TypeEntry type{number.key(), gossip::payload_info<int>(), no_operations, 0};
  LaneQueue queue;
  LaneQueue::Taken taken;
};

}  // namespace

TEST_CASE("LaneQueue: events of one key are taken in order, one at a time", "[lanes]") {
  Fixture lane{4};
  lane.put(7, 1);
  lane.put(7, 2);
  REQUIRE(lane.queue.waiting() == 2);
  REQUIRE(lane.queue.ready() == 1);
  REQUIRE(lane.take() == 1);
  const auto key = lane.taken.key;
  REQUIRE(lane.taken.type == &lane.type);
  REQUIRE(lane.take() == -1);
  lane.put(7, 3);
  REQUIRE(lane.take() == -1);
  lane.queue.done(key);
  REQUIRE(lane.take() == 2);
  lane.queue.done(key);
  REQUIRE(lane.take() == 3);
  lane.queue.done(key);
  REQUIRE(lane.take() == -1);
  REQUIRE(lane.queue.waiting() == 0);
}

TEST_CASE("LaneQueue: other keys go on while one is with a worker", "[lanes]") {
  Fixture lane{4};
  lane.put(1, 10);
  lane.put(1, 11);
  lane.put(2, 20);
  REQUIRE(lane.take() == 10);
  REQUIRE(lane.take() == 20);
  REQUIRE(lane.take() == -1);
}

TEST_CASE("LaneQueue: keys take turns", "[lanes]") {
  Fixture lane{4};
  lane.put(1, 10);
  lane.put(1, 11);
  lane.put(2, 20);
  REQUIRE(lane.take() == 10);
  lane.queue.done(lane.taken.key);
  REQUIRE(lane.take() == 20);
  REQUIRE(lane.take() == 11);
}

TEST_CASE("LaneQueue: events without a key wait for no other", "[lanes]") {
  Fixture lane{3};
  for (const int value : {1, 2, 3}) lane.put_alone(value);
  REQUIRE(lane.queue.full());
  REQUIRE(lane.take() == 1);
  REQUIRE(lane.take() == 2);
  REQUIRE(lane.take() == 3);
  lane.put(0, 4);
  lane.put_alone(5);
  REQUIRE(lane.take() == 4);
  REQUIRE(lane.take() == 5);
}

TEST_CASE("LaneQueue: the latest event of a key replaces the one that waits", "[lanes]") {
  Fixture lane{4};
  REQUIRE_FALSE(lane.replace(1, 9));
  lane.put(1, 10);
  lane.put(2, 20);
  REQUIRE(lane.replace(1, 11));
  REQUIRE(lane.take() == 11);          // in the turn of the one it replaced
  REQUIRE_FALSE(lane.replace(1, 12));  // with a worker: nothing waits
  REQUIRE(lane.take() == 20);
  REQUIRE(lane.queue.waiting() == 0);
}

TEST_CASE("LaneQueue: drop_oldest drops what waits longest, whatever its key", "[lanes]") {
  Fixture lane{4};
  REQUIRE_FALSE(lane.queue.drop_oldest());
  lane.put(1, 10);
  lane.put(2, 20);
  lane.put(1, 11);
  REQUIRE(Fixture::value_of(lane.queue.drop_oldest()) == 10);
  REQUIRE(Fixture::value_of(lane.queue.drop_oldest()) == 20);
  REQUIRE(lane.queue.ready() == 1);  // key 2 has gone
  REQUIRE(lane.take() == 11);
  lane.put(1, 12);
  REQUIRE(Fixture::value_of(lane.queue.drop_oldest()) == 12);  // while its key is with a worker
  lane.queue.done(lane.taken.key);
  REQUIRE(lane.take() == -1);
}

TEST_CASE("LaneQueue: a key waits for the attempt that was put off", "[lanes]") {
  Fixture lane{4};
  Task retry;
  lane.put(1, 10);
  lane.put(1, 11);
  lane.put(2, 20);
  REQUIRE(lane.take() == 10);
  const auto key = lane.taken.key;
  SECTION("resumed after the call") {
    lane.queue.suspend(key);
    REQUIRE(lane.take() == 20);
    REQUIRE(lane.take() == -1);
    REQUIRE(lane.queue.retrying() == 1);
    lane.queue.resume(key, retry);
  }
  SECTION("resumed while the call is still being made") {
    lane.queue.resume(key, retry);
    REQUIRE(lane.take() == 20);
    REQUIRE(lane.take() == -1);
    lane.queue.suspend(key);
    REQUIRE(lane.queue.retrying() == 1);
  }
  REQUIRE(lane.take() == 1'000);
  REQUIRE(lane.taken.retry == &retry);
  REQUIRE_FALSE(lane.taken.event);
  REQUIRE(lane.taken.key == key);
  REQUIRE(lane.queue.retrying() == 0);
  lane.queue.done(key);
  REQUIRE(lane.take() == 11);
}

TEST_CASE("LaneQueue: dropping the events of a key that is to be tried again leaves the attempt",
          "[lanes]") {
  Fixture lane{4};
  Task retry;
  lane.put(1, 10);
  lane.put(1, 11);
  REQUIRE(lane.take() == 10);
  lane.queue.suspend(lane.taken.key);
  lane.queue.resume(lane.taken.key, retry);
  REQUIRE(Fixture::value_of(lane.queue.drop_oldest()) == 11);
  std::size_t retries = 0;
  lane.queue.for_each_retry([&](Task& task) { retries += &task == &retry ? 1 : 0; });
  REQUIRE(retries == 1);
  REQUIRE(lane.take() == 1'000);
}

TEST_CASE("LaneQueue: visits the events that wait, the oldest first", "[lanes]") {
  Fixture lane{4};
  for (const int value : {3, 1, 2}) lane.put(static_cast<std::uint64_t>(value), value);
  REQUIRE(lane.take() == 3);
  std::vector<int> waiting;
  lane.queue.for_each_event(
      [&](const SharedEvent& event) { waiting.push_back(Fixture::value_of(event)); });
  REQUIRE(waiting == std::vector<int>{1, 2});
}

TEST_CASE("LaneQueue: does for ever what a plain model does", "[lanes]") {
  constexpr std::size_t capacity = 12;
  constexpr std::size_t runners = 3;
  std::mt19937 random{7};  // NOLINT: the same every time
  Fixture lane{capacity, runners};
  std::map<std::uint64_t, std::deque<int>> waiting;     // by key
  std::deque<std::uint64_t> turns;                      // of the keys that are ready
  std::map<std::uint64_t, LaneQueue::Index> taken;      // keys with a worker
  std::map<std::uint64_t, LaneQueue::Index> suspended;  // keys that wait for resume()
  std::set<std::uint64_t> resumed;                      // ready, with an attempt
  Task retry;
  const auto total = [&] {
    std::size_t sum = 0;
    for (const auto& [key, events] : waiting) sum += events.size();
    return sum;
  };
  const auto is_ready = [&](std::uint64_t key) {
    return std::find(turns.begin(), turns.end(), key) != turns.end();
  };
  int next = 0;
  for (int step = 0; step < 200'000; ++step) {
    const std::uint64_t key = (random() % 6) << 32U;  // equal in their lower half
    switch (random() % 6) {
      case 0:
      case 1:
        if (total() == capacity) break;
        if (taken.count(key) == 0 && suspended.count(key) == 0 && !is_ready(key))
          turns.push_back(key);
        waiting[key].push_back(++next);
        lane.put(key, next);
        break;
      case 2: {
        if (taken.size() == runners) break;
        const int value = lane.take();
        if (turns.empty()) {
          REQUIRE(value == -1);
          break;
        }
        const std::uint64_t turn = turns.front();
        turns.pop_front();
        if (resumed.erase(turn) != 0) {
          REQUIRE(value == 1'000);
        } else {
          REQUIRE(value == waiting[turn].front());
          waiting[turn].pop_front();
        }
        taken[turn] = lane.taken.key;
        break;
      }
      case 3:
      case 4:
        if (taken.empty()) break;
        if (random() % 3 == 0) {
          lane.queue.suspend(taken.begin()->second);
          suspended.insert(*taken.begin());
        } else {
          lane.queue.done(taken.begin()->second);
          if (!waiting[taken.begin()->first].empty()) turns.push_back(taken.begin()->first);
        }
        taken.erase(taken.begin());
        break;
      case 5:
        if (suspended.empty()) break;
        lane.queue.resume(suspended.begin()->second, retry);
        turns.push_back(suspended.begin()->first);
        resumed.insert(suspended.begin()->first);
        suspended.erase(suspended.begin());
        break;
    }
    REQUIRE(lane.queue.waiting() == total());
    REQUIRE(lane.queue.ready() == turns.size());
    REQUIRE(lane.queue.retrying() == suspended.size() + resumed.size());
  }
}
