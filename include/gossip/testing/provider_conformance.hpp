// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// check_provider: does a provider keep what providers promise? For whoever writes one. Layer: testing.

#include <gossip/bus/event_bus.hpp>
#include <gossip/core/errc.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/status.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/testing/provider_promises.hpp>
#include <gossip/testing/wait.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace gossip::testing {

/// The checks of check_provider(), one member each; they throw what is wrong as a std::runtime_error.
/// @tparam MakeBus  called with BusOptions, gives a std::unique_ptr of a bus
template <class MakeBus>
class ProviderCheck {
 public:
  /// @param make_bus  outlives the check
  /// @param promises  what to look at
  ProviderCheck(MakeBus& make_bus, const ProviderPromises& promises)
      : make_bus_{make_bus}, promises_{promises} {}

  /// Runs all of them. @throws std::bad_alloc
  [[nodiscard]] std::vector<Finding> run() {
    const bool restarts = static_cast<bool>(promises_.restart);
    check("every subscriber is told, once", true, &ProviderCheck::every_subscriber);
    check("payloads arrive as they were", true, &ProviderCheck::payloads);
    check("id, time and metadata arrive as they were", true, &ProviderCheck::headers);
    check("types do not mix", true, &ProviderCheck::types);
    check("many publishers lose nothing", true, &ProviderCheck::many_publishers);
    check("one publisher's order, with one worker", true, &ProviderCheck::order);
    check("a cancelled processor is not called", true, &ProviderCheck::cancelled);
    check("who subscribes again is told again", true, &ProviderCheck::again);
    check("failures reach the error handler", true, &ProviderCheck::failures);
    check("after a shutdown, publishing says closed", true, &ProviderCheck::closed);
    check("a full queue loses nothing", promises_.full_queue_loses_nothing,
          &ProviderCheck::full_queue);
    check("a shutdown loses nothing", promises_.shutdown_loses_nothing, &ProviderCheck::shutdown);
    check("every bus hears all", promises_.every_bus_hears_all, &ProviderCheck::every_bus);
    check("buses share the events", promises_.buses_share, &ProviderCheck::share);
    check("latecomers hear all", promises_.latecomers_hear_all, &ProviderCheck::latecomers);
    check("it goes on after a restart", restarts, &ProviderCheck::restart);
    return std::move(findings_);
  }

 private:
  using Type = EventType<std::uint64_t>;

  void check(std::string_view promise, bool promised, void (ProviderCheck::*look)()) {
    Finding finding{promise, Finding::Verdict::not_promised, {}};
    if (promised) {
      try {
        (this->*look)();
        finding.verdict = Finding::Verdict::kept;
      } catch (const std::exception& error) {
        finding.verdict = Finding::Verdict::broken;
        finding.what = error.what();
      }
    }
    findings_.push_back(std::move(finding));
  }

  // ---- Tools ----------------------------------------------------------------------------------

