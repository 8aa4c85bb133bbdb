// SPDX-License-Identifier: MIT
#include <gossip/core/error.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

using gossip::Errc;
using gossip::Error;
using gossip::ErrorPtr;

int occurrences(std::string_view text, std::string_view part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

/// What is true of every kind: shared and thrown it stays what it is.
template <std::derived_from<Error> E>
void check_kind(const E& error, Errc code, const std::string& what) {
  CHECK(error.code() == code);
  CHECK(std::string{error.what()} == what);

  const ErrorPtr shared = error.share();
  REQUIRE(dynamic_cast<const E*>(shared.get()) != nullptr);
  CHECK(shared->code() == code);
  CHECK(shared->message() == error.message());
  CHECK(shared->cause() == error.cause());
  CHECK(std::string{shared->what()} == what);

  bool caught = false;
  try {
    shared->raise();
  } catch (const E& raised) {
    caught = true;
    CHECK(std::string{raised.what()} == what);
  } catch (...) {
  }
  CHECK(caught);

  caught = false;
  try {
    throw E{error};
  } catch (const std::exception& thrown) {
    caught = std::string{thrown.what()} == what;
  }
  CHECK(caught);
}

TEST_CASE("Error: has a kind, a message and a cause", "[error]") {
  check_kind(Error{Errc::closed}, Errc::closed, "bus closed");
  check_kind(Error{Errc::closed, "subscribe"}, Errc::closed, "bus closed: subscribe");
  const ErrorPtr cause = std::make_shared<Error>(Errc::fatal, "disk");
  const Error error{Errc::retryable, "later", cause};
  CHECK(error.cause() == cause);
  CHECK(error.message() == "later");
  CHECK(error.origin() == nullptr);
  check_kind(error, Errc::retryable, "retryable error: later: fatal error: disk");
}

TEST_CASE("Error: a chain of causes shows every link once", "[error]") {
  const ErrorPtr root = std::make_shared<gossip::ValidationError>("age", "negative");
  const ErrorPtr middle = std::make_shared<gossip::ProcessingError>("saving", root);
  const gossip::FatalError top{"giving up", middle};
  check_kind(top, Errc::fatal,
             "fatal error: giving up: processing failed: saving: validation failed: field=age: "
             "negative");
  CHECK(top.cause()->cause() == root);
}

TEST_CASE("RetryableError: message and cause", "[error]") {
  check_kind(gossip::RetryableError{"connection lost"}, Errc::retryable,
             "retryable error: connection lost");
}

TEST_CASE("ValidationError: names its field once", "[error]") {
  const gossip::ValidationError error{"email", "no @"};
  CHECK(error.field() == "email");
  CHECK(error.message() == "no @");
  check_kind(error, Errc::validation_failed, "validation failed: field=email: no @");
  CHECK(occurrences(error.what(), "email") == 1);
}

TEST_CASE("ProcessingError: keeps the exception it was made from", "[error]") {
  check_kind(gossip::ProcessingError{"failed"}, Errc::processing_failed,
             "processing failed: failed");
  const gossip::ProcessingError error{"of its own",
                                      std::make_exception_ptr(std::out_of_range{"original"})};
  check_kind(error, Errc::processing_failed, "processing failed: of its own");
  CHECK(error.cause() == nullptr);
  REQUIRE(error.origin() != nullptr);
  CHECK_THROWS_AS(std::rethrow_exception(error.origin()), std::out_of_range);
  CHECK(error.share()->origin() == error.origin());
}

TEST_CASE("TimeoutError: has the limit, with and without a message", "[error]") {
  const gossip::TimeoutError error{std::chrono::milliseconds{5}, "query"};
  CHECK(error.limit() == std::chrono::milliseconds{5});
  check_kind(error, Errc::timeout, "timed out: limit_ns=5000000: query");
  check_kind(gossip::TimeoutError{std::chrono::nanoseconds{7}}, Errc::timeout,
             "timed out: limit_ns=7");
}

TEST_CASE("FatalError: message and cause", "[error]") {
  check_kind(gossip::FatalError{"no disk"}, Errc::fatal, "fatal error: no disk");
}

TEST_CASE("TypeAssertionError: names both types once", "[error]") {
  const gossip::TypeAssertionError error{"UserData", "OrderData", "user.created"};
  CHECK(error.expected() == "UserData");
  CHECK(error.actual() == "OrderData");
  check_kind(error, Errc::type_assertion_failed,
             "type assertion failed: expected=UserData, actual=OrderData: user.created");
  CHECK(occurrences(error.what(), "UserData") == 1);
  CHECK(occurrences(error.what(), "OrderData") == 1);
}

TEST_CASE("NoDataError: names its field once", "[error]") {
  const gossip::NoDataError error{"payload", "empty"};
  CHECK(error.field() == "payload");
  check_kind(error, Errc::nil_data, "no data: field=payload: empty");
}

TEST_CASE("InvalidEventError: has id, field and reason", "[error]") {
  const gossip::InvalidEventError error{"00ff", "timestamp", "in the future", "import"};
  CHECK(error.event_id() == "00ff");
  CHECK(error.field() == "timestamp");
  CHECK(error.reason() == "in the future");
  check_kind(error, Errc::invalid_event,
             "invalid event: event_id=00ff, field=timestamp, reason=in the future: import");
}

TEST_CASE("UnsupportedEventTypeError: has the type and what is handled", "[error]") {
  const gossip::UnsupportedEventTypeError error{"a.b", {"c.d", "e.f"}};
  CHECK(error.event_type() == "a.b");
  CHECK(error.supported() == std::vector<std::string>{"c.d", "e.f"});
  check_kind(error, Errc::unsupported_event_type,
             "unsupported event type: event_type=a.b, supported=c.d|e.f");
}

static_assert(std::is_final_v<gossip::RetryableError> && std::is_final_v<gossip::TimeoutError>);
static_assert(std::is_nothrow_destructible_v<gossip::TypeAssertionError>);

}  // namespace
