// SPDX-License-Identifier: MIT
#include <gossip/processing/dead_letter.hpp>
#include <gossip/processing/retry.hpp>

#include "support/fake_call.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::dead_letter;
using gossip::DeadLetter;
using gossip::DeadLetterThen;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::test::FakeCall;

constexpr EventType<int> number{"letters.number"};
constexpr EventType<std::unique_ptr<int>> owned{"letters.owned"};
constexpr EventType<DeadLetter> dead{"letters.dead"};
const Event event{number, 7};

static_assert(std::is_nothrow_move_constructible_v<DeadLetter> && sizeof(DeadLetter) <= 96,
              "a dead letter travels inside the queue");

const auto fails = [](const int&) -> Status { return Errc::timeout; };

struct Fixture {
  FakeCall call;
  Context context = call.context(3);
  std::vector<DeadLetter> letters;
  auto collect() {
    return [this](DeadLetter&& letter) { letters.push_back(std::move(letter)); };
  }
};

TEST_CASE("dead_letter: a failure is handed over with its event, and stays a failure",
          "[dead_letter]") {
  Fixture fixture;
  auto processor = dead_letter(fixture.collect())(fails);
  {
    const Event shortlived = Event{number, 7}.with_metadata("tenant", "a");
    const Status status = processor(shortlived, fixture.context);
    CHECK(status.error()->code() == Errc::timeout);
    CHECK(status.error()->cause() == nullptr);
  }
  REQUIRE(fixture.letters.size() == 1);
  const DeadLetter& letter = fixture.letters[0];
  CHECK(letter.event.type() == "letters.number");
  CHECK(letter.event.get<int>() == 7);
  CHECK(letter.event.metadata().contains("tenant"));
  CHECK(is_timeout(letter.error));
  CHECK(letter.subscription == fixture.call.subscription);
  CHECK(letter.attempts == 3);
}

TEST_CASE("dead_letter: an exception is a failure too", "[dead_letter]") {
  Fixture fixture;
  auto processor =
      dead_letter(fixture.collect())([](const int&) { throw std::runtime_error{"broken"}; });
  CHECK(is_processing(processor(event, fixture.context)));
  REQUIRE(fixture.letters.size() == 1);
  CHECK(fixture.letters[0].error.error()->message() == "broken");
}

TEST_CASE("dead_letter: success sends nothing", "[dead_letter]") {
  Fixture fixture;
  auto processor = dead_letter(fixture.collect())([](const int&) {});
  CHECK(processor(event, fixture.context).ok());
  CHECK(fixture.letters.empty());
}

TEST_CASE("dead_letter: on request the failure is swallowed, but not if nobody took it",
          "[dead_letter]") {
  Fixture fixture;
  auto swallowing = dead_letter(fixture.collect(), {.then = DeadLetterThen::swallow})(fails);
  CHECK(swallowing(event, fixture.context).ok());
  CHECK(fixture.letters.size() == 1);
  auto refused = dead_letter([](DeadLetter&&) -> Status { return Errc::queue_full; },
                             {.then = DeadLetterThen::swallow})(fails);
  const Status status = refused(event, fixture.context);
  CHECK(status.error()->code() == Errc::timeout);
  CHECK(status.error()->message() == "and its dead letter: queue full");
  REQUIRE(status.error()->cause() != nullptr);
  CHECK(status.error()->cause()->code() == Errc::timeout);
}

TEST_CASE("dead_letter: a sink that throws leaves the failure", "[dead_letter]") {
  Fixture fixture;
  auto processor = dead_letter([](DeadLetter&&) { throw std::runtime_error{"no disk"}; })(fails);
  const Status status = processor(event, fixture.context);
  CHECK(is_timeout(status));
  CHECK(status.error()->message() == "and its dead letter: processing failed: no disk");
}