  [[noreturn]] static void broken(std::string what) { throw std::runtime_error{what}; }
  static void expect(bool holds, const char* what) {
    if (!holds) broken(what);
  }
  template <class Bus>
  static void publish(Bus& bus, const Type& type, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number <= last; ++number) {
      bus.publish(type, std::uint64_t{number}).throw_if_error();
    }
  }
  void expect_distinct(const Seen& seen, std::size_t count) const {
    if (!wait_for([&] { return seen.distinct() >= count; }, promises_.wait)) {
      broken(std::to_string(seen.distinct()) + " of " + std::to_string(count) + " events");
    }
  }
  static void expect_no_more(const Seen& seen, std::size_t count) {
    if (seen.calls() != count) {
      broken(std::to_string(seen.calls()) + " calls for " + std::to_string(count) + " events");
    }
  }
  auto one_worker() { return make_bus_(BusOptions{.workers = 1}); }

  // ---- What all promise -----------------------------------------------------------------------

  void every_subscriber() {
    static const Type type = Type::parse("conformance.every_subscriber");
    auto bus = one_worker();
    const auto first = std::make_shared<Seen>();
    const auto second = std::make_shared<Seen>();
    auto a = bus->subscribe(type, Seen::teller(first));
    auto b = bus->subscribe(type, Seen::teller(second));
    publish(*bus, type, 1, 51);  // the last one comes behind all others: there is one worker
    for (const auto& seen : {first, second}) {
      expect_distinct(*seen, 51);
      expect(bus->drain_for(promises_.wait), "drain");
      expect_no_more(*seen, 51);
    }
  }

  void payloads() {
    static const Type type = Type::parse("conformance.payloads");
    auto bus = one_worker();
    const auto seen = std::make_shared<Seen>();
    auto subscription = bus->subscribe(type, Seen::teller(seen));
    for (const std::uint64_t number :
         {std::uint64_t{0}, std::uint64_t{1} << 53U, std::numeric_limits<std::uint64_t>::max()}) {
      bus->publish(type, std::uint64_t{number}).throw_if_error();
      expect(wait_for([&] { return seen->has(number); }, promises_.wait),
             "a payload has changed, or did not come");
    }
  }

  void headers() {
    static const Type type = Type::parse("conformance.headers");
    auto bus = one_worker();
    struct Got {
      std::atomic<bool> here{false};
      EventId id;
      Timestamp time;
      Metadata metadata;
    };
    const auto got = std::make_shared<Got>();
    auto subscription = bus->subscribe(type, [got](const Event<std::uint64_t>& event) {
      if (got->here) return;
      got->id = event.id();
      got->time = event.timestamp();
      got->metadata = event.metadata();
      got->here = true;
    });
    Event<std::uint64_t> event{type, 1};
    event.with_metadata("tenant", "blue").with_metadata("count", 5).with_metadata("share", 0.25);
    const EventId id = event.id();
    const Timestamp time = event.timestamp();
    const Metadata metadata = event.metadata();
    bus->publish(std::move(event)).throw_if_error();
    expect(wait_for([&] { return got->here.load(); }, promises_.wait), "the event did not come");
    expect(got->id == id, "another id");
    expect(got->time == time, "another time");
    expect(got->metadata == metadata, "other metadata");
  }

  void types() {
    static const Type one = Type::parse("conformance.types.one");
    static const Type other = Type::parse("conformance.types.other");
    auto bus = one_worker();
    const auto seen = std::make_shared<Seen>();
    const auto others = std::make_shared<Seen>();
    auto a = bus->subscribe(one, Seen::teller(seen));
    auto b = bus->subscribe(other, Seen::teller(others));
    for (std::uint64_t i = 0; i < 20; ++i) {
      publish(*bus, one, i, i);
      publish(*bus, other, 100 + i, 100 + i);
    }
    expect_distinct(*seen, 20);
    expect_distinct(*others, 20);
    expect(!seen->has(100) && !others->has(0), "an event reached another type's processor");
  }

  void many_publishers() {
    static const Type type = Type::parse("conformance.many_publishers");
    auto bus = make_bus_(BusOptions{.workers = 2});
    const auto seen = std::make_shared<Seen>();
    auto subscription = bus->subscribe(type, Seen::teller(seen));
    std::atomic<int> refused{0};
    std::vector<std::thread> publishers;
    for (std::uint64_t t = 0; t < 4; ++t) {
      publishers.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < 200; ++i) {
          if (!bus->publish(type, t * 1000 + i).ok()) ++refused;
        }
      });
    }
    for (std::thread& publisher : publishers) publisher.join();
    expect(refused == 0, "publishing failed");
    expect(bus->flush(promises_.wait).ok(), "flush");
    expect_distinct(*seen, 800);
    expect_no_more(*seen, 800);
  }

  void order() {
    static const Type type = Type::parse("conformance.order");
    auto bus = one_worker();
    const auto seen = std::make_shared<Seen>();
    auto subscription = bus->subscribe(type, Seen::teller(seen));
    publish(*bus, type, 1, 500);
    expect_distinct(*seen, 500);
    expect(seen->in_order(), "events came in another order");
  }

  void cancelled() {
    static const Type type = Type::parse("conformance.cancelled");
    auto bus = one_worker();
    const auto seen = std::make_shared<Seen>();
    const auto witness = std::make_shared<Seen>();
    auto subscription = bus->subscribe(type, Seen::teller(seen));
    auto other = bus->subscribe(type, Seen::teller(witness));
    publish(*bus, type, 1, 10);
    expect_distinct(*seen, 10);
    subscription.cancel();
    const std::size_t before = seen->calls();
    publish(*bus, type, 11, 20);
    expect_distinct(*witness, 20);
    expect(bus->drain_for(promises_.wait), "drain");
    expect(seen->calls() == before, "a processor was called after cancel() had returned");
  }

  void again() {
    static const Type type = Type::parse("conformance.again");
    auto bus = one_worker();
    for (std::uint64_t round = 1; round <= 5; ++round) {
      const auto seen = std::make_shared<Seen>();
      auto subscription = bus->subscribe(type, Seen::teller(seen));
      publish(*bus, type, round, round);
      expect(wait_for([&] { return seen->has(round); }, promises_.wait),
             "a new subscription was told nothing");
    }
  }

  void failures() {
    static const Type type = Type::parse("conformance.failures");
    struct Told {
      std::mutex mutex;
      std::string type;
      EventId id;
    };
    const auto told = std::make_shared<Told>();
    auto bus = make_bus_(BusOptions{.workers = 1, .on_error = [told](const ErrorReport& report) {
                                      const std::lock_guard lock{told->mutex};
                                      told->type = report.event_type;
                                      told->id = report.event_id;
                                    }});
    auto subscription =
        bus->subscribe(type, [](const std::uint64_t&) { throw std::runtime_error{"on purpose"}; });
    Event<std::uint64_t> event{type, 1};
    const EventId id = event.id();
    bus->publish(std::move(event)).throw_if_error();
    const auto reported = [&] {
      const std::lock_guard lock{told->mutex};
      return told->id == id && told->type == type.name();
    };
    expect(wait_for(reported, promises_.wait), "no report with that type and that id");
  }

  void closed() {
    static const Type type = Type::parse("conformance.closed");
    auto bus = one_worker();
    publish(*bus, type, 1, 1);
    static_cast<void>(bus->shutdown(promises_.wait));
    expect(bus->publish(type, std::uint64_t{2}) == Errc::closed, "another answer");
  }

  // ---- What some promise ----------------------------------------------------------------------

  void full_queue() {
    static const Type type = Type::parse("conformance.full_queue");
    auto bus = make_bus_(BusOptions{.workers = 1, .capacity = 4});
    const auto seen = std::make_shared<Seen>();
    const auto open = std::make_shared<std::atomic<bool>>(false);
    auto subscription = bus->subscribe(type, [seen, open](const std::uint64_t& number) {
      while (!*open) std::this_thread::yield();
      seen->add(number);
    });
    std::atomic<std::size_t> accepted{0};
    std::thread publisher{[&] {
      for (std::uint64_t i = 0; i < 100; ++i) accepted += bus->publish(type, i).ok() ? 1 : 0;
    }};
    // Until the queue is full: then publishing stops, or all has gone to the provider.
    static_cast<void>(
        wait_for([&] { return accepted.load() == 100; }, std::chrono::milliseconds{100}));
    static_cast<void>(bus->flush(std::chrono::milliseconds{100}));
    *open = true;
    publisher.join();
    expect_distinct(*seen, accepted.load());
  }

  void shutdown() {
    static const Type type = Type::parse("conformance.shutdown");
    const auto seen = std::make_shared<Seen>();
    {
      auto bus = one_worker();
      auto subscription = bus->subscribe(type, Seen::teller(seen));
      publish(*bus, type, 1, 200);
      static_cast<void>(bus->shutdown(promises_.wait));
    }
    auto next = one_worker();
    auto subscription = next->subscribe(type, Seen::teller(seen));
    expect_distinct(*seen, 200);
  }

  void every_bus() {
    static const Type type = Type::parse("conformance.every_bus");
    auto one = one_worker();
    auto other = one_worker();
    const auto seen = std::make_shared<Seen>();
    const auto others = std::make_shared<Seen>();
    auto a = one->subscribe(type, Seen::teller(seen));
    auto b = other->subscribe(type, Seen::teller(others));
    publish(*one, type, 1, 50);
    publish(*other, type, 51, 100);
    expect_distinct(*seen, 100);
    expect_distinct(*others, 100);
    expect_no_more(*seen, 100);
    expect_no_more(*others, 100);
  }

  void share() {
    static const Type type = Type::parse("conformance.share");
    auto one = one_worker();
    auto other = one_worker();
    const auto seen = std::make_shared<Seen>();
    auto a = one->subscribe(type, Seen::teller(seen));
    auto b = other->subscribe(type, Seen::teller(seen));
    publish(*one, type, 1, 200);
    expect_distinct(*seen, 200);
    expect(one->drain_for(promises_.wait) && other->drain_for(promises_.wait), "drain");
    expect_no_more(*seen, 200);
  }

  void latecomers() {
    static const Type type = Type::parse("conformance.latecomers");
    auto one = one_worker();
    publish(*one, type, 1, 20);
    expect(one->flush(promises_.wait).ok(), "flush");
    auto late = one_worker();
    const auto seen = std::make_shared<Seen>();
    auto subscription = late->subscribe(type, Seen::teller(seen));
    expect_distinct(*seen, 20);
  }

  void restart() {
    static const Type type = Type::parse("conformance.restart");
    auto bus = one_worker();
    const auto seen = std::make_shared<Seen>();
    auto subscription = bus->subscribe(type, Seen::teller(seen));
    publish(*bus, type, 1, 10);
    expect_distinct(*seen, 10);
    promises_.restart();
    // Who is not back yet may miss some: one that comes is enough.
    std::uint64_t number = 11;
    const auto goes_on = [&] {
      publish(*bus, type, number, number);
      ++number;
      static_cast<void>(bus->flush(std::chrono::milliseconds{10}));
      return seen->distinct() > 10;
    };
    expect(wait_for(goes_on, promises_.wait), "nothing came after the restart");
  }

  MakeBus& make_bus_;
  const ProviderPromises& promises_;
  std::vector<Finding> findings_;
};

/// Looks at a provider from outside: what does a bus with it do?
/// @param make_bus  called with BusOptions, gives a std::unique_ptr of a new bus. All of one run's buses
///                  talk to the same place, which knows nothing of an earlier run. The payloads are
///                  std::uint64_t; the event types begin with "conformance."
/// @param promises  what to look at beyond what all providers promise
/// @return          a finding for each promise, always in the same order
/// @throws          std::bad_alloc; what goes wrong within a check is its finding
/// @par Blocking    until all is seen, or has not come within ProviderPromises::wait
template <class MakeBus>
  requires std::invocable<MakeBus&, BusOptions>
[[nodiscard]] std::vector<Finding> check_provider(MakeBus&& make_bus,
                                                  const ProviderPromises& promises = {}) {
  return ProviderCheck<std::remove_reference_t<MakeBus>>{make_bus, promises}.run();
}

}  // namespace gossip::testing
