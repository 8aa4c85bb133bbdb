// SPDX-License-Identifier: MIT
#include <gossip/core/event_id.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using gossip::EventId;

TEST_CASE("EventId: is no id by default", "[event_id]") {
  CHECK(EventId{}.origin == 0);
  CHECK(EventId{} == EventId{0, 0});
  CHECK(EventId{1, 2} != EventId{1, 3});
  CHECK(EventId{1, 2} != EventId{2, 2});
  CHECK(EventId{1, 9} < EventId{2, 0});
}

TEST_CASE("EventId: its text is 32 hexadecimal digits, the origin first", "[event_id]") {
  CHECK(to_string(EventId{}) == std::string(32, '0'));
  CHECK(to_string(EventId{0x0123456789abcdefULL, 0xfedcba9876543210ULL}) ==
        "0123456789abcdeffedcba9876543210");
  CHECK(to_string(EventId{1, 0xa}) == "0000000000000001000000000000000a");
}

TEST_CASE("EventId: origins are random and never 0", "[event_id]") {
  std::set<std::uint64_t> origins;
  for (int i = 0; i < 1000; ++i) origins.insert(gossip::detail::make_origin());
  CHECK(origins.size() == 1000);
  CHECK_FALSE(origins.contains(0));
}

TEST_CASE("EventId: ids made on several threads are unique and share one origin", "[event_id]") {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 2000;
  std::vector<std::vector<EventId>> made(threads);
  std::latch start{threads};
  {
    std::vector<std::jthread> pool;
    for (auto& ids : made) {
      pool.emplace_back([&ids, &start] {
        start.arrive_and_wait();
        for (std::size_t i = 0; i < each; ++i) ids.push_back(gossip::detail::make_event_id());
      });
    }
  }
  std::set<EventId> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  CHECK(all.size() == threads * each);
  CHECK(std::all_of(all.begin(), all.end(), [&](const EventId& id) {
    return id.origin == all.begin()->origin && id.origin != 0;
  }));
}

}  // namespace
