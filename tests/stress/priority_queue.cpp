// SPDX-License-Identifier: MIT
// PriorityQueue between many threads.
#include <gossip/queue/priority_queue.hpp>

#include "stress/load.hpp"
#include "support/throwing_payload.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using gossip::Errc;
using gossip::Priority;
using gossip::PriorityQueue;
using gossip::PriorityQueueOptions;
using gossip::test::on_threads;
using gossip::test::repeat;
using gossip::test::scaled;

namespace {

constexpr Priority priorities[] = {Priority::high, Priority::normal, Priority::low};

/// Moves it can fail: every 97th of all.
class Fragile {
 public:
  explicit Fragile(std::size_t from, std::size_t which) : pusher{from}, number{which} {}
  Fragile(Fragile&& other) : pusher{other.pusher}, number{other.number} {
    if (moves.fetch_add(1) % 97 == 96) throw std::runtime_error{"fragile"};
    other.number = gone;
  }
  Fragile& operator=(Fragile&&) = delete;
  ~Fragile() = default;

  static constexpr std::size_t gone = static_cast<std::size_t>(-1);
  static inline std::atomic<std::size_t> moves{0};
  std::size_t pusher;
  std::size_t number;
};

struct Plain {
  Plain(std::size_t from, std::size_t which) : pusher{from}, number{which} {}
  std::size_t pusher;
  std::size_t number;
};

/// Moves it by code of its own, which must not run under the lock.
struct Boxed : Plain {
  using Plain::Plain;
  std::unique_ptr<int> box = std::make_unique<int>(1);
};

/// Calls `act()` until it does not fail.
template <class Act>
auto insist(Act&& act) {
  for (;;) {
    try {
      return act();
    } catch (const std::runtime_error&) {
    }
  }
}

/// Each pusher numbers what it pushes, by priority; each popper must find the numbers of one pusher
/// and priority rising, and together they must find each number once.
template <class T>
void pass_all(std::size_t pushers, std::size_t poppers, std::size_t capacity, std::size_t each) {
  PriorityQueue<T> queue{{.capacity = capacity}};
  std::vector<std::vector<std::atomic<unsigned>>> seen(3);
  for (auto& lane : seen) lane = std::vector<std::atomic<unsigned>>(pushers * each);
  std::atomic<std::size_t> left{pushers};
  std::atomic<std::size_t> disordered{0};
  std::atomic<std::size_t> popped{0};
  on_threads(pushers + poppers, [&](std::size_t self) {
    if (self < pushers) {
      for (std::size_t i = 0; i < each; ++i) {
        for (std::size_t lane = 0; lane < 3; ++lane) {
          T value{self * 3 + lane, i};
          const bool pushed = insist([&] {
            switch ((self + i) % 3) {
              case 0: return queue.push(std::move(value), priorities[lane]).ok();
              case 1:
                return queue.push_for(std::move(value), gossip::test::patience, priorities[lane])
                    .ok();
              default:
                for (;;) {
                  const gossip::Status status = queue.try_push(std::move(value), priorities[lane]);
                  if (status == Errc::queue_full) {
                    std::this_thread::yield();
                    continue;
                  }
                  return status.ok();
                }
            }
          });
          if (!pushed) std::abort();
        }
      }
      if (--left == 0) queue.close();
      return;
    }
    std::vector<std::size_t> next(pushers * 3, 0);
    for (std::size_t i = 0;; ++i) {
      // Only prvalues: a move of our own could fail, and would lose the element.
      const std::optional<T> value = insist([&] {
        if (i % 3 == 1) return queue.try_pop();
        if (i % 3 == 2) return queue.pop_for(std::chrono::microseconds{10});
        return queue.pop();
      });
      if (!value && i % 3 == 0) break;  // only pop finds nothing at the end alone
      if (!value) continue;
      ++popped;
      ++seen[value->pusher % 3][value->pusher / 3 * each + value->number];
      if (value->number < next[value->pusher]) ++disordered;
      next[value->pusher] = value->number + 1;
    }
  });
  std::size_t not_once = 0;
  for (const auto& lane : seen) {
    for (const auto& count : lane) not_once += count.load() == 1 ? 0 : 1;
  }
  REQUIRE(popped.load() == pushers * each * 3);
  REQUIRE(not_once == 0);
  REQUIRE(queue.empty());
  // A popper that fails puts its element back, behind which another popper may have been.
  if constexpr (std::is_nothrow_move_constructible_v<T>) REQUIRE(disordered.load() == 0);
}

}  // namespace

TEST_CASE("stress: a priority queue conserves elements and the order of each priority",
          "[stress]") {
  repeat(60, [] {
    pass_all<Plain>(1, 1, 4, 300);
    pass_all<Plain>(2, 2, 1, 300);
    pass_all<Plain>(4, 1, 16, 300);
    pass_all<Plain>(1, 4, 16, 300);
    pass_all<Boxed>(4, 4, 16, 300);
    pass_all<Boxed>(1, 2, 2, 300);
    pass_all<Plain>(4, 4, PriorityQueueOptions::unbounded, 300);
  });
}

TEST_CASE("stress: a priority queue loses nothing whose moves fail", "[stress]") {
  repeat(60, [] {
    pass_all<Fragile>(1, 1, 4, 300);
    pass_all<Fragile>(3, 3, 2, 300);
    pass_all<Fragile>(4, 4, PriorityQueueOptions::unbounded, 300);
  });
}

TEST_CASE("stress: a priority queue may be closed at any time", "[stress]") {
  repeat(2'000, [] {
    PriorityQueue<std::unique_ptr<int>> queue{{.capacity = 2}};
    std::atomic<std::size_t> pushed{0};
    std::atomic<std::size_t> popped{0};
    on_threads(5, [&](std::size_t self) {
      if (self < 2) {
        while (queue.push(std::make_unique<int>(1), priorities[self]).ok()) ++pushed;
      } else if (self < 4) {
        while (queue.pop()) ++popped;
      } else {
        while (popped.load() < 3) std::this_thread::yield();
        queue.close();
      }
    });
    REQUIRE(pushed.load() == popped.load());
    REQUIRE(queue.empty());
  });
}
