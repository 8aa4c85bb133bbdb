// SPDX-License-Identifier: MIT
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/synchronous_calls.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

using gossip::Context;
using gossip::Event;
using gossip::EventType;
using gossip::detail::Call;
using gossip::detail::ClockView;
using gossip::detail::ContextAccess;
using gossip::detail::Timer;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"calls.number"};

struct Fixture {
  gossip::ManualClock clock;
  ClockView view = ClockView::of(clock);
  Timer timer{view, Timer::Drive::run_due};
  Event<int> event{number, 7};
  std::stop_source source;
  std::stop_token stop = source.get_token();
  gossip::detail::SubscriptionRecord record;
  gossip::detail::HazardFrame frame;
  Call call{event, stop, {nullptr, nullptr}};

  Fixture() {
    record.name = "mail";
    frame.current.store(&record);
    call.frame = &frame;
    call.clock = &view;
    call.timer = &timer;
    call.operations = &gossip::detail::synchronous_calls<>;
  }
  Context context() { return Context{stop, call.deadline, 1, {}, &call}; }
};

}  // namespace

TEST_CASE("synchronous_calls: a call knows its time, timer and name, and is not put off",
          "[dispatch]") {
  Fixture fixture;
  Context context = fixture.context();
  REQUIRE(context.now() == fixture.clock.now());
  REQUIRE(ContextAccess::timer(context) == &fixture.timer);
  REQUIRE(context.subscription_name() == "mail");
  REQUIRE(ContextAccess::may_wait(context));
  REQUIRE_FALSE(context.defer(1s));
}

TEST_CASE("synchronous_calls: a call waits by the bus's clock", "[dispatch]") {
  Fixture fixture;
  Context context = fixture.context();
  std::atomic<bool> done{false};
  bool waited = false;
  std::thread caller{[&] {
    waited = context.wait_for(1h);
    done = true;
  }};
  while (!done.load()) {
    fixture.clock.advance(10min);
    fixture.timer.run_due();
    std::this_thread::yield();
  }
  caller.join();
  REQUIRE(waited);
}

TEST_CASE("synchronous_calls: a stop, or the end of the bus, ends the waiting", "[dispatch]") {
  for (const bool by_stop : {true, false}) {
    Fixture fixture;
    Context context = fixture.context();
    bool waited = true;
    std::thread caller{[&] { waited = context.wait_for(1h); }};
    if (by_stop) {
      fixture.source.request_stop();
    } else {
      fixture.timer.stop();
    }
    caller.join();
    REQUIRE_FALSE(waited);
  }
}
