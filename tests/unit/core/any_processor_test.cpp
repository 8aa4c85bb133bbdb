// SPDX-License-Identifier: MIT
#include <gossip/core/any_processor.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <stdexcept>
#include <stop_token>

// The smallest types that model the concept, and one near-miss for each of its requirements.
namespace gossip::detail::any_processor_archetypes {
namespace {

struct OnEvent {
  Status operator()(const AnyEvent&) { return {}; }
};
struct OnContext {
  void operator()(const AnyEvent&, Context&) {}
};
struct OnTyped {
  void operator()(const Event<int>&) {}
};
struct OnData {
  void operator()(const int&) {}
};
struct WrongResult {
  bool operator()(const AnyEvent&) { return true; }
};
struct WantsToChange {
  void operator()(AnyEvent&) {}
};

static_assert(AnyProcessor<OnEvent> && AnyProcessor<OnContext>);
static_assert(!AnyProcessor<OnTyped> && !AnyProcessor<OnData>);
static_assert(!AnyProcessor<WrongResult> && !AnyProcessor<WantsToChange>);

}  // namespace
}  // namespace gossip::detail::any_processor_archetypes

using gossip::AnyEvent;
using gossip::AnyProcessor;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::detail::invoke_any_processor;

namespace {

constexpr EventType<int> number{"any.number"};

void plain(const AnyEvent& /*event*/) {}
using Function = void (*)(const AnyEvent&);
static_assert(AnyProcessor<Function>);
struct OnlyMoved {
  std::unique_ptr<int> kept;
  void operator()(const AnyEvent& /*event*/) {}
};
static_assert(AnyProcessor<OnlyMoved>);
static_assert(!AnyProcessor<int> && !AnyProcessor<void (*)()>);

TEST_CASE("AnyProcessor: is called in the form it takes, with a context first", "[any_processor]") {
  const AnyEvent event{Event{number, 7}};
  const std::stop_token never;
  Context context{never};
  int seen = 0;
  auto both = [&](const AnyEvent& any, auto&... more) {
    seen = any.get<int>() * 10 + int{sizeof...(more)};
  };
  CHECK(invoke_any_processor(both, event, context).ok());
  CHECK(seen == 71);
  auto alone = [&](const AnyEvent& any) -> Status {
    seen = any.get<int>();
    return Errc::retryable;
  };
  CHECK(invoke_any_processor(alone, event, context) == Errc::retryable);
  CHECK(seen == 7);
  Function function = &plain;
  CHECK(invoke_any_processor(function, event, context).ok());
  auto throwing = [](const AnyEvent&, Context&) { throw std::runtime_error{"no"}; };
  CHECK_THROWS_AS(invoke_any_processor(throwing, event, context), std::runtime_error);
}

}  // namespace
