// SPDX-License-Identifier: MIT
#include <gossip/core/status.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace {

using gossip::Errc;
using gossip::Error;
using gossip::ErrorPtr;
using gossip::Status;

static_assert(std::is_nothrow_default_constructible_v<Status>);
static_assert(std::is_nothrow_constructible_v<Status, Errc>);
static_assert(std::is_nothrow_move_constructible_v<Status>);
static_assert(!std::is_convertible_v<ErrorPtr, Status> && !std::is_convertible_v<Status, bool>);

TEST_CASE("Status: is success by default", "[status]") {
  const Status status;
  CHECK(status.ok());
  CHECK(static_cast<bool>(status));
  CHECK(status.error() == nullptr);
  CHECK_FALSE(status.code());
  CHECK(status.what() == "ok");
  CHECK_NOTHROW(status.throw_if_error());
  CHECK_FALSE(status == Errc::closed);
  CHECK(Status{ErrorPtr{}}.ok());
}

TEST_CASE("Status: made from an Errc it carries that error", "[status]") {
  const Status status = Errc::queue_full;
  CHECK_FALSE(status.ok());
  CHECK_FALSE(static_cast<bool>(status));
  CHECK(status == Errc::queue_full);
  CHECK(status != Errc::closed);
  CHECK(status.code() == Errc::queue_full);
  CHECK(status.code() == std::errc::no_buffer_space);
  CHECK(status.what() == "queue full");
  REQUIRE(status.error() != nullptr);
  CHECK(status.error()->code() == Errc::queue_full);
  CHECK_THROWS_AS(status.throw_if_error(), Error);
}

TEST_CASE("Status: made from an Errc it is ready-made, shared and counts no owners", "[status]") {
  const Status first = Errc::closed;
  const Status second = Errc::closed;
  const Status copy = first;  // NOLINT(performance-unnecessary-copy-initialization): under test
  CHECK(first.error().get() == second.error().get());
  CHECK(copy.error().get() == first.error().get());
  CHECK(first.error().use_count() == 0);
}

TEST_CASE("Status: an Errc out of range is harmless", "[status]") {
  for (const int number : {-1, 0, 13, 1'000'000}) {
    const Status status = static_cast<Errc>(number);
    CHECK_FALSE(status.ok());
    CHECK(status.code() == gossip::make_error_code(Errc::processing_failed));
    CHECK_THROWS_AS(status.throw_if_error(), Error);
    CHECK_FALSE(status == Errc::retryable);
  }
}

TEST_CASE("Status: made from an error it keeps the kind and its fields", "[status]") {
  const Status status = gossip::ValidationError{"age", "negative"};
  CHECK(status == Errc::validation_failed);
  const auto* found = gossip::find_error<gossip::ValidationError>(status);
  REQUIRE(found != nullptr);
  CHECK(found->field() == "age");
  CHECK_THROWS_AS(status.throw_if_error(), gossip::ValidationError);
  CHECK(status.what() == "validation failed: field=age: negative");
}

TEST_CASE("Status: a copy shares the error and outlives the original", "[status]") {
  auto original = std::make_unique<Status>(gossip::RetryableError{"later"});
  const Status copy = *original;
  CHECK(copy.error() == original->error());
  original.reset();
  CHECK(copy.what() == "retryable error: later");
}

TEST_CASE("Status: comparing and finding look through the whole chain of causes", "[status]") {
  const ErrorPtr root = std::make_shared<gossip::TimeoutError>(std::chrono::milliseconds{3});
  const ErrorPtr middle = std::make_shared<gossip::ProcessingError>("query", root);
  const Status status = gossip::RetryableError{"later", middle};
  CHECK(status == Errc::retryable);
  CHECK(status == Errc::processing_failed);
  CHECK(status == Errc::timeout);
  CHECK_FALSE(status == Errc::fatal);
  CHECK(status.code() == Errc::retryable);

  CHECK(gossip::find_error<gossip::TimeoutError>(status) == root.get());
  CHECK(gossip::find_error<gossip::ProcessingError>(status) == middle.get());
  CHECK(gossip::find_error<Error>(status) == status.error().get());
  CHECK(gossip::find_error<gossip::FatalError>(status) == nullptr);
  CHECK(gossip::find_error<Error>(Status{}) == nullptr);
}

