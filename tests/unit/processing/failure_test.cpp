// SPDX-License-Identifier: MIT
#include <gossip/processing/failure.hpp>

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <stop_token>
#include <string>

namespace {

using gossip::AnyEvent;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::detail::explained;
using gossip::detail::handle_caught;
using gossip::detail::require_valid;

constexpr EventType<int> number{"failure.number"};
const std::stop_token none;

struct Options {
  int size = 1;
};
Status validate(const Options& options) {
  if (options.size > 0) return {};
  return gossip::ValidationError{"size", "size is 0; allowed: more"};
}

TEST_CASE("handle_caught: an exception becomes the status of the call", "[failure]") {
  Context context{none};
  const Event event{number, 7};
  auto fine = [](int) {};
  CHECK(handle_caught(fine, event, context).ok());
  auto fails = [](int) -> Status { return Errc::fatal; };
  CHECK(handle_caught(fails, event, context) == Errc::fatal);
  auto throws = [](int) { throw gossip::TimeoutError{std::chrono::seconds{1}}; };
  CHECK(gossip::is_timeout(handle_caught(throws, event, context)));
  auto throws_any = [](const AnyEvent&, Context&) { throw std::runtime_error{"broken"}; };
  const Status status = handle_caught(throws_any, AnyEvent{event}, context);
  CHECK(gossip::is_processing(status));
  CHECK(status.error()->message() == "broken");
}

TEST_CASE("explained: keeps the kind and the cause", "[failure]") {
  CHECK(explained({}, {"nothing"}).ok());
  const Status original = gossip::ValidationError{"name", "is empty"};
  const Status status = explained(original, {"gave up", " after ", "3"});
  CHECK(status.error()->code() == Errc::validation_failed);
  CHECK(status.error()->message() == "gave up after 3");
  CHECK(status.error()->cause() == original.error());
  REQUIRE(gossip::find_error<gossip::ValidationError>(status) != nullptr);
  CHECK(gossip::find_error<gossip::ValidationError>(status)->field() == "name");
}

TEST_CASE("require_valid: refuses what validate() refuses, with its words", "[failure]") {
  const Options good{2};
  CHECK(&require_valid("Options", good) == &good);
  try {
    require_valid("Options", Options{0});
    FAIL("nothing was thrown");
  } catch (const std::invalid_argument& error) {
    CHECK(std::string{error.what()} == "Options: size is 0; allowed: more");
  }
}

}  // namespace
