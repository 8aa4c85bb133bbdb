// SPDX-License-Identifier: MIT
#include <gossip/queue/coalescing.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

using gossip::detail::Coalescing;

namespace {

/// A consumer that takes its values in runs.
struct Consumer {
  /// Takes that many. @return whether it waits before it looks again
  bool takes(std::uint64_t values) { return coalescing.is_due(taken += values); }
  /// @return how many runs of one value it takes until it waits
  std::uint32_t runs_until_it_waits() {
    std::uint32_t runs = 1;
    while (!takes(1)) ++runs;
    return runs;
  }

  Coalescing coalescing;
  std::uint64_t taken = 0;
};

/// A queue that is half full after some looks, and what was asked of it.
struct Watched {
  [[nodiscard]] std::size_t capacity() const { return 64; }
  [[nodiscard]] bool ready(std::uint64_t ahead) const {
    asked.push_back(ahead);
    return asked.size() >= full_at;
  }

  std::size_t full_at;
  mutable std::vector<std::uint64_t> asked;
};

/// Makes the next look at an empty queue one before which it waits.
void make_due(Coalescing& coalescing) {
  for (std::uint32_t run = 1; run < Coalescing::first_patience; ++run) coalescing.is_due(0);
}

}  // namespace

TEST_CASE("Coalescing: it is tried after some short runs", "[queue]") {
  Consumer consumer;
  REQUIRE(consumer.runs_until_it_waits() == Coalescing::first_patience);
}

TEST_CASE("Coalescing: a long run between short ones begins them anew", "[queue]") {
  Consumer consumer;
  for (std::uint32_t run = 1; run < Coalescing::first_patience; ++run) {
    REQUIRE_FALSE(consumer.takes(Coalescing::enough - 1));
  }
  REQUIRE_FALSE(consumer.takes(Coalescing::enough));
  REQUIRE(consumer.runs_until_it_waits() == Coalescing::first_patience);
}

TEST_CASE("Coalescing: it goes on while long runs follow", "[queue]") {
  Consumer consumer;
  consumer.runs_until_it_waits();
  for (int run = 0; run < 100; ++run) REQUIRE(consumer.takes(Coalescing::enough));
  REQUIRE_FALSE(consumer.takes(Coalescing::enough - 1));
}

TEST_CASE("Coalescing: where short runs follow it is tried less and less often, up to a limit",
          "[queue]") {
  Consumer consumer;
  std::uint32_t patience = Coalescing::first_patience;
  REQUIRE(consumer.runs_until_it_waits() == patience);
  for (int trial = 0; trial < 20; ++trial) {
    patience = patience < Coalescing::last_patience ? patience * 2 : patience;
    REQUIRE_FALSE(consumer.takes(1));
    REQUIRE(consumer.runs_until_it_waits() == patience);
  }
  REQUIRE(patience == Coalescing::last_patience);
}

TEST_CASE("Coalescing: after a success it is tried as soon as at first", "[queue]") {
  Consumer consumer;
  consumer.runs_until_it_waits();
  consumer.takes(1);  // in vain
  consumer.runs_until_it_waits();
  REQUIRE(consumer.takes(Coalescing::enough));
  REQUIRE_FALSE(consumer.takes(1));
  REQUIRE(consumer.runs_until_it_waits() == 2 * Coalescing::first_patience);
}

TEST_CASE("Coalescing: it waits until half of the queue is full", "[queue]") {
  Coalescing coalescing;
  make_due(coalescing);
  const Watched queue{.full_at = 1, .asked = {}};
  coalescing.wait(queue, 0);
  REQUIRE(queue.asked == std::vector<std::uint64_t>{queue.capacity() / 2 - 1});
}

TEST_CASE("Coalescing: it does not wait for ever", "[queue]") {
  Coalescing coalescing;
  make_due(coalescing);
  const Watched queue{.full_at = static_cast<std::size_t>(-1), .asked = {}};
  coalescing.wait(queue, 0);
  REQUIRE_FALSE(queue.asked.empty());
}

TEST_CASE("Coalescing: it does not look at the queue where waiting is not worth it", "[queue]") {
  Coalescing coalescing;
  const Watched queue{.full_at = 1, .asked = {}};
  coalescing.wait(queue, 0);
  REQUIRE(queue.asked.empty());
}
