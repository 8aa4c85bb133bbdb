// SPDX-License-Identifier: MIT
#include <gossip/processing/circuit_breaker.hpp>

#include "support/fake_call.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::circuit_breaker;
using gossip::CircuitBreakerOptions;
using gossip::CircuitState;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::TripsCircuit;
using gossip::test::FakeCall;
using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr EventType<int> counted{"thing.counted"};

static_assert(gossip::Middleware<decltype(circuit_breaker())>);
static_assert(to_string(CircuitState::half_open) == std::string_view{"half_open"});

template <class P>
Status run(FakeCall& call, P& processor) {
  Context context = call.context();
  return processor(Event{counted, 1}, context);
}

/// A breaker around a processor that does what it is told.
struct Fixture {
  Status outcome;
  int calls = 0;
  std::string changes;
  FakeCall call;

  auto wrap(const CircuitBreakerOptions& options) {
    return circuit_breaker(options, TripsCircuit{}, [this](CircuitState from, CircuitState to) {
      (changes += to_string(from)) += ">";
      (changes += to_string(to)) += " ";
    })([this](int) {
      ++calls;
      return outcome;
    });
  }
};

TEST_CASE("circuit_breaker: opens after so many failures in a row", "[circuit_breaker]") {
  Fixture f;
  auto processor = f.wrap({.failure_threshold = 3});
  for (const int failures : {2, 2, 3}) {
    f.outcome = {};
    CHECK(run(f.call, processor).ok());
    f.outcome = Errc::processing_failed;
    for (int i = 0; i < failures; ++i) {
      CHECK(run(f.call, processor) == Errc::processing_failed);
    }
  }
  CHECK(f.calls == 10);
  CHECK(f.changes == "closed>open ");
}

TEST_CASE("circuit_breaker: while it is open it fails at once, retryably", "[circuit_breaker]") {
  Fixture f;
  auto processor = f.wrap({.failure_threshold = 1, .open_for = seconds{10}});
  f.outcome = Errc::fatal;
  CHECK(run(f.call, processor) == Errc::fatal);
  f.call.time.advance(seconds{10} - nanoseconds{1});
  for (int i = 0; i < 3; ++i) {
    const Status status = run(f.call, processor);
    CHECK(gossip::is_retryable(status));
    CHECK(status.error()->message() == "circuit breaker is open");
  }
  CHECK(f.calls == 1);
}

TEST_CASE("circuit_breaker: closes if the probes succeed", "[circuit_breaker]") {
  Fixture f;
  auto processor = f.wrap({.failure_threshold = 1, .open_for = seconds{10}, .probes = 2});
  f.outcome = Errc::fatal;
  CHECK_FALSE(run(f.call, processor).ok());
  f.call.time.advance(seconds{10});
  f.outcome = {};
  CHECK(run(f.call, processor).ok());
  CHECK(f.changes == "closed>open open>half_open ");
  CHECK(run(f.call, processor).ok());
  CHECK(f.changes == "closed>open open>half_open half_open>closed ");
  // The count begins anew.
  f.outcome = Errc::fatal;
  CHECK(run(f.call, processor) == Errc::fatal);
  CHECK(gossip::is_retryable(run(f.call, processor)));
}

TEST_CASE("circuit_breaker: opens again with the first probe that fails", "[circuit_breaker]") {
  Fixture f;
  auto processor = f.wrap({.failure_threshold = 2, .open_for = seconds{10}, .probes = 3});
  f.outcome = Errc::fatal;
  for (int i = 0; i < 2; ++i) CHECK(run(f.call, processor) == Errc::fatal);
  f.call.time.advance(seconds{10});
  f.outcome = {};
  CHECK(run(f.call, processor).ok());
  f.outcome = Errc::fatal;
  CHECK(run(f.call, processor) == Errc::fatal);
  CHECK(gossip::is_retryable(run(f.call, processor)));
  f.call.time.advance(seconds{9});
  CHECK(gossip::is_retryable(run(f.call, processor)));
  f.call.time.advance(seconds{1});
  CHECK(run(f.call, processor) == Errc::fatal);
  CHECK(f.changes == "closed>open open>half_open half_open>open open>half_open half_open>open ");
}

