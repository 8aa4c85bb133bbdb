// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// FakeCall: plays the bus behind a Context. Its time stands still until it is moved.

#include <gossip/core/context.hpp>
#include <gossip/dispatch/timer.hpp>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <string_view>
#include <vector>

namespace gossip::test {

/// Time that stands still, and a timer that goes by it.
struct FakeTime {
  std::atomic<SteadyTime::rep> now{std::chrono::nanoseconds{std::chrono::hours{1}}.count()};
  detail::ClockView clock{
      this, nullptr, [](const void* self) { return static_cast<const FakeTime*>(self)->read(); }};
  detail::Timer timer{clock, detail::Timer::Drive::run_due};

  [[nodiscard]] SteadyTime read() const noexcept {
    return SteadyTime{SteadyTime::duration{now.load()}};
  }
  void advance(std::chrono::nanoseconds step) {
    now.fetch_add(step.count());
    timer.run_due();
  }
};

/// What makes a call: asynchronously, with another attempt where `defers`; or in place, where
/// waiting takes no time but that of the FakeTime.
struct FakeCall : detail::ContextSupport {
  enum class Kind { asynchronous, in_place };

  explicit FakeCall(Kind kind = Kind::asynchronous)
      : ContextSupport{kind == Kind::asynchronous ? &asynchronous : &in_place} {}

  [[nodiscard]] Context context(unsigned attempt = 1) {
    return Context{token, deadline, attempt, subscription, this};
  }

  FakeTime time;
  std::stop_source stop;
  std::stop_token token = stop.get_token();
  SteadyTime deadline = SteadyTime::max();
  SubscriptionId subscription{17, 4};
  bool defers = true;
  std::vector<std::chrono::nanoseconds> delays;  ///< deferred, or waited for
  void (*while_waiting)(FakeCall& call) = [](FakeCall&) {};

 private:
  using Support = detail::ContextSupport;
  static SteadyTime now(const Support& call) noexcept {
    return static_cast<const FakeCall&>(call).time.read();
  }
  static bool defer(Support& call, std::chrono::nanoseconds delay) noexcept {
    auto& self = static_cast<FakeCall&>(call);
    self.delays.push_back(delay);
    return self.defers;
  }
  static detail::Timer* timer(const Support& call) noexcept {
    return const_cast<detail::Timer*>(&static_cast<const FakeCall&>(call).time.timer);
  }
  static bool wait(Support& call, const std::stop_token& stop, SteadyTime until) {
    auto& self = static_cast<FakeCall&>(call);
    self.delays.push_back(until - self.time.read());
    self.while_waiting(self);
    self.time.advance(until - self.time.read());
    return !stop.stop_requested();
  }

  static std::string_view name(const Support& /*call*/) noexcept { return "fake"; }

  static constexpr detail::ContextOperations asynchronous{&now, &defer, &timer, &wait, &name};
  static constexpr detail::ContextOperations in_place{&now, nullptr, &timer, &wait, &name};
};

}  // namespace gossip::test
