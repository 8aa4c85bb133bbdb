// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/inspection.hpp>
#include <gossip/observe/trace.hpp>
#include <gossip/processing/batch.hpp>
#include <gossip/processing/circuit_breaker.hpp>
#include <gossip/processing/correlate.hpp>
#include <gossip/processing/dead_letter.hpp>
#include <gossip/processing/deduplicate.hpp>
#include <gossip/processing/logging.hpp>
#include <gossip/processing/metrics.hpp>
#include <gossip/processing/rate_limit.hpp>
#include <gossip/processing/recorder.hpp>
#include <gossip/processing/recovery.hpp>
#include <gossip/processing/retry.hpp>
#include <gossip/processing/timeout.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using gossip::AnyEvent;
using gossip::Event;
using gossip::EventBus;
using gossip::EventType;
using gossip::Topology;
using namespace std::chrono_literals;

using Names = std::vector<std::string_view>;

constexpr EventType<int> created{"user.created"};
constexpr EventType<int> deleted{"user.deleted"};

TEST_CASE("topology: a bus's types, subscriptions and provider", "[topology]") {
  EventBus bus{{.workers = 3, .capacity = 100, .overflow = gossip::OverflowPolicy::reject}};
  const unsigned line = __LINE__;
  const auto a = bus.subscribe(created, [](int) {}, {.name = "a"});
  const auto b = bus.subscribe(created, [](int) {});
  const auto c = bus.subscribe("user.*", [](const AnyEvent&) {}, {.name = "c", .priority = -1});
  REQUIRE(bus.publish(deleted, 1).ok());
  const Topology topology = bus.topology();
  CHECK(topology.provider == "gossip::InMemoryProvider");
  CHECK(topology.workers == 3);
  CHECK(topology.capacity == bus.stats().capacity);
  CHECK(topology.overflow == gossip::OverflowPolicy::reject);
  REQUIRE(topology.types.size() == 2);
  CHECK(topology.types[1].event_type == "user.deleted");
  REQUIRE(topology.subscriptions.size() == 3);
  CHECK(topology.subscriptions[0].id == a.id());
  CHECK(topology.subscriptions[0].where.line == line + 1);
  CHECK(topology.subscriptions[1].where.line == line + 2);
  CHECK(topology.subscriptions[2].where.line == line + 3);
  CHECK(std::string_view{topology.subscriptions[2].where.file} == __FILE__);
  CHECK(topology.subscriptions[2].event_types == Names{"user.created", "user.deleted"});
  CHECK(topology.subscriptions[2].priority == -1);
  CHECK(topology.subscriptions[2].ordering == gossip::Ordering::Kind::unordered);
  const auto d = bus.subscribe(
      created, [](int) {}, {.ordering = gossip::Ordering::per_publisher(), .max_concurrency = 2});
  const auto ordered = bus.topology().subscriptions.back();
  CHECK(ordered.ordering == gossip::Ordering::Kind::per_publisher);
  CHECK(ordered.max_concurrency == 2);
}

struct NoTracing {
  struct Span {
    static gossip::TraceContext context() { return {}; }
    static void end(const gossip::Status&) {}
  };
  [[nodiscard]] Span start(const gossip::SpanStart&) const { return {}; }
};

TEST_CASE("topology: every middleware of gossip's own says its name", "[topology]") {
  EventBus bus{{.workers = 1}};
  std::vector<gossip::Subscription> handles;
  const auto names = [&](auto processor) {
    handles.push_back(bus.subscribe(created, std::move(processor)));
    return bus.topology().subscriptions.back().middleware;
  };
  const auto plain = [](int) {};
  CHECK(names(plain).empty());
  CHECK(names(gossip::circuit_breaker()(plain)) == Names{"circuit_breaker"});
  CHECK(names(gossip::correlate()(plain)) == Names{"correlate"});
  CHECK(names(gossip::dead_letter([](const gossip::DeadLetter&) {})(plain)) ==
        Names{"dead_letter"});
  CHECK(names(gossip::deduplicate()(plain)) == Names{"deduplicate"});
  CHECK(names(gossip::filtered([](int i) { return i > 0; }, plain)) == Names{"filter"});
  CHECK(names(gossip::logging([](const gossip::LogRecord&) {})(plain)) == Names{"logging"});
  CHECK(names(gossip::metrics([](const gossip::CallMetrics&) {})(plain)) == Names{"metrics"});
  CHECK(names(gossip::rate_limit({.rate = 5})(plain)) == Names{"rate_limit"});
  CHECK(names(gossip::recovery()(plain)) == Names{"recovery"});
  CHECK(names(gossip::retry()(plain)) == Names{"retry"});
  CHECK(names(gossip::timeout({.limit = 1s})(plain)) == Names{"timeout"});
  CHECK(names(gossip::trace(NoTracing{})(plain)) == Names{"trace"});
  CHECK(names((gossip::retry() | gossip::recovery() | gossip::correlate())(plain)) ==
        Names{"retry", "recovery", "correlate"});
  gossip::Batch<int> batch{bus, {}, [](std::span<const Event<int>>) {}};
  CHECK(names(batch.processor()) == Names{"batch"});
  gossip::Recorder recorder{{.capacity = 4}};
  CHECK(names(gossip::retry()(recorder.processor())) == Names{"retry", "recorder"});
  handles.push_back(bus.subscribe(
      created, [](int i) { return i > 0; }, plain));
  CHECK(bus.topology().subscriptions.back().middleware == Names{"filter"});
  auto all = bus.subscribe_all({created, deleted}, gossip::recovery()(plain));
  const unsigned line = __LINE__ - 1;
  const auto shared = bus.topology().subscriptions.back();
  CHECK(shared.subscribed_to == "user.deleted");
  CHECK(shared.middleware == Names{"recovery"});
  CHECK(shared.where.line == line);
}

template <class Bus>
concept HasProviderStatistics = requires(const Bus& bus) {
  bus.provider_statistics();
};

/// A provider that counts.
struct CountingProvider : gossip::InMemoryProvider {
  using InMemoryProvider::InMemoryProvider;
  [[nodiscard]] int statistics() const { return 42; }
};

TEST_CASE("provider_statistics: for those that count", "[topology]") {
  EventBus<CountingProvider> bus{{.workers = 1}};
  CHECK(bus.provider_statistics() == 42);
  STATIC_REQUIRE_FALSE(HasProviderStatistics<EventBus<>>);
}

}  // namespace
