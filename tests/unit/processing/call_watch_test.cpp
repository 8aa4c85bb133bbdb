// SPDX-License-Identifier: MIT
#include <gossip/processing/call_watch.hpp>

#include "support/fake_call.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

namespace {

using gossip::Context;
using gossip::SteadyTime;
using gossip::detail::CallWatch;
using gossip::detail::WatchedCall;
using gossip::test::Door;
using gossip::test::FakeCall;
using std::chrono::seconds;

struct Fixture {
  FakeCall call;
  Context context = call.context();
  int stalled = 0;
  std::optional<CallWatch<>> watch;

  void begin() {
    const SteadyTime now = context.now();
    const WatchedCall watched{this, nullptr, &context, [](const WatchedCall& self) noexcept {
                                ++static_cast<Fixture*>(self.processor)->stalled;
                              }};
    watch.emplace(call.time.timer, watched, now + seconds{10}, now + seconds{20});
  }
};

TEST_CASE("CallWatch: trips the token at the deadline, then tells of a stall, once", "[timeout]") {
  Fixture fixture;
  fixture.begin();
  const std::stop_token& token = fixture.watch->stop_token();
  fixture.call.time.advance(seconds{9});
  CHECK_FALSE(token.stop_requested());
  fixture.call.time.advance(seconds{1});
  CHECK(token.stop_requested());
  CHECK(fixture.stalled == 0);
  fixture.call.time.advance(seconds{9});
  CHECK(fixture.stalled == 0);
  fixture.call.time.advance(seconds{1});
  CHECK(fixture.stalled == 1);
  fixture.call.time.advance(seconds{1000});
  CHECK(fixture.stalled == 1);
  CHECK(fixture.call.time.timer.pending() == 0);
}

TEST_CASE("CallWatch: leaves no task behind, however far the call has come", "[timeout]") {
  for (const int lasted : {0, 10, 20}) {
    Fixture fixture;
    fixture.begin();
    fixture.call.time.advance(seconds{lasted});
    fixture.watch.reset();
    CHECK(fixture.call.time.timer.pending() == 0);
    fixture.call.time.advance(seconds{100});
    CHECK(fixture.stalled == (lasted == 20 ? 1 : 0));
  }
}

TEST_CASE("CallWatch: a stop around the call is a stop of the call", "[timeout]") {
  Fixture fixture;
  fixture.begin();
  fixture.call.stop.request_stop();
  CHECK(fixture.watch->stop_token().stop_requested());
  Fixture stopped;
  stopped.call.stop.request_stop();
  stopped.begin();
  CHECK(stopped.watch->stop_token().stop_requested());
}

TEST_CASE("CallWatch: its end is no stop, and a stop of it does not reach outwards", "[timeout]") {
  Fixture fixture;
  fixture.begin();
  const std::stop_token kept = fixture.watch->stop_token();
  fixture.watch.reset();
  fixture.call.time.advance(seconds{100});
  CHECK_FALSE(kept.stop_requested());
  fixture.begin();
  fixture.call.time.advance(seconds{100});
  CHECK_FALSE(fixture.context.stop_requested());
}

TEST_CASE("CallWatch: works without a timer that still runs", "[timeout]") {
  Fixture fixture;
  fixture.call.time.timer.stop();
  fixture.begin();
  CHECK_FALSE(fixture.watch->stop_token().stop_requested());
  fixture.watch.reset();
}

TEST_CASE("CallWatch: its end waits for a task of it that has begun", "[timeout]") {
  Fixture fixture;
  fixture.begin();
  Door running;
  Door go_on;
  std::atomic<bool> done{false};
  const std::stop_callback slow{fixture.watch->stop_token(), [&] {
                                  running.open();
                                  go_on.wait();
                                  done = true;
                                }};
  std::thread timer{[&] { fixture.call.time.advance(seconds{10}); }};
  const bool begun = running.wait();
  bool early = true;
  std::thread worker{[&] {
    fixture.watch.reset();
    early = !done.load();
  }};
  gossip::test::let_pass(std::chrono::milliseconds{5});
  go_on.open();
  worker.join();
  timer.join();
  CHECK(begun);
  CHECK_FALSE(early);
  CHECK(fixture.call.time.timer.pending() == 0);
}

}  // namespace
