// SPDX-License-Identifier: MIT
#include <gossip/core/context.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <stop_token>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using gossip::Context;
using gossip::SteadyTime;
using gossip::detail::ContextAccess;
using gossip::detail::ContextOperations;
using gossip::detail::ContextSupport;
using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Plays the bus: its time stands still, it notes what it is asked for.
struct FakeSupport : ContextSupport {
  FakeSupport() : ContextSupport{&all} {}
  static FakeSupport& self(ContextSupport& call) { return static_cast<FakeSupport&>(call); }

  static SteadyTime fake_now(const ContextSupport& call) noexcept {
    return static_cast<const FakeSupport&>(call).time;
  }
  static bool fake_defer(ContextSupport& call, nanoseconds delay) noexcept {
    self(call).delays.push_back(delay);
    return self(call).defers;
  }
  static gossip::detail::Timer* fake_timer(const ContextSupport& call) noexcept {
    return static_cast<const FakeSupport&>(call).timer;
  }
  static bool fake_wait(ContextSupport& call, const std::stop_token& stop, SteadyTime until) {
    self(call).time = until;
    return !stop.stop_requested();
  }
  static std::string_view fake_name(const ContextSupport&) noexcept { return "mail"; }
  static constexpr ContextOperations all{&fake_now, &fake_defer, &fake_timer, &fake_wait,
                                         &fake_name};
  static constexpr ContextOperations only_time{.now = &fake_now};

  SteadyTime time{seconds{100}};
  bool defers = true;
  std::vector<nanoseconds> delays;
  int a_timer = 0;
  gossip::detail::Timer* timer = reinterpret_cast<gossip::detail::Timer*>(&a_timer);
};

TEST_CASE("Context: by default no stop, no deadline, the first attempt", "[context]") {
  const std::stop_token none;
  const Context context{none};
  CHECK_FALSE(context.stop_requested());
  CHECK_FALSE(context.stop_token().stop_possible());
  CHECK(context.deadline() == SteadyTime::max());
  CHECK(context.attempt() == 1);
  CHECK(context.subscription() == gossip::SubscriptionId{});
}

TEST_CASE("Context: tells what it was given", "[context]") {
  const std::stop_token none;
  const SteadyTime deadline{std::chrono::seconds{9}};
  const Context context{none, deadline, 3, {17, 4}};
  CHECK(context.deadline() == deadline);
  CHECK(context.attempt() == 3);
  CHECK(context.subscription() == gossip::SubscriptionId{17, 4});
}

TEST_CASE("Context: sees a stop that is requested later, also through a callback", "[context]") {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  const Context context{token};
  bool called = false;
  const std::stop_callback callback{context.stop_token(), [&called] { called = true; }};
  CHECK_FALSE(context.stop_requested());
  source.request_stop();
  CHECK(context.stop_requested());
  CHECK(called);
}

TEST_CASE("Context: one made by hand goes by the steady clock and cannot defer", "[context]") {
  const std::stop_token none;
  Context context{none};
  const SteadyTime before = std::chrono::steady_clock::now();
  const SteadyTime now = context.now();
  CHECK(before <= now);
  CHECK(now <= std::chrono::steady_clock::now());
  CHECK_FALSE(context.defer(seconds{1}));
  CHECK_FALSE(context.deferred());
  CHECK(ContextAccess::timer(context) == nullptr);
  CHECK(ContextAccess::may_wait(context));
  ContextSupport nobody;
  Context supported{none, SteadyTime::max(), 1, {}, &nobody};
  CHECK_FALSE(supported.defer(seconds{1}));
  CHECK_FALSE(supported.deferred());
  CHECK(supported.now() >= now);
}

TEST_CASE("Context: asks who makes the call for the time, the timer and the name", "[context]") {
  const std::stop_token none;
  FakeSupport support;
  const Context context{none, SteadyTime::max(), 1, {}, &support};
  CHECK(context.now() == SteadyTime{seconds{100}});
  support.time += seconds{5};
  CHECK(context.now() == SteadyTime{seconds{105}});
  CHECK(ContextAccess::timer(context) == support.timer);
  CHECK(context.subscription_name() == "mail");
  CHECK(Context{none}.subscription_name().empty());
  CHECK_FALSE(ContextAccess::may_wait(context));
}

TEST_CASE("Context: another attempt is arranged once, and seen by all contexts of the call",
          "[context]") {
  const std::stop_token none;
  FakeSupport support;
  const Context outer{none, SteadyTime::max(), 1, {}, &support};
  Context inner = outer.with_attempt(4).with_stop(none, SteadyTime{seconds{200}});
  CHECK_FALSE(outer.deferred());
  CHECK(inner.defer(seconds{-3}));
  CHECK(inner.deferred());
  CHECK(outer.deferred());
  CHECK(inner.defer(seconds{7}));
  CHECK(support.delays == std::vector<nanoseconds>{nanoseconds{0}});
}

