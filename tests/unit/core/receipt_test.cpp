// SPDX-License-Identifier: MIT
#include <gossip/core/event.hpp>
#include <gossip/core/receipt.hpp>
#include <gossip/gossip.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using gossip::Receipt;
using gossip::ReceiptState;

namespace {

/// How often receipts of its making were settled.
struct Ledger {
  std::atomic<int> settled{0};
  std::atomic<int> failed{0};

  Receipt receipt() {
    struct State : ReceiptState {
      explicit State(Ledger& in) : ReceiptState{&settle_in_ledger}, ledger{in} {}
      static void settle_in_ledger(ReceiptState* state) noexcept {
        const std::unique_ptr<State> self{static_cast<State*>(state)};
        ++self->ledger.settled;
        if (self->failed) ++self->ledger.failed;
      }
      Ledger& ledger;
    };
    return Receipt{new State{*this}};
  }
};

/// Gives every event a receipt, as a provider does that receives from a network.
struct ReceiptProvider : gossip::InMemoryProvider {
  struct Options {
    Ledger* ledger = nullptr;
  };
  explicit ReceiptProvider(const Options& options)
      : gossip::InMemoryProvider{{}}, ledger{options.ledger} {}

  template <class Inbox, gossip::Payload T>
  gossip::Status publish(Inbox& inbox, gossip::Outgoing<T>& event) {
    if (!event.extras) event.extras.reset(new gossip::detail::EventExtras);
    event.extras->receipt = ledger->receipt();
    return inbox.accept(event);
  }

  Ledger* ledger;
};
using ReceiptBus = gossip::EventBus<ReceiptProvider>;

constexpr gossip::EventType<int> number{"receipt.number"};
constexpr gossip::EventType<void> blocked{"receipt.blocked"};

/// Keeps the bus's only worker busy while it lives.
struct Blockade {
  explicit Blockade(ReceiptBus& bus)
      : subscription{bus.subscribe(blocked, [this] {
          entered.open();
          over.wait();
        })} {
    REQUIRE(bus.publish(blocked).ok());
    REQUIRE(entered.wait());
  }
  ~Blockade() { over.open(); }
  Blockade(const Blockade&) = delete;
  Blockade& operator=(const Blockade&) = delete;

  gossip::test::Door entered;
  gossip::test::Door over;
  gossip::Subscription subscription;
};

}  // namespace

TEST_CASE("Receipt: it is settled when its last holder is gone", "[core]") {
  Ledger ledger;
  {
    const Receipt first = ledger.receipt();
    {
      const Receipt second = first;
      REQUIRE(second);
    }
    REQUIRE(ledger.settled == 0);
  }
  REQUIRE(ledger.settled == 1);
  REQUIRE(ledger.failed == 0);
}

TEST_CASE("Receipt: moving hands the hold over", "[core]") {
  Ledger ledger;
  Receipt first = ledger.receipt();
  Receipt second = std::move(first);
  REQUIRE_FALSE(first);  // NOLINT(bugprone-use-after-move)
  first = Receipt{};
  REQUIRE(ledger.settled == 0);
  second = Receipt{};
  REQUIRE(ledger.settled == 1);
}

TEST_CASE("Receipt: one failure among the holders is told", "[core]") {
  Ledger ledger;
  {
    const Receipt first = ledger.receipt();
    const Receipt second = first;
    second.fail();
  }
  REQUIRE(ledger.failed == 1);
  Receipt{}.fail();  // nobody to tell
}

TEST_CASE("Receipt: copies of an event do not hold it", "[core]") {
  Ledger ledger;
  auto event = std::make_unique<gossip::Event<int>>(number, 1);
  gossip::detail::EventAccess::header(*event).receipt = ledger.receipt();
  const gossip::Event<int> copy = *event;
  event.reset();
  REQUIRE(ledger.settled == 1);
  REQUIRE(copy.data() == 1);
}

TEST_CASE("Receipt: holders in many threads settle it once", "[core]") {
  Ledger ledger;
  Receipt receipt = ledger.receipt();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([receipt, i] {
      for (int k = 0; k < 1000; ++k) Receipt copy = receipt;
      if (i == 2) receipt.fail();
    });
  }
  receipt = Receipt{};
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  REQUIRE(ledger.settled == 1);
  REQUIRE(ledger.failed == 1);
}

TEST_CASE("Receipt: events that are dropped unhandled have failed", "[core]") {
  Ledger ledger;
  int handled = 0;
  const auto count = [&](const int&) { ++handled; };

  SECTION("by an overflow policy") {
    const auto policy =
        GENERATE(gossip::OverflowPolicy::drop_newest, gossip::OverflowPolicy::drop_oldest);
    ReceiptBus bus{{.workers = 1, .capacity = 2, .overflow = policy}, {&ledger}};
    const auto subscription = bus.subscribe(number, count);
    {
      const Blockade blockade{bus};
      for (int i = 0; i < 5; ++i) REQUIRE(bus.publish(number, i).ok());
    }
    REQUIRE(bus.drain());
    REQUIRE(handled == 2);
    REQUIRE(ledger.failed == 3);
  }
  SECTION("since the subscription ends while they wait in its lane") {
    ReceiptBus bus{{.workers = 1}, {&ledger}};
    auto subscription =
        bus.subscribe(number, count, {.ordering = gossip::Ordering::per_publisher()});
    {
      const Blockade blockade{bus};
      for (int i = 0; i < 4; ++i) REQUIRE(bus.publish(number, i).ok());
      subscription.cancel();
    }
    REQUIRE(bus.drain());
    REQUIRE(handled == 0);
    REQUIRE(ledger.failed == 4);
  }
  SECTION("since the subscription ends while another attempt is pending") {
    ReceiptBus bus{{.workers = 1}, {&ledger}};
    gossip::test::Door deferred;
    auto subscription = bus.subscribe(
        number, [&](const gossip::Event<int>&, gossip::Context& context) -> gossip::Status {
          if (context.defer(std::chrono::milliseconds{1})) deferred.open();
          return gossip::Errc::retryable;
        });
    REQUIRE(bus.publish(number, 1).ok());
    REQUIRE(deferred.wait());
    subscription.cancel();
    REQUIRE(bus.drain());
    REQUIRE(ledger.failed == 1);
  }
}
