// SPDX-License-Identifier: MIT
#include <gossip/dispatch/deferrals.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <stop_token>

using gossip::Event;
using gossip::EventType;
using gossip::payload_info;
using gossip::SteadyTime;
using gossip::detail::Call;
using gossip::detail::Deferral;
using gossip::detail::Deferrals;
using gossip::detail::EventQueue;
using gossip::detail::HazardFrame;
using gossip::detail::PayloadOperations;
using gossip::detail::SharedEvent;
using gossip::detail::SubscriptionRecord;
using gossip::detail::Task;
using gossip::detail::ThreadSlot;
using gossip::detail::Timer;
using gossip::detail::TypeEntry;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"deferrals.number"};
constexpr PayloadOperations operations{.share = &SharedEvent::copy_of<int>};

struct Fixture {
  SteadyTime now{1h};
  TypeEntry type{number.key(), payload_info<int>(), operations, 0};
  EventQueue queue{{}, 1};
  gossip::detail::ClockView clock{
      &now, nullptr, [](const void* time) { return *static_cast<const SteadyTime*>(time); }};
  Timer timer{clock, Timer::Drive::run_due};
  int ran = 0;
  Deferrals deferrals{2, queue, timer,
                      [](Task& task, ThreadSlot&) noexcept {
                        auto& deferral = static_cast<Deferral&>(task);
                        auto& self = *static_cast<Fixture*>(deferral.maker);
                        ++self.ran;
                        self.attempt = deferral.attempt;
                        self.value = static_cast<const Event<int>&>(*deferral.event).data();
                        self.deferrals.retire(deferral);
                      },
                      this};
  SubscriptionRecord record;
  ThreadSlot slot;
  unsigned attempt = 0;
  int value = 0;
  std::uint32_t turn = 0;

  bool defer(int data, std::chrono::nanoseconds delay) {
    const Event<int> event{number, data};
    HazardFrame frame;
    frame.current.store(&record);
    const std::stop_token stop;
    Call call{event, stop, {}};
    call.type = &type;
    call.frame = &frame;
    return deferrals.defer(call, delay);
  }
  bool work() {
    return queue.take(
        turn, [](EventQueue::Ring::Claim&) {}, [this](Task& task) { task.run(task, slot); });
  }
};

}  // namespace

TEST_CASE("Deferrals: what is due now goes to the queue at once", "[dispatch]") {
  Fixture fixture;
  REQUIRE(fixture.defer(7, 0s));
  REQUIRE(fixture.deferrals.pending() == 1);
  REQUIRE(fixture.work());
  REQUIRE(fixture.ran == 1);
  REQUIRE(fixture.attempt == 2);
  REQUIRE(fixture.value == 7);
  REQUIRE(fixture.deferrals.pending() == 0);
  REQUIRE(fixture.deferrals.made() == 1);
}

TEST_CASE("Deferrals: there are no more than the limit, and refused ones leave no trace",
          "[dispatch]") {
  Fixture fixture;
  REQUIRE(fixture.defer(1, 0s));
  REQUIRE(fixture.defer(2, 0s));
  REQUIRE_FALSE(fixture.defer(3, 0s));
  REQUIRE(fixture.deferrals.pending() == 2);
  REQUIRE(fixture.deferrals.made() == 2);
  REQUIRE(fixture.work());
  REQUIRE(fixture.defer(4, 0s));
  REQUIRE(fixture.work());
  REQUIRE(fixture.work());
  REQUIRE_FALSE(fixture.work());
  REQUIRE(fixture.value == 4);
}

TEST_CASE("Deferrals: a stopped timer arranges nothing, and what it held is dropped and counted",
          "[dispatch]") {
  Fixture fixture;
  REQUIRE(fixture.defer(1, 10s));
  fixture.timer.stop();
  REQUIRE_FALSE(fixture.defer(2, 10s));
  REQUIRE(fixture.deferrals.pending() == 1);
  REQUIRE(fixture.deferrals.drop_all() == 1);
  REQUIRE(fixture.deferrals.pending() == 0);
  REQUIRE(fixture.deferrals.dropped() == 1);
  REQUIRE(fixture.deferrals.made() == 1);
}
