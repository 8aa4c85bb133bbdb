// SPDX-License-Identifier: MIT
// Batches: every accepted event is processed once, or dead-lettered once, or counted.
#include <gossip/processing/batch.hpp>

#include "stress/load.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

using gossip::Batch;
using gossip::BatchOptions;
using gossip::BatchStatistics;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::OverflowPolicy;
using gossip::Status;
using gossip::test::on_threads;
using gossip::test::scaled;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t adders = 4;

struct Item {
  std::uint32_t adder;
  std::uint32_t number;
};

constexpr gossip::EventType<Item> item{"test.item"};

/// What became of each event.
class Fates {
 public:
  explicit Fates(std::size_t each) : each_{each} {
    for (auto& counts : counts_) counts = std::vector<std::atomic<std::uint8_t>>(each);
  }

  void processed(std::span<const Event<Item>> events) { count(events, 1); }
  void dead(std::span<const Event<Item>> events) { count(events, 16); }

  /// How many events met that fate.
  [[nodiscard]] std::size_t with(std::uint8_t fate) const {
    std::size_t sum = 0;
    for (const auto& counts : counts_) {
      for (const auto& count : counts) sum += count.load() == fate ? 1 : 0;
    }
    return sum;
  }
  /// True if each adder's events were processed in the order in which it added them. For one flush.
  [[nodiscard]] bool in_order() const { return in_order_; }
  [[nodiscard]] std::size_t each() const { return each_; }
  [[nodiscard]] std::size_t none() const { return with(0); }
  [[nodiscard]] std::size_t processed_once() const { return with(1); }
  [[nodiscard]] std::size_t dead_once() const { return with(16); }

 private:
  void count(std::span<const Event<Item>> events, int fate) {
    for (const Event<Item>& event : events) {
      const Item& one = event.data();
      counts_[one.adder][one.number].fetch_add(static_cast<std::uint8_t>(fate));
      auto& last = last_[one.adder];
      if (last.exchange(one.number + 1) > one.number) in_order_ = false;
    }
  }

  const std::size_t each_;
  std::array<std::vector<std::atomic<std::uint8_t>>, adders> counts_;
  std::array<std::atomic<std::uint32_t>, adders> last_{};
  std::atomic<bool> in_order_{true};
};

struct Answers {
  void count(const Status& status) {
    ++(status.ok() ? ok : status == Errc::queue_full ? full : closed);
  }

  std::atomic<std::size_t> ok{0};
  std::atomic<std::size_t> full{0};
  std::atomic<std::size_t> closed{0};
  std::atomic<std::size_t> most_pending{0};
};

/// Adds from all threads at once; one of them flushes now and then, another one looks what waits.
void add_all(Batch<Item>& batch, const Fates& fates, Answers& answers) {
  on_threads(adders, [&](std::size_t adder) {
    for (std::uint32_t number = 0; number < fates.each(); ++number) {
      answers.count(batch.add(Item{static_cast<std::uint32_t>(adder), number}));
      if (adder == 0 && number % 97 == 0) batch.flush_for(1us);
      if (adder == 1 && number % 1'000 == 0) batch.flush();
      if (adder == 2 && number % 8 == 0) {
        answers.most_pending = std::max(answers.most_pending.load(), batch.stats().pending);
      }
    }
  });
}

void check(const BatchStatistics& stats, const Fates& fates, const Answers& answers) {
  CHECK(stats.pending == 0);
  CHECK(stats.accepted + stats.dropped_newest == answers.ok);
  CHECK(stats.rejected == answers.full);
  CHECK(stats.refused_closed == answers.closed);
  CHECK(stats.processed == fates.processed_once());
  CHECK(stats.dead_lettered == fates.dead_once());
  CHECK(stats.accepted == stats.processed + stats.dead_lettered + stats.discarded +
                              stats.dead_letter_failed + stats.dropped_oldest);
  CHECK(fates.none() + fates.processed_once() + fates.dead_once() == adders * fates.each());
  CHECK(fates.none() == stats.dropped_oldest + stats.dropped_newest + stats.rejected +
                            stats.refused_closed + stats.discarded);
}

}  // namespace

