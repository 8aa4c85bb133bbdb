// SPDX-License-Identifier: MIT
#include <gossip/dispatch/quiescence.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <thread>

using gossip::SubscriptionId;
using gossip::detail::current_thread;
using gossip::detail::Quiescence;
using gossip::detail::SubscriptionRecord;
using gossip::detail::ThreadSlot;
using gossip::detail::ThreadSlots;

namespace {

struct Fixture {
  /// What a dispatch on `slot` does around a call of `called`.
  void enter(ThreadSlot& slot, const SubscriptionRecord& called) {
    slot.enter().current.store(&called);
  }
  void leave(ThreadSlot& slot) {
    slot.leave();
    gossip::detail::light_fence();
    quiescence.called();
  }

  char one_mark = 0;
  char two_mark = 0;
  ThreadSlots slots;
  ThreadSlot& one = slots.acquire(&one_mark);
  ThreadSlot& two = slots.acquire(&two_mark);
  SubscriptionRecord record;
  SubscriptionRecord other;
  Quiescence quiescence{slots};
  SubscriptionId id{7, 0};
  SubscriptionId other_id{8, 1};

  Fixture() {
    record.tenant = id.serial;
    other.tenant = other_id.serial;
  }
};

}  // namespace

TEST_CASE("Quiescence: nobody waits for a processor that does not run", "[dispatch]") {
  Fixture fixture;
  fixture.enter(fixture.one, fixture.other);
  REQUIRE(fixture.quiescence.wait_for_calls(fixture.record, fixture.id, nullptr));
  REQUIRE_FALSE(fixture.quiescence.is_awaited());
}

TEST_CASE("Quiescence: the last call ends the waiting", "[dispatch]") {
  Fixture fixture;
  fixture.enter(fixture.one, fixture.record);
  fixture.enter(fixture.two, fixture.record);
  std::atomic<bool> returned{false};
  std::thread waiter{
      [&] { returned = fixture.quiescence.wait_for_calls(fixture.record, fixture.id, nullptr); }};
  REQUIRE(gossip::test::eventually([&] { return fixture.quiescence.is_awaited(); }));
  fixture.leave(fixture.one);
  gossip::test::let_pass(std::chrono::milliseconds{2});
  const bool early = returned;
  fixture.leave(fixture.two);
  waiter.join();
  REQUIRE_FALSE(early);
  REQUIRE(returned);
}

TEST_CASE("Quiescence: a processor does not wait for itself, nor in a circle", "[dispatch]") {
  Fixture fixture;
  fixture.enter(fixture.one, fixture.record);
  REQUIRE_FALSE(fixture.quiescence.wait_for_calls(fixture.record, fixture.id, &fixture.one));

  fixture.enter(fixture.two, fixture.other);  // each waits for the other one's processor
  bool first = false;
  std::thread waiter{[&] {
    first = fixture.quiescence.wait_for_calls(fixture.other, fixture.other_id, &fixture.one);
    fixture.leave(fixture.one);
  }};
  const bool second = fixture.quiescence.wait_for_calls(fixture.record, fixture.id, &fixture.two);
  fixture.leave(fixture.two);
  waiter.join();
  REQUIRE_FALSE((first && second));
}

TEST_CASE("Quiescence: who is not in a circle waits until a processor is destroyed", "[dispatch]") {
  Fixture fixture;
  REQUIRE(Quiescence::may_wait_until_vacated(nullptr));
  REQUIRE(Quiescence::may_wait_until_vacated(&fixture.one));
  fixture.enter(fixture.one, fixture.other);
  REQUIRE_FALSE(Quiescence::may_wait_until_vacated(&fixture.one));
  current_thread.vacating = 1;
  REQUIRE_FALSE(Quiescence::may_wait_until_vacated(nullptr));
  current_thread.vacating = 0;

  std::atomic<bool> returned{false};
  std::thread waiter{[&] {
    fixture.quiescence.wait_until_vacated(fixture.record, fixture.id);
    returned = true;
  }};
  REQUIRE(gossip::test::eventually([&] { return fixture.quiescence.is_awaited(); }));
  gossip::test::let_pass(std::chrono::milliseconds{2});
  const bool early = returned;
  fixture.record.tenant.store(0, std::memory_order_release);
  fixture.quiescence.vacated();
  waiter.join();
  REQUIRE_FALSE(early);
}
