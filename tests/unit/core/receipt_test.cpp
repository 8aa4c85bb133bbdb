// SPDX-License-Identifier: MIT
#include <gossip/core/event.hpp>
#include <gossip/core/receipt.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
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
  constexpr gossip::EventType<int> number{"receipt.number"};
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
