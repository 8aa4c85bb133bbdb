// SPDX-License-Identifier: MIT
#include <gossip/dispatch/pattern_types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using gossip::EventPattern;
using gossip::EventType;
using gossip::payload_info;
using gossip::detail::PatternTypes;
using gossip::detail::PayloadOperations;
using gossip::detail::RareOwner;
using gossip::detail::SubscriptionRecord;
using gossip::detail::TypeEntry;

namespace {

constexpr PayloadOperations no_operations{};

struct Fixture {
  Fixture() {
    any.pattern = RareOwner{new EventPattern{">"}};
    orders.pattern = RareOwner{new EventPattern{"order.*"}};
    users.pattern = RareOwner{new EventPattern{"user.*"}};
    any.name = "any";
    orders.name = "orders";
    users.name = "users";
    single.type = &user;
    for (SubscriptionRecord* record : {&any, &orders, &users}) types.add(*record);
    for (TypeEntry* type : {&order, &user, &late}) types.admit(*type);
  }

  [[nodiscard]] std::string patterns_for(const EventType<int>& type) const {
    std::string names;
    types.for_each_pattern(type.key(),
                           [&](const SubscriptionRecord& record) { names += record.name + ' '; });
    return names;
  }
  [[nodiscard]] static std::string types_of(const SubscriptionRecord& record, TypeEntry* newest) {
    std::string names;
    PatternTypes::for_each_type(record, newest, [&](const TypeEntry& type) {
      names += std::string{type.name.text()} + ' ';
    });
    return names;
  }

  static constexpr EventType<int> created{"order.created"};
  static constexpr EventType<int> added{"user.added"};
  static constexpr EventType<int> paid{"order.paid"};
  TypeEntry order{created.key(), payload_info<int>(), no_operations, 0};
  TypeEntry user{added.key(), payload_info<int>(), no_operations, 1};
  TypeEntry late{paid.key(), payload_info<int>(), no_operations, 2};
  SubscriptionRecord any;
  SubscriptionRecord orders;
  SubscriptionRecord users;
  SubscriptionRecord single;
  PatternTypes types;
};

}  // namespace

TEST_CASE("PatternTypes: finds the patterns of a type in the order of subscribing", "[dispatch]") {
  Fixture fixture;
  REQUIRE(fixture.patterns_for(Fixture::created) == "any orders ");
  REQUIRE(fixture.patterns_for(Fixture::added) == "any users ");
  fixture.types.remove(fixture.any);
  fixture.types.add(fixture.any);
  REQUIRE(fixture.patterns_for(Fixture::added) == "users any ");
}

TEST_CASE("PatternTypes: forgets the first, the last, the only pattern", "[dispatch]") {
  Fixture fixture;
  fixture.types.remove(fixture.users);
  REQUIRE(fixture.patterns_for(Fixture::added) == "any ");
  fixture.types.add(fixture.users);
  fixture.types.remove(fixture.any);
  fixture.types.remove(fixture.orders);
  REQUIRE(fixture.patterns_for(Fixture::created).empty());
  fixture.types.remove(fixture.users);
  REQUIRE(fixture.patterns_for(Fixture::added).empty());
  fixture.types.add(fixture.orders);
  REQUIRE(fixture.patterns_for(Fixture::created) == "orders ");
}

TEST_CASE("PatternTypes: finds the types of a record, up to the newest one that is asked for",
          "[dispatch]") {
  Fixture fixture;
  REQUIRE(fixture.types.newest() == &fixture.late);
  REQUIRE(Fixture::types_of(fixture.orders, &fixture.late) == "order.paid order.created ");
  REQUIRE(Fixture::types_of(fixture.orders, &fixture.user) == "order.created ");
  REQUIRE(Fixture::types_of(fixture.orders, nullptr).empty());
  REQUIRE(Fixture::types_of(fixture.single, nullptr) == "user.added ");
}
