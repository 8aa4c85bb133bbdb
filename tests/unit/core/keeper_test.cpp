// SPDX-License-Identifier: MIT
#include <gossip/core/keeper.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

using gossip::detail::Keeper;
using gossip::detail::KeeperOf;
using gossip::detail::Kept;

namespace {

struct Counted : Kept {
  Counted() : Kept{[](Kept* self) noexcept { delete static_cast<Counted*>(self); }} { ++alive; }
  ~Counted() { --alive; }

  int value = 7;
  static inline std::atomic<int> alive{0};
};

}  // namespace

TEST_CASE("Keeper: the last one deletes what they hold", "[keeper]") {
  {
    Keeper outer;
    {
      const KeeperOf<Counted> first{new Counted};
      CHECK(first->value == 7);
      outer = first;
      CHECK(&*outer == &*first);
    }
    CHECK(Counted::alive == 1);
  }
  CHECK(Counted::alive == 0);
}

TEST_CASE("Keeper: one that holds nothing", "[keeper]") {
  Keeper none;
  CHECK_FALSE(none);
  const Keeper copy{none};
  CHECK_FALSE(copy);
  none = KeeperOf<Counted>{new Counted};
  CHECK(none);
  Keeper moved{std::move(none)};
  CHECK_FALSE(none);  // NOLINT(bugprone-use-after-move)
  CHECK(Counted::alive == 1);
  const Keeper& same = moved;
  moved = same;
  CHECK(Counted::alive == 1);
  moved = std::move(const_cast<Keeper&>(same));
  CHECK(moved);
  CHECK(Counted::alive == 1);
  moved = nullptr;
  CHECK(Counted::alive == 0);
}

TEST_CASE("Keeper: threads may hold and let go at once", "[keeper]") {
  for (int round = 0; round < 100; ++round) {
    std::vector<std::thread> threads;
    {
      const KeeperOf<Counted> keeper{new Counted};
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back([keeper] {
          for (int k = 0; k < 100; ++k) const Keeper copy = keeper;
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(Counted::alive == 0);
  }
}

TEST_CASE("Keeper: whoever deletes sees what all holders did", "[keeper]") {
  // Each holder writes a number of its own without more ado: ThreadSanitizer tells if the count does
  // not bring them before the sum.
  struct Summed : Kept {
    explicit Summed(std::atomic<int>& into)
        : Kept{[](Kept* self) noexcept { delete static_cast<Summed*>(self); }}, sum{into} {}
    ~Summed() {
      for (const int number : numbers) sum += number;
    }

    std::array<int, 4> numbers{};
    std::atomic<int>& sum;
  };
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  {
    const KeeperOf<Summed> keeper{new Summed{sum}};
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back([keeper, i] { keeper->numbers[i] = 1 << i; });
    }
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(sum == 15);
}