TEST_CASE("Context: a refused attempt may be asked for again", "[context]") {
  const std::stop_token none;
  FakeSupport support;
  support.defers = false;
  Context context{none, SteadyTime::max(), 1, {}, &support};
  CHECK_FALSE(context.defer(seconds{1}));
  CHECK_FALSE(context.deferred());
  support.defers = true;
  CHECK(context.defer(seconds{2}));
  CHECK(context.deferred());
  CHECK(support.delays == std::vector<nanoseconds>{seconds{1}, seconds{2}});
}

template <class Token>
concept MayLimit = requires(const Context& context, Token&& token) {
  context.with_stop(static_cast<Token&&>(token), SteadyTime{});
};
static_assert(!std::is_constructible_v<Context, std::stop_token>, "it would refer to a dead token");
static_assert(!std::is_constructible_v<Context, const std::stop_token, SteadyTime>);
static_assert(std::is_constructible_v<Context, const std::stop_token&>);
static_assert(MayLimit<const std::stop_token&> && !MayLimit<std::stop_token>);

TEST_CASE("Context: an inner context differs in what was asked for alone", "[context]") {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  const std::stop_token none;
  FakeSupport support;
  const Context outer{none, SteadyTime{seconds{900}}, 2, {17, 4}, &support};
  const Context again = outer.with_attempt(3);
  CHECK(again.attempt() == 3);
  CHECK(again.deadline() == outer.deadline());
  CHECK(&again.stop_token() == &none);
  CHECK(again.subscription() == outer.subscription());
  const Context limited = outer.with_stop(token, SteadyTime{seconds{300}});
  source.request_stop();
  CHECK(limited.stop_requested());
  CHECK_FALSE(outer.stop_requested());
  CHECK(limited.deadline() == SteadyTime{seconds{300}});
  CHECK(limited.attempt() == 2);
  CHECK(limited.now() == support.time);
}

TEST_CASE("Context: waits by the time of who makes the call", "[context]") {
  const std::stop_token none;
  FakeSupport support;
  Context context{none, SteadyTime{seconds{200}}, 1, {}, &support};
  CHECK(context.wait_for(seconds{30}));
  CHECK(support.time == SteadyTime{seconds{130}});
  CHECK(context.wait_for(seconds{-30}));
  CHECK(context.wait_for(seconds{70}));
  CHECK(support.time == SteadyTime{seconds{200}});
  CHECK_FALSE(context.wait_for(nanoseconds{1}));
  CHECK_FALSE(context.wait_for(nanoseconds::max()));
  CHECK(support.time == SteadyTime{seconds{200}});
}

TEST_CASE("Context: does not wait once a stop is requested", "[context]") {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  source.request_stop();
  FakeSupport support;
  Context context{token, SteadyTime::max(), 1, {}, &support};
  CHECK_FALSE(context.wait_for(seconds{30}));
  CHECK_FALSE(context.wait_for(seconds{0}));
  CHECK(support.time == SteadyTime{seconds{100}});
}

TEST_CASE("Context: one made by hand waits in real time", "[context]") {
  const std::stop_token none;
  Context context{none};
  const SteadyTime before = context.now();
  CHECK(context.wait_for(std::chrono::milliseconds{2}));
  CHECK(context.now() >= before + std::chrono::milliseconds{2});
  Context limited{none, context.now() + hours{1}};
  CHECK_FALSE(limited.wait_for(hours{2}));
}

TEST_CASE("Context: a wait ends when a stop is requested", "[context]") {
  for (const bool supported : {false, true}) {
    std::stop_source source;
    const std::stop_token token = source.get_token();
    FakeSupport support;
    support.operations = &FakeSupport::only_time;
    Context context{token, SteadyTime::max(), 1, {}, supported ? &support : nullptr};
    bool waited = true;
    std::thread waiter{[&] { waited = context.wait_for(hours{10'000}); }};
    source.request_stop();  // before, while or after it falls asleep
    waiter.join();
    CHECK_FALSE(waited);
  }
}

TEST_CASE("later: the end of time is not passed", "[context]") {
  using gossip::detail::later;
  const SteadyTime start{seconds{5}};
  CHECK(later(start, seconds{2}) == SteadyTime{seconds{7}});
  CHECK(later(start, seconds{-2}) == start);
  CHECK(later(start, nanoseconds::max()) == SteadyTime::max());
  CHECK(later(SteadyTime::max(), nanoseconds{1}) == SteadyTime::max());
  CHECK(later(start, nanoseconds::min()) == start);
}

}  // namespace