TEST_CASE("circuit_breaker: half open, it lets no more through than the probes",
          "[circuit_breaker]") {
  FakeCall call;
  bool fail = true;
  int refused = 0;
  int calls = 0;
  const auto breaker = circuit_breaker({.failure_threshold = 1, .open_for = seconds{10}});
  // The probe itself publishes, so to speak: three more events come while it runs.
  std::vector<Status> meanwhile;
  std::function<Status()> again;
  auto processor = breaker([&](int) -> Status {
    ++calls;
    if (fail) return Errc::fatal;
    for (int i = 0; i < 3 && refused == 0; ++i) meanwhile.push_back(again());
    refused = 1;
    return {};
  });
  again = [&] { return run(call, processor); };
  CHECK_FALSE(run(call, processor).ok());
  call.time.advance(seconds{10});
  fail = false;
  CHECK(run(call, processor).ok());
  REQUIRE(meanwhile.size() == 3);
  for (const Status& status : meanwhile) CHECK(gossip::is_retryable(status));
  CHECK(calls == 2);
  CHECK(run(call, processor).ok());
}

TEST_CASE("circuit_breaker: a call that began before it opened has no say later",
          "[circuit_breaker]") {
  FakeCall call;
  std::string changes;
  std::function<Status()> inner;
  int depth = 0;
  const auto breaker =
      circuit_breaker({.failure_threshold = 1, .open_for = seconds{0}}, TripsCircuit{},
                      [&](CircuitState, CircuitState to) { (changes += to_string(to)) += " "; });
  Status late;
  auto processor = breaker([&](int) -> Status {
    if (++depth > 1) return depth == 2 ? Status{Errc::fatal} : Status{};
    CHECK(inner() == Errc::fatal);  // opens
    CHECK(inner().ok());            // half open, then closed
    return late;
  });
  inner = [&] { return run(call, processor); };
  late = Errc::fatal;
  CHECK(run(call, processor) == Errc::fatal);
  CHECK(changes == "open half_open closed ");
}

TEST_CASE("circuit_breaker: what is the event's own fault does not count", "[circuit_breaker]") {
  for (const Errc code : {Errc::validation_failed, Errc::type_assertion_failed, Errc::nil_data,
                          Errc::invalid_event, Errc::unsupported_event_type}) {
    CHECK_FALSE(TripsCircuit{}(code));
  }
  for (const Errc code : {Errc::retryable, Errc::processing_failed, Errc::timeout, Errc::fatal}) {
    CHECK(TripsCircuit{}(code));
  }
  Fixture f;
  auto processor = f.wrap({.failure_threshold = 1});
  f.outcome = Errc::validation_failed;
  for (int i = 0; i < 9; ++i) CHECK(run(f.call, processor) == Errc::validation_failed);
  CHECK(f.changes.empty());
}

TEST_CASE("circuit_breaker: the predicate is the user's", "[circuit_breaker]") {
  FakeCall call;
  Status outcome = Errc::fatal;
  auto processor = circuit_breaker({.failure_threshold = 1}, [](const Status& failure) {
    return gossip::is_timeout(failure);
  })([&](int) { return outcome; });
  CHECK(run(call, processor) == Errc::fatal);
  CHECK(run(call, processor) == Errc::fatal);
  outcome = Errc::timeout;
  CHECK(run(call, processor) == Errc::timeout);
  CHECK(gossip::is_retryable(run(call, processor)));
}

TEST_CASE("circuit_breaker: an exception counts and passes", "[circuit_breaker]") {
  FakeCall call;
  auto processor =
      circuit_breaker({.failure_threshold = 1})([](int) { throw std::out_of_range{"x"}; });
  CHECK_THROWS_AS(run(call, processor), std::out_of_range);
  CHECK(gossip::is_retryable(run(call, processor)));
}

