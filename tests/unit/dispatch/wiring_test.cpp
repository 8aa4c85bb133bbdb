// SPDX-License-Identifier: MIT
#include <gossip/dispatch/any_call.hpp>
#include <gossip/dispatch/wiring.hpp>

#include "support/registry_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::EventPattern;
using gossip::EventType;
using gossip::SubscribeOptions;
using gossip::Topology;
using gossip::detail::wiring_of;
using gossip::test::registry_event;

using Names = std::vector<std::string_view>;

struct Shouting {
  static constexpr const char* middleware_name = "shout";
  void operator()(int) const {}
};

/// Types and a registry that knows them.
struct Wired : gossip::test::RegistryFixture {
  Wired() = default;
  Wired(const Wired&) = delete;
  Wired& operator=(const Wired&) = delete;
  ~Wired() { registry.clear(nullptr); }  // before the types go

  gossip::detail::TypeTable types{{this, [](void* self, gossip::detail::TypeEntry& entry) {
                                     static_cast<Wired*>(self)->registry.admit(entry);
                                   }}};
  gossip::detail::TypeEntry& add(const EventType<int>& name) {
    return types.add(name.key(), gossip::payload_info<int>(), gossip::test::no_operations, nullptr);
  }
};

TEST_CASE("wiring_of: a subscription to a type, with all that was chosen for it", "[topology]") {
  Wired wired;
  constexpr EventType<int> a{"a.x"};
  constexpr EventType<int> b{"b.x"};
  auto& entry = wired.add(a);
  wired.add(b);
  const unsigned line = __LINE__ + 1;
  SubscribeOptions options{.name = "one", .priority = 3};
  options.lifetime = SubscribeOptions::Lifetime::once;
  const auto id =
      wired.registry.subscribe(entry, gossip::detail::erase_processor<int>(Shouting{}), options);
  const Topology topology = wiring_of(wired.types, wired.registry);
  REQUIRE(topology.types.size() == 2);
  CHECK(topology.types[0].event_type == "a.x");
  CHECK(topology.types[0].payload == "int");
  CHECK(topology.types[1].event_type == "b.x");
  REQUIRE(topology.subscriptions.size() == 1);
  const auto& one = topology.subscriptions[0];
  CHECK(one.id == id);
  CHECK(one.name == "one");
  CHECK(one.subscribed_to == "a.x");
  CHECK_FALSE(one.pattern);
  CHECK(one.event_types == Names{"a.x"});
  CHECK(one.middleware == Names{"shout"});
  CHECK(one.lifetime == SubscribeOptions::Lifetime::once);
  CHECK(one.priority == 3);
  CHECK(one.where.line == line);
  CHECK(std::string_view{one.where.file} == __FILE__);
}

TEST_CASE("wiring_of: a pattern has the types that it matches; what ended is gone", "[topology]") {
  Wired wired;
  constexpr EventType<int> a{"a.x"};
  constexpr EventType<int> b{"b.x"};
  constexpr EventType<int> deep{"b.x.y"};
  wired.add(a);
  const auto ignore = [] { return gossip::detail::erase_any_processor([](const AnyEvent&) {}); };
  const auto first = wired.registry.subscribe(EventPattern{"*.x"}, ignore(), {.name = "first"});
  wired.add(b);
  wired.add(deep);
  const auto second = wired.registry.subscribe(EventPattern{"c.>"}, ignore(), {.name = "second"});
  const Topology topology = wiring_of(wired.types, wired.registry);
  REQUIRE(topology.subscriptions.size() == 2);
  CHECK(topology.subscriptions[0].pattern);
  CHECK(topology.subscriptions[0].subscribed_to == "*.x");
  CHECK(topology.subscriptions[0].event_types == Names{"a.x", "b.x"});
  CHECK(topology.subscriptions[0].middleware.empty());
  CHECK(topology.subscriptions[1].event_types.empty());
  CHECK(wired.registry.cancel(first, nullptr));
  CHECK(wiring_of(wired.types, wired.registry).subscriptions.size() == 1);
  CHECK(wired.registry.cancel(second, nullptr));
  CHECK(wiring_of(wired.types, wired.registry).subscriptions.empty());
}

}  // namespace
