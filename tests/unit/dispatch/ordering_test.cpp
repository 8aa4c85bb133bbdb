// SPDX-License-Identifier: MIT
#include <gossip/dispatch/ordering.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using gossip::AnyEvent;
using gossip::Event;
using gossip::EventType;
using gossip::LaneOptions;
using gossip::LaneOverflow;
using gossip::Ordering;
using gossip::payload_info;
using gossip::detail::KeySubject;
using gossip::detail::SharedEvent;

namespace {

struct Order {
  std::string customer;
  int amount = 0;
  [[nodiscard]] std::string_view shop() const { return "shop"; }
};
constexpr EventType<Order> placed{"ordering.placed"};
constexpr EventType<void> ticked{"ordering.ticked"};

template <class T>
std::uint64_t key_of(const Ordering& ordering, const Event<T>& event) {
  return ordering.key_of({event, payload_info<T>(), &SharedEvent::copy_of<T>});
}
std::uint64_t hash_of(const std::string& text) { return std::hash<std::string>{}(text); }

std::string customer_of(const Order& order) { return order.customer; }

/// Has no member to take the address of without saying which.
struct Overloaded {
  int operator()(const Order& order) const { return order.amount; }
  int operator()(int number) const { return number; }
};

template <class F>
concept Deduced = requires(F key) {
  Ordering::by_key(key);
};
constexpr auto generic = [](const auto& order) { return order.amount; };
static_assert(!Deduced<Overloaded> && !Deduced<decltype(generic)>);

}  // namespace

TEST_CASE("Ordering: unordered unless one asks for more", "[lanes]") {
  REQUIRE(Ordering{}.kind() == Ordering::Kind::unordered);
  REQUIRE(Ordering::unordered().kind() == Ordering::Kind::unordered);
  REQUIRE(Ordering::per_publisher().kind() == Ordering::Kind::per_publisher);
  REQUIRE(Ordering::per_publisher().payload() == nullptr);
}

TEST_CASE("Ordering: a key function may take the payload, the event, or any event", "[lanes]") {
  const Event<Order> event =
      Event<Order>{placed, {"alice", 5}}.with_metadata("tenant", std::string{"acme"});
  SECTION("a member") {
    const Ordering by_customer = Ordering::by_key(&Order::customer);
    REQUIRE(by_customer.kind() == Ordering::Kind::by_key);
    REQUIRE(by_customer.payload() == &payload_info<Order>());
    REQUIRE(key_of(by_customer, event) == hash_of("alice"));
  }
  SECTION("a member function") {
    REQUIRE(key_of(Ordering::by_key(&Order::shop), event) == hash_of("shop"));
  }
  SECTION("a function") {
    REQUIRE(key_of(Ordering::by_key(&customer_of), event) == hash_of("alice"));
  }
  SECTION("a lambda of the payload") {
    const auto ordering = Ordering::by_key([](const Order& order) { return order.customer; });
    REQUIRE(ordering.payload() == &payload_info<Order>());
    REQUIRE(key_of(ordering, event) == hash_of("alice"));
  }
  SECTION("a lambda of the event") {
    const auto ordering = Ordering::by_key([](const Event<Order>& whole) noexcept {
      return whole.metadata().contains("tenant") ? 1 : 2;
    });
    REQUIRE(ordering.payload() == &payload_info<Order>());
    REQUIRE(key_of(ordering, event) == std::hash<int>{}(1));
  }
  SECTION("a lambda of any event") {
    const auto ordering =
        Ordering::by_key([](const AnyEvent& any) { return any.get<Order>().customer; });
    REQUIRE(ordering.payload() == nullptr);
    REQUIRE(key_of(ordering, event) == hash_of("alice"));
  }
  SECTION("a callable with several signatures, told which") {
    REQUIRE(key_of(Ordering::by_key<Order>(generic), event) == std::hash<int>{}(5));
    REQUIRE(key_of(Ordering::by_key<Order>(Overloaded{}), event) == std::hash<int>{}(5));
    REQUIRE(Ordering::by_key<Order>(generic).payload() == &payload_info<Order>());
  }
  SECTION("an event without data") {
    const auto ordering = Ordering::by_key([](const Event<void>& tick) { return tick.type(); });
    REQUIRE(ordering.payload() == &payload_info<void>());
    REQUIRE(key_of(ordering, Event<void>{ticked}) == hash_of("ordering.ticked"));
  }
}

TEST_CASE("Ordering: copies share the key function, the last one destroys it", "[lanes]") {
  const auto witness = std::make_shared<int>(3);
  {
    const Ordering first = Ordering::by_key([witness](const Order&) { return *witness; });
    REQUIRE(witness.use_count() == 2);
    Ordering second = first;
    REQUIRE(witness.use_count() == 2);
    Ordering third = std::move(second);
    REQUIRE(second.kind() == Ordering::Kind::unordered);  // NOLINT: as documented
    second = third;
    third = Ordering::per_publisher();
    REQUIRE(witness.use_count() == 2);
    REQUIRE(key_of(second, Event<Order>{placed, {}}) == std::hash<int>{}(3));
  }
  REQUIRE(witness.use_count() == 1);
}

TEST_CASE("LaneOverflow: every policy has a name", "[lanes]") {
  CHECK(to_string(LaneOverflow::block) == std::string_view{"block"});
  CHECK(to_string(LaneOverflow::reject) == std::string_view{"reject"});
  CHECK(to_string(LaneOverflow::drop_oldest) == std::string_view{"drop_oldest"});
  CHECK(to_string(LaneOverflow::drop_newest) == std::string_view{"drop_newest"});
  CHECK(to_string(LaneOverflow::coalesce) == std::string_view{"coalesce"});
  CHECK(to_string(static_cast<LaneOverflow>(9)) == std::string_view{"unknown"});
}

TEST_CASE("Ordering: every kind has a name", "[ordering]") {
  using Kind = gossip::Ordering::Kind;
  CHECK(std::string_view{to_string(Kind::unordered)} == "unordered");
  CHECK(std::string_view{to_string(Kind::per_publisher)} == "per_publisher");
  CHECK(std::string_view{to_string(Kind::by_key)} == "by_key");
  CHECK(std::string_view{to_string(static_cast<Kind>(9))} == "unknown");
}

TEST_CASE("LaneOptions: equal if all members are", "[lanes]") {
  CHECK(LaneOptions{} == LaneOptions{});
  CHECK_FALSE(LaneOptions{.capacity = 5} == LaneOptions{});
  CHECK_FALSE(LaneOptions{.overflow = LaneOverflow::reject} == LaneOptions{});
}
