// SPDX-License-Identifier: MIT
#include <gossip/processing/middleware.hpp>

#include <catch2/catch_test_macros.hpp>

#include <concepts>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

// The smallest types that model the concept, and one near-miss for each of its requirements.
namespace gossip::detail::middleware_archetypes {
namespace {

struct Identity {
  template <class P>
  P operator()(P next) const {
    return next;
  }
};
struct WrapsNothing {
  template <class P>
  void operator()(P) const {}
};
struct WrapsIntoNumber {
  template <class P>
  int operator()(P) const {
    return 0;
  }
};
struct TakesNoProcessor {
  void operator()() const {}
};

static_assert(Middleware<Identity> && Middleware<Chain<>> && Middleware<Chain<Identity>>);
static_assert(!Middleware<WrapsNothing> && !Middleware<WrapsIntoNumber>);
static_assert(!Middleware<TakesNoProcessor> && !Middleware<int>);

}  // namespace
}  // namespace gossip::detail::middleware_archetypes

namespace {

using gossip::AnyEvent;
using gossip::chain;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Middleware;
using gossip::Processor;
using gossip::Status;
using gossip::detail::Handler;

constexpr EventType<int> counted{"thing.counted"};
constexpr EventType<void> ticked{"clock.ticked"};

std::string trail;

/// A middleware as users write it.
auto mark(std::string name) {
  return [name](auto next) {
    return [name, next = std::move(next)](const auto& event, Context& context) {
      trail += name + "(";
      Status status = next(event, context);
      trail += ")";
      return status;
    };
  };
}

/// One of gossip's own.
struct Own : gossip::detail::MiddlewareBase {
  std::string name;
  template <class P>
  auto operator()(P next) const {
    return mark(name)(std::move(next));
  }
};

/// One for the payload int alone.
const auto twice = [](auto next) {
  return [next = std::move(next)](const Event<int>& event, Context& context) -> Status {
    const Status status = next(event, context);
    return status.ok() ? next(event, context) : status;
  };
};

template <class A, class B>
concept Piped = requires(A a, B b) {
  a | b;
};

static_assert(Middleware<decltype(mark("a"))> && Middleware<Own> && Middleware<decltype(twice)>);
static_assert(Middleware<decltype(chain())> && Middleware<decltype(chain(Own{}, twice))>);
static_assert(!Middleware<decltype([] {})> && !Middleware<decltype([](int) {})>);
static_assert(!Middleware<decltype([](const auto&) {})>, "a processor is no middleware");
static_assert(Piped<Own, Own> && Piped<Own, decltype(twice)> && Piped<decltype(twice), Own>);
static_assert(!Piped<decltype(twice), decltype(twice)>, "`|` is for gossip's own middleware");
static_assert(!Piped<Own, int> && !Piped<Own, std::string> && !Piped<Status, Status>);

template <class P, class E>
std::string run(P& processor, const E& event) {
  const std::stop_token none;
  Context context{none};
  trail.clear();
  const Status status = processor(event, context);
  return trail + (status.ok() ? "" : "!");
}

TEST_CASE("chain: the first is outermost", "[middleware]") {
  auto processor =
      chain(mark("a"), mark("b"), mark("c"))([](int n) { trail += std::to_string(n); });
  static_assert(Processor<decltype(processor), int>);
  CHECK(run(processor, Event{counted, 7}) == "a(b(c(7)))");
}

TEST_CASE("chain: of nothing is the identity", "[middleware]") {
  const auto increase = [](int) {};
  static_assert(std::same_as<decltype(chain()(increase)), std::remove_const_t<decltype(increase)>>);
  auto processor = chain(chain(), mark("a"), chain())([](int) { trail += "x"; });
  CHECK(run(processor, Event{counted, 7}) == "a(x)");
}

TEST_CASE("chain: `|` chains, the left outermost", "[middleware]") {
  auto processor =
      (Own{{}, "a"} | Own{{}, "b"} | mark("c") | Own{{}, "d"})([](int) { trail += "x"; });
  CHECK(run(processor, Event{counted, 7}) == "a(b(c(d(x))))");
  auto other = (mark("a") | chain() | (Own{{}, "b"} | mark("c")))([](int) { trail += "x"; });
  CHECK(run(other, Event{counted, 7}) == "a(b(c(x)))");
}

TEST_CASE("chain: can be applied to several processors", "[middleware]") {
  const auto both = chain(mark("a"), mark("b"));
  auto first = both([](int) { trail += "1"; });
  auto second = both([](const Event<int>&, Context&) { trail += "2"; });
  CHECK(run(first, Event{counted, 7}) == "a(b(1))");
  CHECK(run(second, Event{counted, 7}) == "a(b(2))");
}

TEST_CASE("chain: wraps every form of processor, for every kind of event", "[middleware]") {
  const auto marked = chain(mark("a"));
  auto any = marked([](const AnyEvent& event) { trail += event.type(); });
  static_assert(Handler<decltype(any), AnyEvent>);
  CHECK(run(any, AnyEvent{Event{ticked}}) == "a(clock.ticked)");
  auto nothing = marked([] { trail += "x"; });
  CHECK(run(nothing, Event{ticked}) == "a(x)");
  auto generic = marked([](const auto& event, Context&) { trail += event.type(); });
  CHECK(run(generic, Event{ticked}) == "a(clock.ticked)");
  CHECK(run(generic, AnyEvent{Event{counted, 1}}) == "a(thing.counted)");
}

TEST_CASE("chain: hands on the status, and changes of it", "[middleware]") {
  auto fails = chain(mark("a"))([](int) -> Status { return Errc::fatal; });
  CHECK(run(fails, Event{counted, 7}) == "a()!");
  const auto forgive = [](auto next) {
    return [next = std::move(next)](const auto& event, Context& context) {
      (void)next(event, context).ok();
    };
  };
  auto forgiven = chain(mark("a"), forgive)([](int) -> Status { return Errc::fatal; });
  CHECK(run(forgiven, Event{counted, 7}) == "a()");
}

TEST_CASE("chain: a middleware may call on more than once, or not at all", "[middleware]") {
  auto processor = chain(mark("a"), twice)([](int) { trail += "x"; });
  CHECK(run(processor, Event{counted, 7}) == "a(xx)");
  const auto never = [](auto) { return [](const auto&, Context&) {}; };
  auto silent = chain(mark("a"), never)([](int) { trail += "x"; });
  CHECK(run(silent, Event{counted, 7}) == "a()");
}

TEST_CASE("chain: of a move-only processor, and of one that changes itself", "[middleware]") {
  auto owner = chain(
      mark("a"), mark("b"))([text = std::make_unique<std::string>("x")](int) { trail += *text; });
  static_assert(!std::copy_constructible<decltype(owner)> && Processor<decltype(owner), int>);
  CHECK(run(owner, Event{counted, 7}) == "a(b(x))");
  auto counts = chain(mark("a"))([n = 0](int) mutable { trail += std::to_string(++n); });
  CHECK(run(counts, Event{counted, 7}) == "a(1)");
  CHECK(run(counts, Event{counted, 7}) == "a(2)");
}

}  // namespace
