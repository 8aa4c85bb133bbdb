// SPDX-License-Identifier: MIT
#include <gossip/core/event_type.hpp>
#include <gossip/dispatch/subscriber_lists.hpp>

#include <catch2/catch_test_macros.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <vector>

using gossip::EventType;
using gossip::payload_info;
using gossip::detail::PayloadOperations;
using gossip::detail::SubscriberArray;
using gossip::detail::SubscriberLists;
using gossip::detail::SubscriptionRecord;
using gossip::detail::ThreadSlot;
using gossip::detail::ThreadSlots;
using gossip::detail::TypeEntry;

namespace {

constexpr EventType<int> number{"lists.number"};
constexpr PayloadOperations no_operations{};

struct Fixture {
  ThreadSlots slots;
  TypeEntry type{number.key(), payload_info<int>(), no_operations, 0};
  SubscriberLists lists{slots};

  void insert(SubscriptionRecord& record) {
    lists.insert(type, record, 1, SubscriberLists::make_room(type, record.priority));
    lists.collect();
  }
  [[nodiscard]] SubscriberArray* array() const { return type.subscribers.load(); }
  /// The records in the list.
  [[nodiscard]] std::vector<const SubscriptionRecord*> records() const {
    std::vector<const SubscriptionRecord*> records;
    for (std::uint32_t i = 0; i < array()->count.load(); ++i) {
      const SubscriptionRecord* record = array()->entries[i].record.load();
      if (record != &SubscriberArray::nobody) records.push_back(record);
    }
    return records;
  }
};

}  // namespace

TEST_CASE("SubscriberLists: entries of equal or lower priority are appended in place",
          "[dispatch]") {
  Fixture fixture;
  std::vector<SubscriptionRecord> records(9);
  REQUIRE(SubscriberLists::needs_room(fixture.type, INT_MIN));
  fixture.insert(records[0]);
  const SubscriberArray* first = fixture.array();
  records[1].priority = 0;
  records[2].priority = -1;
  for (std::size_t i = 1; i < 8; ++i) {
    if (i > 2) records[i].priority = INT_MIN;
    REQUIRE_FALSE(SubscriberLists::needs_room(fixture.type, records[i].priority));
    fixture.insert(records[i]);
  }
  REQUIRE(fixture.array() == first);
  records[8].priority = INT_MIN;
  REQUIRE(SubscriberLists::needs_room(fixture.type, INT_MIN));  // it is full
  fixture.insert(records[8]);
  REQUIRE(fixture.array()->capacity > 8);
  std::vector<const SubscriptionRecord*> expected;
  for (const auto& record : records) expected.push_back(&record);
  REQUIRE(fixture.records() == expected);
  REQUIRE(fixture.type.live == 9);
}

TEST_CASE("SubscriberLists: a higher priority goes before lower ones, behind its equals",
          "[dispatch]") {
  Fixture fixture;
  std::vector<SubscriptionRecord> records(5);
  const int priorities[] = {0, 5, 5, INT_MAX, 1};
  for (std::size_t i = 0; i < 5; ++i) {
    records[i].priority = priorities[i];
    fixture.insert(records[i]);
  }
  REQUIRE(fixture.records() == std::vector<const SubscriptionRecord*>{&records[3], &records[1],
                                                                      &records[2], &records[4],
                                                                      &records[0]});
}

TEST_CASE("SubscriberLists: an array that somebody walks is freed once nobody does", "[dispatch]") {
  Fixture fixture;
  ThreadSlot& slot = fixture.slots.acquire(&fixture);
  SubscriptionRecord low;
  SubscriptionRecord high;
  SubscriptionRecord higher;
  high.priority = 1;
  higher.priority = 2;
  fixture.insert(low);
  const SubscriberArray* walked = fixture.array();
  slot.enter().array.store(walked);
  fixture.insert(high);
  fixture.insert(higher);
  REQUIRE(fixture.array() != walked);
  REQUIRE(walked->count.load() == 1);  // still there, see the address sanitizer
  REQUIRE(walked->entries[0].record.load() == &low);
  slot.leave();
  fixture.lists.collect();
}

TEST_CASE("SubscriberLists: a list that is mostly empty is tidied", "[dispatch]") {
  Fixture fixture;
  std::vector<SubscriptionRecord> records(40);
  for (SubscriptionRecord& record : records) fixture.insert(record);
  for (std::size_t i = 0; i < 30; ++i) fixture.lists.remove(fixture.type, records[i]);
  REQUIRE(fixture.type.live == 10);
  REQUIRE(fixture.records().size() == 10);
  REQUIRE(fixture.array()->count.load() < 40);
  REQUIRE(fixture.array()->vacant <= 17);
}

TEST_CASE("SubscriberLists: a record that is in several lists leaves each of them", "[dispatch]") {
  constexpr EventType<int> other{"lists.other"};
  Fixture fixture;
  TypeEntry second{other.key(), payload_info<int>(), no_operations, 1};
  SubscriptionRecord before;
  SubscriptionRecord shared;
  SubscriptionRecord after;
  fixture.insert(before);
  fixture.insert(shared);
  fixture.insert(after);
  fixture.lists.insert(second, shared, 1, SubscriberLists::make_room(second, 0));
  fixture.lists.remove(fixture.type, shared);
  REQUIRE(fixture.records() == std::vector<const SubscriptionRecord*>{&before, &after});
  REQUIRE(second.live == 1);
  fixture.lists.remove(second, shared);
  REQUIRE(second.live == 0);
  REQUIRE(second.subscribers.load()->entries[0].record.load() == &SubscriberArray::nobody);
}