TEST_CASE("circuit_breaker: each wrapped processor has one of its own; any event",
          "[circuit_breaker]") {
  FakeCall call;
  Context context = call.context();
  const auto breaker = circuit_breaker({.failure_threshold = 1});
  const auto fail = [](const AnyEvent&) -> Status { return Errc::fatal; };
  const AnyEvent event{Event{counted, 1}};
  auto first = breaker(fail);
  auto second = breaker(fail);
  CHECK(first(event, context) == Errc::fatal);
  CHECK(second(event, context) == Errc::fatal);
  auto copy = first;
  CHECK(gossip::is_retryable(copy(event, context)));
}

TEST_CASE("circuit_breaker: validates its options", "[circuit_breaker]") {
  const auto refused = [](const CircuitBreakerOptions& options) {
    const Status status = validate(options);
    const auto* error = gossip::find_error<gossip::ValidationError>(status);
    return error == nullptr ? std::string{} : error->field();
  };
  CHECK(refused({}).empty());
  CHECK(refused({.failure_threshold = 0}) == "failure_threshold");
  CHECK(refused({.open_for = nanoseconds{-1}}) == "open_for");
  CHECK(refused({.open_for = hours{24 * 365 + 1}}) == "open_for");
  CHECK(refused({.probes = 0}) == "probes");
  CHECK_THROWS_AS(circuit_breaker({.probes = 0}), std::invalid_argument);
}

TEST_CASE("circuit_breaker: of threads that come at once one alone is the probe",
          "[circuit_breaker]") {
  constexpr std::size_t threads = 4;
  const std::size_t rounds = gossip::test::scaled(400);
  for (std::size_t round = 0; round < rounds; ++round) {
    gossip::test::Tally refused;
    std::atomic<bool> works{false};
    std::atomic<int> probes{0};
    auto processor =
        circuit_breaker({.failure_threshold = 1, .open_for = nanoseconds{0}})([&](int) -> Status {
          if (!works) return Errc::fatal;
          ++probes;
          // All the others have to be turned away meanwhile.
          return refused.wait_for(threads - 1) ? Status{} : Status{Errc::timeout};
        });
    FakeCall call;
    CHECK(run(call, processor) == Errc::fatal);
    works = true;
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < threads; ++i) {
        workers.emplace_back([&] {
          FakeCall own;
          if (gossip::is_retryable(run(own, processor))) refused.add();
        });
      }
    }
    REQUIRE(probes == 1);
    REQUIRE(refused.count() == threads - 1);
    works = false;
    REQUIRE(run(call, processor) == Errc::fatal);  // it has closed
  }
}

TEST_CASE("circuit_breaker: every change follows from the one before it, whatever the threads do",
          "[circuit_breaker]") {
  constexpr std::size_t threads = 4;
  const int each = static_cast<int>(gossip::test::scaled(4'000));
  std::atomic<int> opened{0};
  std::atomic<int> probed{0};
  std::atomic<int> closed{0};
  std::atomic<int> reopened{0};
  std::atomic<int> number{0};
  auto processor =
      circuit_breaker({.failure_threshold = 3, .open_for = nanoseconds{0}}, TripsCircuit{},
                      [&](CircuitState from, CircuitState to) {
                        if (to == CircuitState::half_open) {
                          ++probed;
                        } else if (to == CircuitState::closed) {
                          ++closed;
                        } else {
                          ++(from == CircuitState::closed ? opened : reopened);
                        }
                      })([&](int) -> Status { return ++number % 8 < 5 ? Errc::fatal : Status{}; });
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        FakeCall call;
        for (int n = 0; n < each; ++n) (void)run(call, processor).ok();
      });
    }
  }
  CHECK(opened > 0);
  CHECK(opened - closed <= 1);
  CHECK(opened >= closed);
  CHECK(probed - closed - reopened <= 1);
  CHECK(opened + reopened >= probed);
  CHECK(opened + reopened - probed <= 1);
}

}  // namespace
