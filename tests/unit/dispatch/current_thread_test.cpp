// SPDX-License-Identifier: MIT
#include <gossip/dispatch/current_thread.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <thread>

using gossip::detail::AcquiredSlots;
using gossip::detail::BusSlots;
using gossip::detail::current_thread;
using gossip::detail::ProviderCall;
using gossip::detail::ThreadSlot;

TEST_CASE("BusSlots: a thread has one slot per bus, and gives it back when it ends", "[dispatch]") {
  BusSlots one;
  BusSlots two;
  const int dispatcher = 0;
  REQUIRE(one.bus() != two.bus());
  ThreadSlot* slot = nullptr;
  std::thread{[&] {
    slot = &one.mine(&dispatcher);
    ThreadSlot& other = two.mine(&dispatcher);
    const bool same = &one.mine(&dispatcher) == slot && &two.mine(&dispatcher) == &other &&
                      one.mine_if_any(&dispatcher) == slot && &other != slot;
    if (!same || !(slot->owner.load() != nullptr)) slot = nullptr;
  }}.join();
  REQUIRE(slot != nullptr);
  REQUIRE_FALSE((slot->owner.load() != nullptr));
}

TEST_CASE("BusSlots: a thread that never had a slot has none, and one is not made by asking",
          "[dispatch]") {
  BusSlots slots;
  REQUIRE(slots.mine_if_any(&slots) == nullptr);
  REQUIRE_FALSE(slots.all().any([](const ThreadSlot&) { return true; }));
}

TEST_CASE("BusSlots: a worker uses its own slot on its own bus", "[dispatch]") {
  BusSlots slots;
  int dispatcher = 0;
  ThreadSlot& own = slots.all().acquire(&slots);
  const auto before = current_thread;
  current_thread.cached_bus = 0;
  current_thread.worker_of = &dispatcher;
  current_thread.worker_slot = &own;
  ThreadSlot* found = slots.mine_if_any(&dispatcher);
  ThreadSlot* mine = &slots.mine(&dispatcher);
  current_thread = before;
  REQUIRE(found == &own);
  REQUIRE(mine == &own);
}

TEST_CASE("AcquiredSlots: slots of buses that are gone are forgotten", "[dispatch]") {
  std::thread{[] {
    for (int i = 0; i < 3; ++i) {
      BusSlots gone;
      gone.mine(&gone);
    }
  }}.join();  // gives nothing back to what no longer exists
  SUCCEED("no access to freed memory");
}

TEST_CASE("ProviderCall: a thread is inside each provider that has called, and no other",
          "[dispatch]") {
  struct Provider {
    int first = 0;
    int last = 0;
  };
  const Provider providers[4];
  const auto inside = [&] {
    std::string which;
    for (const Provider& provider : providers) which += ProviderCall::of(provider) ? '1' : '0';
    return which;
  };
  REQUIRE(inside() == "0000");
  {
    const ProviderCall outer{&providers[1].last};
    REQUIRE(inside() == "0100");
    const ProviderCall inner{&providers[2].first};
    REQUIRE(inside() == "0110");
    std::string elsewhere;
    std::thread{[&] { elsewhere = inside(); }}.join();
    REQUIRE(elsewhere == "0000");
  }
  REQUIRE(inside() == "0000");
}