TEST_CASE("Status: each predicate is true of its own kind alone, and of causes", "[status]") {
  using Predicate = bool (*)(const Status&) noexcept;
  const std::array<std::pair<Errc, Predicate>, 9> table{{
      {Errc::retryable, &gossip::is_retryable},
      {Errc::validation_failed, &gossip::is_validation},
      {Errc::processing_failed, &gossip::is_processing},
      {Errc::timeout, &gossip::is_timeout},
      {Errc::fatal, &gossip::is_fatal},
      {Errc::type_assertion_failed, &gossip::is_type_assertion},
      {Errc::nil_data, &gossip::is_no_data},
      {Errc::invalid_event, &gossip::is_invalid_event},
      {Errc::unsupported_event_type, &gossip::is_unsupported_event_type},
  }};
  for (const auto& [kind, predicate] : table) {
    CHECK_FALSE(predicate(Status{}));
    for (const auto& other : table) {
      CHECK(predicate(Status{other.first}) == (other.first == kind));
    }
    const Status wrapped = Error{Errc::queue_full, "outer", std::make_shared<Error>(kind)};
    CHECK(predicate(wrapped));
  }
}

template <class Throw>
Status caught(Throw&& do_throw) {
  try {
    do_throw();
  } catch (...) {
    return gossip::status_of_current_exception();
  }
  return {};
}

TEST_CASE("status_of_current_exception: a gossip error keeps its kind", "[status]") {
  const Status status = caught([] { throw gossip::ValidationError{"name", "empty"}; });
  REQUIRE(gossip::find_error<gossip::ValidationError>(status) != nullptr);
  CHECK(gossip::find_error<gossip::ValidationError>(status)->field() == "name");
}

/// A user's own kind of error, which overrides nothing.
struct PaymentError : Error {
  explicit PaymentError(int number) : Error{Errc::processing_failed, "declined"}, code{number} {}
  int code;
};
struct CardError final : PaymentError {
  explicit CardError(std::string card_name) : PaymentError{9}, card{std::move(card_name)} {}
  std::string card;
};

TEST_CASE("Status: a user's own error class is kept", "[status]") {
  const Status status = PaymentError{7};
  const Status copy = status;  // NOLINT(performance-unnecessary-copy-initialization): under test
  CHECK(copy == Errc::processing_failed);
  CHECK(copy.what() == "processing failed: declined");
  REQUIRE(gossip::find_error<PaymentError>(copy) != nullptr);
  CHECK(gossip::find_error<PaymentError>(copy)->code == 7);
  try {
    copy.throw_if_error();
    FAIL("nothing was thrown");
  } catch (const PaymentError& error) {
    CHECK(error.code == 7);
  }

  const Status last = CardError{"a name that is too long for a short string"};
  REQUIRE(gossip::find_error<CardError>(last) != nullptr);
  CHECK_THROWS_AS(last.throw_if_error(), CardError);
  CHECK_THROWS_AS(last.throw_if_error(), PaymentError);

  const Status behind = gossip::RetryableError{"later", last.error()};
  CHECK(gossip::find_error<CardError>(behind) == gossip::find_error<CardError>(last));
}

TEST_CASE("status_of_current_exception: a user's own error class is kept", "[status]") {
  Status status;
  try {
    throw CardError{"a name that is too long for a short string"};
  } catch (...) {
    status = gossip::status_of_current_exception();
  }
  CHECK(status == Errc::processing_failed);
  REQUIRE(gossip::find_error<CardError>(status) != nullptr);
  CHECK(gossip::find_error<CardError>(status)->card.size() == 42);
  for (int times = 0; times < 2; ++times) {
    try {
      status.throw_if_error();
      FAIL("nothing was thrown");
    } catch (const CardError& error) {
      CHECK(error.card.size() == 42);
      CHECK(error.code == 9);
    }
  }
}

TEST_CASE("Status: an error that is given as its base class is at least that", "[status]") {
  const CardError card{"x"};
  const PaymentError& payment = card;
  const Status status{static_cast<const Error&>(payment)};
  CHECK(status == Errc::processing_failed);
  CHECK_THROWS_AS(status.throw_if_error(), Error);
  const gossip::ValidationError invalid{"name", "empty"};
  const Status kind{static_cast<const Error&>(invalid)};
  CHECK_THROWS_AS(kind.throw_if_error(), gossip::ValidationError);
}

TEST_CASE("status_of_current_exception: another exception becomes a ProcessingError", "[status]") {
  const Status status = caught([] { throw std::out_of_range{"index 7"}; });
  REQUIRE(gossip::find_error<gossip::ProcessingError>(status) != nullptr);
  CHECK(status.error()->message() == "index 7");
  CHECK_THROWS_AS(std::rethrow_exception(status.error()->origin()), std::out_of_range);
}

TEST_CASE("status_of_current_exception: what is no std::exception is kept too", "[status]") {
  const Status status = caught([] { throw 42; });
  REQUIRE(gossip::is_processing(status));
  bool same = false;
  try {
    std::rethrow_exception(status.error()->origin());
  } catch (int number) {
    same = number == 42;
  }
  CHECK(same);
}

}  // namespace
