// SPDX-License-Identifier: MIT
#include <gossip/dispatch/subscription_record.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <set>
#include <vector>

using gossip::detail::RecordTable;
using gossip::detail::SubscriberArray;
using gossip::detail::SubscriptionRecord;

TEST_CASE("SubscriberArray: entries are appended in order and know their place", "[dispatch]") {
  SubscriptionRecord first;
  SubscriptionRecord second;
  SubscriberArray array{2};
  REQUIRE(array.count.load() == 0);
  REQUIRE(array.capacity == 2);
  array.append(first, 11);
  array.append(second, 12);
  REQUIRE(array.count.load() == 2);
  REQUIRE(array.entries[0].record.load() == &first);
  REQUIRE(array.entries[0].serial == 11);
  REQUIRE(array.entries[1].record.load() == &second);
  REQUIRE(array.entries[1].serial == 12);
  REQUIRE(first.position == 0);
  REQUIRE(second.position == 1);
}

TEST_CASE("RecordTable: records have their index, and stay where they are", "[dispatch]") {
  RecordTable table;
  REQUIRE(table.size() == 0);
  std::vector<SubscriptionRecord*> records;
  std::set<SubscriptionRecord*> distinct;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    SubscriptionRecord& record = table.add();
    REQUIRE(record.index == i);
    REQUIRE(table.size() == i + 1);
    records.push_back(&record);
    distinct.insert(&record);
  }
  REQUIRE(distinct.size() == 1'000);
  for (std::uint32_t i = 0; i < 1'000; ++i) REQUIRE(&table[i] == records[i]);
}
