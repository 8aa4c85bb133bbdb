// SPDX-License-Identifier: MIT
#include <gossip/processing/logging.hpp>

#include "support/fake_call.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventId;
using gossip::EventType;
using gossip::log_to;
using gossip::logging;
using gossip::LogRecord;
using gossip::Status;
using gossip::test::FakeCall;
using std::chrono::microseconds;

constexpr EventType<int> counted{"thing.counted"};

static_assert(gossip::Middleware<decltype(logging(gossip::null_sink))>);
static_assert(gossip::LogSink<void (*)(const LogRecord&)>);
static_assert(!gossip::LogSink<decltype([](const int&) {})>);
struct ChangesItself {
  void operator()(const LogRecord&) {}
};
static_assert(!gossip::LogSink<ChangesItself>);

struct Seen {
  std::string message, type, name;
  gossip::SubscriptionId subscription;
  unsigned attempt;
  std::chrono::nanoseconds duration;
  Status status;
  bool deferred;
  EventId id;
};

auto keep(std::vector<Seen>& list) {
  return [&list](const LogRecord& r) {
    list.push_back({std::string{r.message}, std::string{r.event_type},
                    std::string{r.subscription_name}, r.subscription, r.attempt, r.duration,
                    r.status, r.deferred, r.event_id()});
  };
}

TEST_CASE("logging: tells the sink about each call", "[logging]") {
  FakeCall call;
  Context context = call.context(3);
  std::vector<Seen> seen;
  const Event event{counted, 7};
  auto processor = logging(keep(seen), "counting")([&](int) -> Status {
    CHECK(seen.empty());
    call.time.advance(microseconds{250});
    return Errc::fatal;
  });
  CHECK(processor(event, context) == Errc::fatal);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].message == "counting");
  CHECK(seen[0].type == "thing.counted");
  CHECK(seen[0].subscription == call.subscription);
  CHECK(seen[0].attempt == 3);
  CHECK(seen[0].duration == microseconds{250});
  CHECK(seen[0].status == Errc::fatal);
  CHECK_FALSE(seen[0].deferred);
  CHECK(seen[0].id == event.id());
}

TEST_CASE("logging: the message never grows", "[logging]") {
  FakeCall call;
  Context context = call.context();
  std::vector<Seen> seen;
  auto processor = logging(keep(seen), "m")([](int) {});
  for (int i = 0; i < 100; ++i) CHECK(processor(Event{counted, i}, context).ok());
  REQUIRE(seen.size() == 100);
  CHECK(seen.back().message == "m");
}

TEST_CASE("logging: tells whether a failure is final", "[logging]") {
  FakeCall call;
  Context context = call.context();
  std::vector<Seen> seen;
  auto processor = logging(keep(seen))([](const Event<int>& event, Context& c) -> Status {
    CHECK(c.defer(microseconds{1}));
    return event.data() == 0 ? Status{} : Errc::retryable;
  });
  CHECK(processor(Event{counted, 1}, context) == Errc::retryable);
  CHECK(processor(Event{counted, 0}, context).ok());
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].deferred);
  CHECK_FALSE(seen[1].deferred);
}

TEST_CASE("logging: an exception is told as an error and passes on", "[logging]") {
  FakeCall call;
  Context context = call.context();
  std::vector<Seen> seen;
  auto processor = logging(keep(seen))([](int) { throw std::out_of_range{"too far"}; });
  CHECK_THROWS_AS(processor(Event{counted, 1}, context), std::out_of_range);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].status.what() == "processing failed: too far");
}

TEST_CASE("logging: any event, and its id only if the sink asks", "[logging]") {
  FakeCall call;
  Context context = call.context();
  std::vector<Seen> seen;
  auto processor = logging(keep(seen))([](const AnyEvent&) {});
  const AnyEvent event{Event{counted, 7}};
  CHECK(processor(event, context).ok());
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].id == event.id());

  const Event lazy{counted, 7};
  auto silent = logging([](const LogRecord&) {})([](int) {});
  CHECK(silent(lazy, context).ok());
  CHECK_FALSE(gossip::detail::EventAccess::header(lazy).own_id.exists());
}

TEST_CASE("logging: with the null sink it leaves the processor as it is", "[logging]") {
  const auto processor = [](int) {};
  using Wrapped = decltype(logging(gossip::null_sink, "unused")(processor));
  static_assert(std::same_as<Wrapped, std::remove_const_t<decltype(processor)>>);
}

LogRecord record_of(const Event<int>& event, const Status& status) {
  return {.message = {},
          .event_type = event.type(),
          .subscription = {12, 0},
          .subscription_name = {},
          .attempt = 1,
          .duration = microseconds{3},
          .status = status,
          .deferred = false,
          .event = &event,
          .id_of = [](const void* e) { return static_cast<const Event<int>*>(e)->id(); }};
}

TEST_CASE("to_string: a record is one line of named values", "[logging]") {
  const Event event{counted, 7};
  const std::string id = to_string(event.id());
  const Status success;
  LogRecord record = record_of(event, success);
  CHECK(to_string(record) ==
        "event=thing.counted id=" + id + " subscription=12 attempt=1 duration_ns=3000 outcome=ok");
  const Status failure = gossip::RetryableError{"line one\nline\ttwo\r\x7f"};
  LogRecord failed = record_of(event, failure);
  failed.message = "hello";
  failed.subscription_name = "mailer";
  CHECK(to_string(failed) == "hello event=thing.counted id=" + id +
                                 " subscription=12 name=mailer attempt=1 duration_ns=3000 "
                                 "outcome=failed error=retryable error: line one line two  ");
  failed.deferred = true;
  CHECK(to_string(failed).find("outcome=deferred") != std::string::npos);
}

TEST_CASE("log_to: writes one line per call to anything like a stream, at once", "[logging]") {
  FakeCall call;
  Context context = call.context();
  std::ostringstream stream;
  auto processor = logging(log_to(stream))([](int) {});
  CHECK(processor(Event{counted, 1}, context).ok());
  CHECK(processor(Event{counted, 2}, context).ok());
  const std::string text = stream.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.back() == '\n');

  struct Pieces {
    std::vector<std::string> written;
    Pieces& operator<<(const std::string& piece) {
      written.push_back(piece);
      return *this;
    }
  } pieces;
  auto other = logging(log_to(pieces), "hi")([](int) {});
  CHECK(other(Event{counted, 1}, context).ok());
  REQUIRE(pieces.written.size() == 1);
  CHECK(pieces.written[0].starts_with("hi event=thing.counted id="));
}

TEST_CASE("logging: what the sink throws takes the place of the outcome", "[logging]") {
  FakeCall call;
  Context context = call.context();
  auto processor = logging([](const LogRecord&) { throw std::length_error{"sink"}; })([](int) {});
  CHECK_THROWS_AS(processor(Event{counted, 1}, context), std::length_error);
}

}  // namespace
