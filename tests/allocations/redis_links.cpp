// SPDX-License-Identifier: MIT
// What becomes of events when memory runs out on the threads that own the connections to Redis.
#include <gossip/dispatch/current_thread.hpp>

#include "support/counting_allocator.hpp"
#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <hiredis/alloc.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::redis::Delivery;
using gossip::redis::Gap;
using gossip::redis::RedisOptions;
using gossip::test::eventually;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using namespace std::chrono_literals;

namespace {

constexpr EventType<std::uint64_t> counted{"counted"};
constexpr std::size_t rounds = 300;
constexpr std::size_t per_round = 4;
constexpr std::size_t most = std::size_t{1} << 16U;

/// True on the threads that own connections, and on others while they do their work.
bool on_a_link() noexcept { return gossip::detail::current_thread.never_waits; }

/// hiredis allocates by itself.
/// @{
void* c_malloc(std::size_t size) { return gossip::test::fails_now() ? nullptr : std::malloc(size); }
void* c_calloc(std::size_t number, std::size_t size) {
  return gossip::test::fails_now() ? nullptr : std::calloc(number, size);
}
void* c_realloc(void* memory, std::size_t size) {
  return gossip::test::fails_now() ? nullptr : std::realloc(memory, size);
}
char* c_strdup(const char* text) { return gossip::test::fails_now() ? nullptr : ::strdup(text); }
const struct Allocators {
  Allocators() {
    hiredisAllocFuncs functions{&c_malloc, &c_calloc, &c_realloc, &c_strdup, &std::free};
    hiredisSetAllocators(&functions);
  }
} allocators;
/// @}

/// What became of each event. Allocates nothing.
struct Ledger {
  void listen(RedisOptions& options) {
    options.on_gap = [this](const Gap&) { ++gaps; };
    options.on_undecodable = [this](std::string_view, std::string_view, const Status&) {
      ++undecodable;
    };
    options.on_publish_error = [this](std::string_view, std::string_view, const Status&) {
      ++unpublished;
    };
  }
  /// How many from `first` to before `last` were not handled.
  [[nodiscard]] std::size_t missing(std::size_t first, std::size_t last) const {
    std::size_t number = 0;
    for (std::size_t i = first; i < last; ++i) number += handled.at(i).load() == 0 ? 1 : 0;
    return number;
  }

  std::array<std::atomic<int>, most> handled{};
  std::atomic<std::size_t> gaps{0};
  std::atomic<std::size_t> undecodable{0};
  std::atomic<std::size_t> unpublished{0};
};

struct OnServer {
  OnServer() {
    options = server.options();
    options.back_off_initial = options.back_off_cap = 1ms;
    options.health_interval = 50ms;
    options.claim_after = 50ms;
    options.block = 20ms;
    options.max_deliveries = 1000;
    ledger.listen(options);
  }
  /// Publishes some more. Those that are refused for want of memory count for nothing.
  void publish(RedisBus& bus, std::size_t number = per_round) {
    for (std::size_t i = 0; i < number; ++i) {
      if (bus.publish(counted, std::uint64_t{published}).ok()) ++published;
    }
  }

  RedisServer server;
  RedisOptions options;
  Ledger ledger;
  std::size_t published = 0;
};

}  // namespace

TEST_CASE_METHOD(OnServer, "memory runs out on a connection's thread: streams lose nothing",
                 "[allocations]") {
  options.group = GENERATE("", "workers");
  CAPTURE(options.group);
  options.start_at = gossip::redis::StartAt::beginning;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription =
      bus.subscribe(counted, [&](const std::uint64_t& number) { ++ledger.handled.at(number); });
  std::size_t failures = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    gossip::test::fail_where(&on_a_link, round);
    publish(bus);
    REQUIRE(eventually([&] { return ledger.missing(0, published) <= ledger.undecodable; }));
    if (gossip::test::stop_failing_anywhere()) ++failures;
  }
  REQUIRE(failures > rounds / 10);
  REQUIRE(ledger.unpublished == 0);
  REQUIRE((options.group.empty() || ledger.undecodable == 0));
  // Nothing is held for ever, either: what was handled is acknowledged in the end.
  REQUIRE(eventually([&] {
    return options.group.empty() || server.ask({"XPENDING", "counted", "workers"}).starts_with("0");
  }));
  REQUIRE(eventually([&] { return bus.provider_statistics().reader.in_flight == 0; }));
}

TEST_CASE_METHOD(OnServer, "memory runs out on a connection's thread: Pub/Sub tells every gap",
                 "[allocations]") {
  options.delivery = Delivery::pub_sub;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription =
      bus.subscribe(counted, [&](const std::uint64_t& number) { ++ledger.handled.at(number); });
  std::size_t failures = 0;
  std::size_t missed = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    const std::size_t first = published;
    const std::size_t told = ledger.gaps + ledger.undecodable + ledger.unpublished;
    gossip::test::fail_where(&on_a_link, round);
    publish(bus);
    static_cast<void>(bus.flush(gossip::test::patience));
    if (gossip::test::stop_failing_anywhere()) ++failures;
    const std::size_t last = published;
    // Whatever is heard now was published after it listened again, and what was missed has been told.
    REQUIRE(eventually([&] {
      publish(bus, 1);
      return ledger.missing(last, published) < published - last;
    }));
    const std::size_t missing = ledger.missing(first, last);
    missed += missing;
    INFO("round " << round << ", missing " << missing);
    REQUIRE((missing == 0 || ledger.gaps + ledger.undecodable + ledger.unpublished > told));
  }
  REQUIRE(failures > rounds / 10);
  REQUIRE(missed > 0);
}

TEST_CASE_METHOD(OnServer,
                 "memory runs out on a connection's thread: a refusal and its end are told",
                 "[allocations]") {
  const bool by_channel = GENERATE(false, true);
  CAPTURE(by_channel);
  const char* const denies = by_channel ? "resetchannels" : "-xreadgroup";
  const char* const grants = by_channel ? "&*" : "+xreadgroup";
  REQUIRE(server.ask({"ACL", "SETUSER", "ann", "on", ">pencil", "~*", "&*", "+@all"}) == "OK");
  options.username = "ann";
  options.password = "pencil";
  options.group = "workers";
  if (by_channel) options.delivery = Delivery::pub_sub;
  std::atomic<gossip::redis::State> last{gossip::redis::State::connecting};
  options.on_state = [&](gossip::redis::State state, const Status&) { last = state; };
  const auto becomes = [&](gossip::redis::State state) {
    return eventually([&] { return last == state; });
  };
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(counted, [](const std::uint64_t&) {});
  REQUIRE(becomes(gossip::redis::State::ready));
  std::size_t failures = 0;
  for (std::size_t round = 0; round < rounds / 3; ++round) {
    CAPTURE(round);
    gossip::test::fail_where(&on_a_link, round);
    REQUIRE(server.ask({"ACL", "SETUSER", "ann", denies}) == "OK");
    REQUIRE(becomes(gossip::redis::State::degraded));
    if (gossip::test::stop_failing_anywhere()) ++failures;
    gossip::test::fail_where(&on_a_link, round);
    REQUIRE(server.ask({"ACL", "SETUSER", "ann", grants}) == "OK");
    REQUIRE(becomes(gossip::redis::State::ready));
    if (gossip::test::stop_failing_anywhere()) ++failures;
  }
  REQUIRE(failures > rounds / 10);
}