TEST_CASE("dead_letter: what cannot be copied stays a failure that says so", "[dead_letter]") {
  Fixture fixture;
  auto processor = dead_letter(fixture.collect(), {.then = DeadLetterThen::swallow})(
      [](const std::unique_ptr<int>&) -> Status { return Errc::timeout; });
  const Status status = processor(Event{owned, std::make_unique<int>(1)}, fixture.context);
  CHECK(is_timeout(status));
  CHECK(status.error()->message().find("cannot be copied") != std::string::npos);
  CHECK(fixture.letters.empty());
}

TEST_CASE("dead_letter: a failure that is not final sends nothing", "[dead_letter]") {
  Fixture fixture;
  auto processor = dead_letter(fixture.collect())(gossip::retry({.max_attempts = 4})(fails));
  CHECK(is_timeout(processor(event, fixture.context)));
  CHECK(fixture.context.deferred());
  CHECK(fixture.letters.empty());
  fixture.call.deferred = false;
  Context last = fixture.call.context(4);
  CHECK(is_timeout(processor(event, last)));
  REQUIRE(fixture.letters.size() == 1);
  CHECK(fixture.letters[0].attempts == 4);
  CHECK(fixture.letters[0].error.error()->message() == "gave up after 4 attempts");
}

TEST_CASE("dead_letter: knows how often it was tried in place", "[dead_letter]") {
  FakeCall call{FakeCall::Kind::in_place};
  Context context = call.context();
  std::vector<unsigned> attempts;
  auto processor = dead_letter([&](DeadLetter&& letter) { attempts.push_back(letter.attempts); })(
      gossip::retry({.max_attempts = 4})(fails));
  CHECK(is_timeout(processor(event, context)));
  CHECK(attempts == std::vector<unsigned>{4});
}

TEST_CASE("dead_letter: events of any type, but no dead letters again", "[dead_letter]") {
  Fixture fixture;
  auto processor =
      dead_letter(fixture.collect())([](const AnyEvent&) -> Status { return Errc::fatal; });
  CHECK(is_fatal(processor(AnyEvent{event}, fixture.context)));
  REQUIRE(fixture.letters.size() == 1);
  CHECK(fixture.letters[0].event.get<int>() == 7);
  const Event letter{dead, fixture.letters[0]};
  CHECK(is_fatal(processor(AnyEvent{letter}, fixture.context)));
  auto typed =
      dead_letter(fixture.collect())([](const DeadLetter&) -> Status { return Errc::fatal; });
  CHECK(is_fatal(typed(letter, fixture.context)));
  CHECK(fixture.letters.size() == 1);
}

TEST_CASE("dead_letter: publishes to an event type, through whatever can", "[dead_letter]") {
  struct Bus {
    std::vector<std::string> published;
    Status answer;
    Status publish(const EventType<DeadLetter>& type, DeadLetter&& letter) {
      published.push_back(std::string{type.name()} + " " + std::string{letter.event.type()});
      return answer;
    }
  } bus;
  Fixture fixture;
  auto processor = dead_letter(bus, dead)(fails);
  CHECK(is_timeout(processor(event, fixture.context)));
  CHECK(bus.published == std::vector<std::string>{"letters.dead letters.number"});
  bus.answer = Errc::closed;
  CHECK(processor(event, fixture.context) == Errc::timeout);
  auto swallowing = dead_letter(bus, dead, {.then = DeadLetterThen::swallow})(fails);
  CHECK_FALSE(swallowing(event, fixture.context).ok());
  bus.answer = {};
  CHECK(swallowing(event, fixture.context).ok());
}

TEST_CASE("dead_letter: one middleware wraps processors of every kind", "[dead_letter]") {
  const auto letters = dead_letter([](DeadLetter&&) {});
  using Wrapped = decltype(letters([](const int&) {}));
  STATIC_REQUIRE(gossip::Middleware<decltype(letters)>);
  STATIC_REQUIRE(gossip::Processor<Wrapped, int>);
  STATIC_REQUIRE_FALSE(gossip::Processor<Wrapped, std::string>);
  STATIC_REQUIRE_FALSE(gossip::detail::DeadLetterSink<decltype([](int) {})>);
  STATIC_REQUIRE_FALSE(gossip::detail::DeadLetterSink<decltype([](DeadLetter&&) { return 1; })>);
}

}  // namespace
