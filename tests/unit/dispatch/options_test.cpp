// SPDX-License-Identifier: MIT
#include <gossip/dispatch/options.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <type_traits>

using gossip::BusOptions;
using gossip::LaneOverflow;
using gossip::Ordering;
using gossip::OverflowPolicy;
using gossip::SubscribeOptions;
using gossip::Timestamps;
using gossip::validate;
using gossip::detail::NoSubscribeOptions;

// {} and {.name = ...} stand for options, a place in the source for none.
static_assert(!std::is_default_constructible_v<NoSubscribeOptions>);
static_assert(std::is_convertible_v<gossip::SourceLocation, NoSubscribeOptions>);
static_assert(!std::is_convertible_v<SubscribeOptions, NoSubscribeOptions>);

namespace {

/// The text of the refusal; empty if the options are accepted.
std::string refusal(const BusOptions& options) {
  const gossip::Status status = validate(options);
  return status.ok() ? "" : std::string{status.what()};
}
bool mentions(const BusOptions& options, const char* sentence) {
  return is_validation(validate(options)) && refusal(options).find(sentence) != std::string::npos;
}

}  // namespace

TEST_CASE("BusOptions: the defaults are valid", "[dispatch]") { REQUIRE(refusal({}).empty()); }

TEST_CASE("BusOptions: limits are accepted and what is beyond is refused by name", "[dispatch]") {
  REQUIRE(refusal({.workers = 1024}).empty());
  REQUIRE(mentions({.workers = 1025}, "workers is 1025; allowed: 0 to 1024"));
  REQUIRE(refusal({.capacity = 1}).empty());
  REQUIRE(refusal({.capacity = std::size_t{1} << 31U}).empty());
  REQUIRE(mentions({.capacity = 0}, "capacity is 0; allowed: 1 to 2147483648"));
  REQUIRE(mentions({.capacity = (std::size_t{1} << 31U) + 1}, "capacity is 2147483649"));
  REQUIRE(mentions({.overflow = static_cast<OverflowPolicy>(7)}, "overflow is 7"));
  REQUIRE(mentions({.timestamps = static_cast<Timestamps>(7)}, "timestamps is 7"));
  REQUIRE(mentions({.measure = static_cast<gossip::Measure>(7)},
                   "measure is 7; allowed: nothing, times"));
  REQUIRE(refusal({.shutdown_timeout = std::chrono::nanoseconds{0}}).empty());
  REQUIRE(
      mentions({.shutdown_timeout = std::chrono::nanoseconds{-1}}, "shutdown_timeout is -1 ns"));
  REQUIRE(mentions({.stall_after = std::chrono::nanoseconds{-1}}, "stall_after is -1 ns"));
  REQUIRE(refusal({.max_nesting = 1}).empty());
  REQUIRE(refusal({.max_nesting = 256}).empty());
  REQUIRE(mentions({.max_nesting = 0}, "max_nesting is 0; allowed: 1 to 256"));
  REQUIRE(mentions({.max_nesting = 257}, "max_nesting is 257"));
  REQUIRE(refusal({.max_scheduled = 0}).empty());
  REQUIRE(refusal({.max_scheduled = std::size_t{1} << 31U}).empty());
  REQUIRE(mentions({.max_scheduled = (std::size_t{1} << 31U) + 1},
                   "max_scheduled is 2147483649; allowed: 0 to 2147483648"));
#if defined(__linux__)
  REQUIRE(refusal({.worker_cores = {0, 1023}}).empty());
  REQUIRE(mentions({.worker_cores = {0, 1024}}, "worker_cores is 1024"));
#endif
}

TEST_CASE("SubscribeOptions: limits are accepted and what is beyond is refused by name",
          "[dispatch]") {
  const auto text = [](const SubscribeOptions& options) {
    const gossip::Status status = validate(options);
    return status.ok() ? "" : std::string{status.error()->message()};
  };
  REQUIRE(text({}).empty());
  REQUIRE(text({.lane = {.capacity = 1}}).empty());
  REQUIRE(text({.lane = {.capacity = std::size_t{1} << 20U}}).empty());
  REQUIRE(text({.lane = {.capacity = 0}}) == "lane.capacity is 0; allowed: 1 to 1048576");
  REQUIRE(
      text({.lane = {.capacity = (std::size_t{1} << 20U) + 1}}).find("lane.capacity is 1048577") ==
      0);
  REQUIRE(text({.lane = {.overflow = LaneOverflow::coalesce}}).empty());
  REQUIRE(text({.lane = {.overflow = static_cast<LaneOverflow>(5)}}) ==
          "lane.overflow is 5; allowed: block, reject, drop_oldest, drop_newest, coalesce");
}

TEST_CASE("SubscribeOptions: a lane has no last event to begin with", "[dispatch]") {
  constexpr auto with_last = SubscribeOptions::Start::with_last_event;
  REQUIRE(validate(SubscribeOptions{.start = with_last}).ok());
  for (const SubscribeOptions& options :
       {SubscribeOptions{.start = with_last, .ordering = Ordering::per_publisher()},
        SubscribeOptions{.start = with_last, .max_concurrency = 1},
        SubscribeOptions{.start = with_last, .lane = {.capacity = 5}}}) {
    const gossip::Status status = validate(options);
    REQUIRE(is_validation(status));
    REQUIRE(
        status.error()->message() ==
        "start is with_last_event; allowed: with_next_event, beside ordering, max_concurrency or "
        "lane");
  }
  REQUIRE_FALSE(validate(SubscribeOptions{.start = static_cast<SubscribeOptions::Start>(2)}).ok());
}

TEST_CASE("SubscribeOptions: any of three options asks for a lane", "[dispatch]") {
  using gossip::detail::wants_lane;
  REQUIRE_FALSE(wants_lane({}));
  REQUIRE_FALSE(wants_lane({.name = "a", .priority = 3}));
  REQUIRE(wants_lane({.ordering = Ordering::per_publisher()}));
  REQUIRE(wants_lane({.max_concurrency = 1}));
  REQUIRE(wants_lane({.lane = {.capacity = 5}}));
  REQUIRE(wants_lane({.lane = {.overflow = LaneOverflow::drop_newest}}));
}

TEST_CASE("worker_count: 0 stands for one per processor core", "[dispatch]") {
  REQUIRE(gossip::worker_count({.workers = 3}) == 3);
  const unsigned cores = std::thread::hardware_concurrency();
  REQUIRE(gossip::worker_count({}) == (cores == 0 ? 1 : cores));
}
