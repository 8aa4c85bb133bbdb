// SPDX-License-Identifier: MIT
#include <gossip/provider/in_memory_provider.hpp>
#include <gossip/testing/provider_conformance.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using gossip::BusOptions;
using gossip::EventBus;
using gossip::EventType;
using gossip::EventTypeName;
using gossip::InMemoryProvider;
using gossip::Outgoing;
using gossip::Payload;
using gossip::Status;
using gossip::SteadyTime;
using gossip::StoredPayload;
using gossip::testing::check_provider;
using gossip::testing::Finding;
using gossip::testing::ProviderPromises;
using namespace std::chrono_literals;

namespace {

template <class P>
std::vector<Finding> check(ProviderPromises promises = {}) {
  promises.wait = 200ms;  // a broken one is broken soon enough
  return check_provider(
      [](BusOptions options) { return std::make_unique<EventBus<P>>(std::move(options)); },
      promises);
}

/// Is that promise broken, as it was found?
bool broken(const std::vector<Finding>& findings, std::string_view promise) {
  for (const Finding& finding : findings) {
    if (finding.promise == promise) return !finding.ok() && !finding.what.empty();
  }
  return false;
}

/// An in-memory provider; what is wrong with it is told by `Fault::spoil`.
template <class Fault>
struct Faulty : InMemoryProvider {
  using InMemoryProvider::InMemoryProvider;

  template <class Inbox, Payload T>
  Status publish(Inbox& inbox, Outgoing<T>& event) {
    return fault.template spoil<Inbox, T>(inbox, event);
  }
  Fault fault;
};

struct Drops {
  std::atomic<int> count{0};
  template <class Inbox, Payload T>
  Status spoil(Inbox& inbox, Outgoing<T>& event) {
    return ++count % 7 == 0 ? Status{} : inbox.accept(event);
  }
};

struct Doubles {
  template <class Inbox, Payload T>
  Status spoil(Inbox& inbox, Outgoing<T>& event) {
    StoredPayload<T> copy = event.data;
    gossip::detail::Owner<gossip::detail::EventExtras> none;
    Outgoing<T> second{event.type, event.entry, copy, event.time, none};
    const Status status = inbox.accept(event);
    static_cast<void>(inbox.accept(second));
    return status;
  }
};

struct Strips {
  template <class Inbox, Payload T>
  Status spoil(Inbox& inbox, Outgoing<T>& event) {
    if (event.extras) event.extras.reset(nullptr);
    return inbox.accept(event);
  }
};

struct Changes {
  template <class Inbox, Payload T>
  Status spoil(Inbox& inbox, Outgoing<T>& event) {
    if constexpr (std::is_same_v<T, std::uint64_t>) event.data &= 0xffff'ffffU;
    return inbox.accept(event);
  }
};

struct SaysYesForEver {
  template <class Inbox, Payload T>
  Status spoil(Inbox& inbox, Outgoing<T>& event) {
    static_cast<void>(inbox.accept(event));
    return {};
  }
};

/// A bus whose subscriptions never end.
struct Clinging : EventBus<> {
  using EventBus<>::EventBus;
  struct Handle {
    ~Handle() {}  // NOLINT(modernize-use-equals-default): it does something, for compilers
    void cancel() {}
  };
  template <class T, class F>
  Handle subscribe(const EventType<T>& type, F&& processor) {
    EventBus<>::subscribe(type, std::forward<F>(processor)).detach();
    return {};
  }
};

}  // namespace

TEST_CASE("check_provider: the in-memory provider keeps what it promises", "[testing]") {
  const auto findings = check_provider(
      [](BusOptions options) { return std::make_unique<EventBus<>>(std::move(options)); },
      {.restart = [] {}});
  for (const Finding& finding : findings) {
    INFO(to_string(findings));
    CHECK(finding.ok());
  }
  CHECK(findings.size() == 16);
}

TEST_CASE("check_provider: finds out a provider that drops", "[testing]") {
  const auto findings = check<Faulty<Drops>>();
  CHECK(broken(findings, "every subscriber is told, once"));
  CHECK(broken(findings, "many publishers lose nothing"));
  CHECK(broken(findings, "a full queue loses nothing"));
  CHECK(broken(findings, "a shutdown loses nothing"));
}

TEST_CASE("check_provider: finds out a provider that doubles", "[testing]") {
  const auto findings = check<Faulty<Doubles>>();
  CHECK(broken(findings, "every subscriber is told, once"));
  CHECK(broken(findings, "many publishers lose nothing"));
}

TEST_CASE("check_provider: finds out a provider that changes what it carries", "[testing]") {
  CHECK(broken(check<Faulty<Strips>>(), "id, time and metadata arrive as they were"));
  CHECK(broken(check<Faulty<Changes>>(), "payloads arrive as they were"));
}

TEST_CASE("check_provider: finds out a provider that never says closed", "[testing]") {
  CHECK(broken(check<Faulty<SaysYesForEver>>(), "after a shutdown, publishing says closed"));
}

TEST_CASE("check_provider: finds out who calls after unsubscribing", "[testing]") {
  const auto findings = check_provider(
      [](BusOptions options) { return std::make_unique<Clinging>(std::move(options)); },
      {.wait = 200ms});
  CHECK(broken(findings, "a cancelled processor is not called"));
}

TEST_CASE("check_provider: promises that a provider does not make are broken where asked for",
          "[testing]") {
  const auto findings =
      check<InMemoryProvider>({.every_bus_hears_all = true, .latecomers_hear_all = true});
  CHECK(broken(findings, "every bus hears all"));
  CHECK(broken(findings, "latecomers hear all"));
}
