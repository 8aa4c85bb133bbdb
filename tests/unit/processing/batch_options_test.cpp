// SPDX-License-Identifier: MIT
#include <gossip/processing/batch_options.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <string>

using gossip::BatchOptions;
using gossip::Event;
using gossip::OverflowPolicy;
using gossip::Status;
using gossip::ValidationError;

namespace {

/// The field that is refused; empty if none is.
std::string refused(const BatchOptions<int>& options) {
  const Status status = validate(options);
  if (status.ok()) return {};
  const auto* error = gossip::find_error<ValidationError>(status);
  REQUIRE(error != nullptr);
  CHECK(error->message().find("allowed: ") != std::string::npos);
  return error->field();
}

std::size_t one_byte(const Event<int>&) { return 1; }

}  // namespace

TEST_CASE("BatchOptions: the defaults are valid", "[batch]") {
  CHECK(refused({}).empty());
  CHECK(refused({.size = 1}).empty());
  CHECK(refused({.size = 1'000'000, .max_pending = 1'000'000}).empty());
  CHECK(refused({.max_bytes = 1, .bytes_of = one_byte}).empty());
}

TEST_CASE("BatchOptions: what is out of range is named", "[batch]") {
  const std::chrono::nanoseconds negative{-1};
  CHECK(refused({.size = 0}) == "size");
  CHECK(refused({.size = 1'000'001}) == "size");
  CHECK(refused({.period = negative}) == "period");
  CHECK(refused({.max_bytes = 1}) == "bytes_of");
  CHECK(refused({.size = 10, .max_pending = 9}) == "max_pending");
  CHECK(refused({.overflow = static_cast<OverflowPolicy>(4)}) == "overflow");
  CHECK(refused({.max_concurrent_flushes = 0}) == "max_concurrent_flushes");
  CHECK(refused({.max_concurrent_flushes = 1025}) == "max_concurrent_flushes");
  CHECK(refused({.retry = {.max_attempts = 0}}) == "retry.max_attempts");
  CHECK(validate(BatchOptions<int>{.retry = {.max_attempts = 0}})
            .error()
            ->message()
            .find("retry.max_attempts is 0; allowed: ") == 0);
  CHECK(refused({.shutdown_timeout = negative}) == "shutdown_timeout");
}