TEST_CASE("stress: batches conserve events under every overflow policy", "[batch]") {
  const auto overflow = GENERATE(OverflowPolicy::block, OverflowPolicy::reject,
                                 OverflowPolicy::drop_oldest, OverflowPolicy::drop_newest);
  const auto flushes = GENERATE(std::size_t{1}, std::size_t{3});
  const auto period = GENERATE(0ns, 50'000ns);
  Fates fates{scaled(40'000)};
  Answers answers;
  std::atomic<unsigned> inside{0};
  std::atomic<bool> too_many{false};
  Batch<Item> batch{{.size = 7,
                     .period = period,
                     .max_pending = 20,
                     .overflow = overflow,
                     .max_concurrent_flushes = flushes},
                    [&](std::span<const Event<Item>> events) {
                      if (++inside > flushes) too_many = true;
                      fates.processed(events);
                      --inside;
                    }};
  add_all(batch, fates, answers);
  REQUIRE(batch.close());
  check(batch.stats(), fates, answers);
  CHECK_FALSE(too_many);
  CHECK(answers.most_pending <= 20 + flushes * 7);
  if (flushes == 1) CHECK(fates.in_order());
  if (overflow == OverflowPolicy::block) CHECK(fates.none() == 0);
}

TEST_CASE("stress: batches that fail are tried again, then dead-lettered", "[batch]") {
  const auto flushes = GENERATE(std::size_t{1}, std::size_t{3});
  Fates fates{scaled(20'000)};
  Answers answers;
  std::atomic<std::uint32_t> calls{0};
  Batch<Item> batch{{.size = 10,
                     .period = 100us,
                     .max_concurrent_flushes = flushes,
                     .retry = {.max_attempts = 3, .initial_delay = 1us},
                     .dead_letter = [&](std::span<const Event<Item>> events,
                                        const Status&) { fates.dead(events); }},
                    [&](std::span<const Event<Item>> events, Context& context) -> Status {
                      const std::uint32_t call = ++calls;
                      if (call % 5 == 0) return Errc::retryable;
                      if (call % 7 == 0) throw std::runtime_error{"broken"};
                      if (call % 31 == 0) return Errc::fatal;
                      if (events[0].data().number % 64 == context.attempt()) return Errc::timeout;
                      fates.processed(events);
                      return {};
                    }};
  add_all(batch, fates, answers);
  REQUIRE(batch.close());
  check(batch.stats(), fates, answers);
  CHECK(fates.none() == 0);
  CHECK(batch.stats().retried > 0);
  CHECK(fates.dead_once() > 0);
  CHECK(answers.most_pending <= (8 + flushes) * 10);
  if (flushes == 1) CHECK(fates.in_order());
}

TEST_CASE("stress: closing a batch races with adders", "[batch]") {
  const auto overflow = GENERATE(OverflowPolicy::block, OverflowPolicy::drop_oldest);
  const auto timeout = GENERATE(0ns, 30'000'000'000ns);
  for (std::size_t round = 0; round < scaled(200); ++round) {
    Fates fates{500};
    Answers answers;
    std::atomic<std::uint32_t> calls{0};
    std::atomic<std::size_t> adding{adders};
    auto batch = std::make_unique<Batch<Item>>(
        BatchOptions<Item>{.size = 5,
                           .period = 10us,
                           .max_pending = 10,
                           .overflow = overflow,
                           .max_concurrent_flushes = 1 + round % 2,
                           .retry = {.max_attempts = 2, .initial_delay = 1h, .max_delay = 1h},
                           .dead_letter = [&](std::span<const Event<Item>> events,
                                              const Status&) { fates.dead(events); }},
        [&](std::span<const Event<Item>> events) -> Status {
          if (++calls % 100 == 0) return Errc::retryable;  // nothing but close() ends its delay
          fates.processed(events);
          return {};
        });
    std::vector<std::thread> closers;
    for (int i = 0; i < 2; ++i) {
      closers.emplace_back([&] {
        while (calls.load() < 20 + round % 50 && adding != 0) std::this_thread::yield();
        batch->close(timeout);
      });
    }
    on_threads(adders, [&, add = batch->processor()](std::size_t adder) {
      for (std::uint32_t number = 0; number < fates.each(); ++number) {
        const Event<Item> event{item, Item{static_cast<std::uint32_t>(adder), number}};
        answers.count(add(event));
      }
      --adding;
    });
    for (std::thread& closer : closers) closer.join();
    const BatchStatistics stats = batch->stats();
    batch.reset();
    REQUIRE(stats.pending == 0);
    REQUIRE(stats.accepted == answers.ok);
    REQUIRE(stats.refused_closed == answers.closed);
    REQUIRE(answers.full == 0);
    REQUIRE(stats.processed == fates.processed_once());
    REQUIRE(stats.dead_lettered == fates.dead_once());
    REQUIRE(stats.accepted == stats.processed + stats.dead_lettered + stats.dropped_oldest);
    REQUIRE(fates.none() == stats.dropped_oldest + stats.refused_closed);
  }
}
