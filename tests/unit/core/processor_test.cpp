// SPDX-License-Identifier: MIT
#include <gossip/core/processor.hpp>

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

// The smallest types that model the concept, and one near-miss for each of its requirements.
namespace gossip::detail::processor_archetypes {
namespace {

struct Payload {};
struct OnData {
  void operator()(const Payload&) {}
};
struct OnEvent {
  Status operator()(const Event<Payload>&) { return {}; }
};
struct OnContext {
  Status operator()(const Event<Payload>&, Context&) { return {}; }
};
struct OnNothing {
  void operator()() {}
};
struct WrongPayload {
  void operator()(const int*) {}
};
struct WrongResult {
  bool operator()(const Payload&) { return true; }
};
struct WantsToChange {
  void operator()(Payload&) {}
};

static_assert(Processor<OnData, Payload> && Processor<OnEvent, Payload>);
static_assert(Processor<OnContext, Payload> && Processor<OnNothing, void>);
static_assert(!Processor<OnNothing, Payload> && !Processor<WrongPayload, Payload>);
static_assert(!Processor<WrongResult, Payload> && !Processor<WantsToChange, Payload>);

}  // namespace
}  // namespace gossip::detail::processor_archetypes

namespace {

using gossip::Context;
using gossip::Event;
using gossip::EventType;
using gossip::Processor;
using gossip::Status;

struct User {
  std::string name;
  void greet() const { ++greeted; }
  inline static int greeted = 0;
};

constexpr EventType<User> created{"user.created"};
constexpr EventType<void> ticked{"clock.ticked"};
constexpr EventType<std::unique_ptr<int>> moved{"only.moved"};

using OnData = decltype([](const User&) {});
using OnValue = decltype([](User) {});
using OnEvent = decltype([](const Event<User>&) -> Status { return {}; });
using OnBase = decltype([](const gossip::EventBase&) {});
using OnContext = decltype([](const Event<User>&, Context&) {});
using OnConstContext = decltype([](const Event<User>&, const Context&) {});
using OnNothing = decltype([] {});
using Generic = decltype([](const auto&) {});
using GenericContext = decltype([](const auto&, auto&) {});

static_assert(Processor<OnData, User> && Processor<OnValue, User> && Processor<OnEvent, User>);
static_assert(Processor<OnBase, User> && Processor<OnContext, User>);
static_assert(Processor<OnConstContext, User>);
static_assert(Processor<Generic, User> && Processor<Generic, void>);
static_assert(Processor<GenericContext, User> && Processor<GenericContext, void>);
static_assert(Processor<OnNothing, void> && !Processor<OnNothing, User>);
static_assert(Processor<std::function<void(const User&)>, User>);
static_assert(Processor<void (*)(const User&), User>);
static_assert(Processor<decltype(&User::greet), User>);

// Near misses.
static_assert(!Processor<OnData, int> && !Processor<OnEvent, int> && !Processor<OnContext, int>);
static_assert(!Processor<decltype([](User&) {}), User>, "wants to change the payload");
static_assert(!Processor<decltype([](User&&) {}), User>, "wants to take the payload");
static_assert(!Processor<decltype([](Event<User>&) {}), User>, "wants to change the event");
static_assert(!Processor<decltype([](const User&) { return true; }), User>, "returns a bool");
static_assert(!Processor<decltype([](const User&) { return 0; }), User>, "returns a number");
static_assert(!Processor<decltype([](const User&, Context&) {}), User>, "payload with a context");
static_assert(!Processor<decltype([](std::unique_ptr<int>) {}), std::unique_ptr<int>>,
              "a move-only payload cannot be taken by value");

template <class T, Processor<T> F>
Status call(F&& processor, const Event<T>& event) {
  const std::stop_token none;
  Context context{none, gossip::SteadyTime::max(), 3, {8, 1}};
  return gossip::invoke_processor<T>(processor, event, context);
}

TEST_CASE("invoke_processor: calls each form with what it takes", "[processor]") {
  const Event event{created, {.name = "alice"}};
  std::string seen;
  CHECK(call<User>([&](const User& user) { seen += "data:" + user.name; }, event).ok());
  CHECK(call<User>([&](const Event<User>& e) { seen += " event:" + std::string{e.type()}; }, event)
            .ok());
  CHECK(call<User>(
            [&](const Event<User>& e, Context& context) {
              seen += " context:" + e.data().name + std::to_string(context.attempt());
            },
            event)
            .ok());
  CHECK(call<void>([&] { seen += " nothing"; }, Event{ticked}).ok());
  CHECK(seen == "data:alice event:user.created context:alice3 nothing");
}

TEST_CASE("invoke_processor: passes the event itself, not a copy", "[processor]") {
  const Event event{created, {.name = "alice"}};
  CHECK(call<User>([&](const User& user) { CHECK(&user == &event.data()); }, event).ok());
  CHECK(call<User>([&](const Event<User>& e) { CHECK(&e == &event); }, event).ok());
}

TEST_CASE("invoke_processor: what fits more than one form gets the first that fits",
          "[processor]") {
  const Event event{created, {.name = "alice"}};
  int data = 0;
  int with_context = 0;
  CHECK(call<User>([&](const auto& what) { data += std::is_same_v<decltype(what), const User&>; },
                   event)
            .ok());
  CHECK(call<User>([&](auto&&... args) { with_context = static_cast<int>(sizeof...(args)); }, event)
            .ok());
  CHECK(data == 1);
  CHECK(with_context == 2);
}

TEST_CASE("invoke_processor: a generic processor of void is given the event", "[processor]") {
  std::string type;
  CHECK(call<void>([&](const auto& event) { type = event.type(); }, Event{ticked}).ok());
  CHECK(type == "clock.ticked");
}

TEST_CASE("invoke_processor: a move-only lambda and a move-only payload", "[processor]") {
  auto target = std::make_unique<int>(0);
  int* const sum = target.get();
  auto processor = [target = std::move(target)](const std::unique_ptr<int>& value) {
    *target += *value;
  };
  static_assert(!std::is_copy_constructible_v<decltype(processor)>);
  const Event event{moved, std::make_unique<int>(7)};
  CHECK(call<std::unique_ptr<int>>(processor, event).ok());
  CHECK(*sum == 7);
}

TEST_CASE("invoke_processor: a mutable processor keeps its state", "[processor]") {
  auto processor = [count = 0](const User&) mutable -> Status {
    return ++count == 2 ? Status{gossip::Errc::fatal} : Status{};
  };
  const Event event{created, {.name = "a"}};
  CHECK(call<User>(processor, event).ok());
  CHECK(call<User>(processor, event) == gossip::Errc::fatal);
}

TEST_CASE("invoke_processor: a member function of the payload", "[processor]") {
  User::greeted = 0;
  CHECK(call<User>(&User::greet, Event{created, {.name = "a"}}).ok());
  CHECK(User::greeted == 1);
}

TEST_CASE("invoke_processor: hands on the status and lets exceptions through", "[processor]") {
  const Event event{created, {.name = "a"}};
  CHECK(call<User>([](const User&) -> Status { return gossip::Errc::retryable; }, event) ==
        gossip::Errc::retryable);
  CHECK_THROWS_AS(call<User>([](const User&) { throw std::out_of_range{"x"}; }, event),
                  std::out_of_range);
}

}  // namespace
