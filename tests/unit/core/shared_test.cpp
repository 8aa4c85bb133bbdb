// SPDX-License-Identifier: MIT
#include <gossip/core/shared.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <thread>
#include <vector>

using gossip::detail::Shared;
using gossip::detail::SharedCount;

namespace {

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }

  SharedCount count;
  int value = 7;
  static inline std::atomic<int> alive{0};
};

}  // namespace

TEST_CASE("Shared: the last holder deletes the object", "[shared]") {
  {
    const Shared<Counted> first{new Counted};
    {
      const Shared<Counted> second = first;
      CHECK(&*second == &*first);
      CHECK(second->value == 7);
    }
    CHECK(Counted::alive == 1);
  }
  CHECK(Counted::alive == 0);
}

TEST_CASE("Shared: assignment lets go of one object and holds the other", "[shared]") {
  Shared<Counted> first{new Counted};
  Shared<Counted> second{new Counted};
  second = first;
  CHECK(Counted::alive == 1);
  const auto& same = second;
  second = same;
  CHECK(Counted::alive == 1);
  CHECK(&*second == &*first);
}

TEST_CASE("Shared: threads may hold and let go at once", "[shared]") {
  for (int round = 0; round < 100; ++round) {
    std::vector<std::thread> threads;
    {
      const Shared<Counted> shared{new Counted};
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back([shared] {
          for (int k = 0; k < 100; ++k) const Shared<Counted> copy = shared;
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
    REQUIRE(Counted::alive == 0);
  }
}
