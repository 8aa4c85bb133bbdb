// SPDX-License-Identifier: MIT
#include <gossip/queue/mpmc_queue.hpp>

#include "support/model/fifo_history.hpp"
#include "support/wait.hpp"

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using gossip::MpmcQueue;
using gossip::test::model::find_violation;
using gossip::test::model::QueueOperation;
using Kind = QueueOperation::Kind;

namespace {

/// Counts how many objects are alive.
struct Counted {
  explicit Counted(int number) noexcept : value{number} { ++alive; }
  Counted(Counted&& other) noexcept : value{std::exchange(other.value, -1)} { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }

  int value;
  static inline int alive = 0;
};

struct ThrowsOnCopy {
  ThrowsOnCopy() = default;
  ThrowsOnCopy(const ThrowsOnCopy&) { throw std::runtime_error{"copy"}; }
  ThrowsOnCopy(ThrowsOnCopy&&) noexcept {}
};

template <std::size_t Alignment>
struct alignas(Alignment) Aligned {
  std::uint64_t value = 0;
};

/// A number that lets other threads run while it is moved, that is, between the two steps of a push
/// (claiming a slot and handing it over) and of a pop.
struct Yielding {
  explicit Yielding(std::uint64_t number) noexcept : value{number} {}
  Yielding(Yielding&& other) noexcept : value{0} {
    if (other.value % 3 != 0) std::this_thread::yield();
    value = other.value;
  }
  Yielding& operator=(Yielding&&) = delete;
  ~Yielding() = default;

  std::uint64_t value;
};

/// A queue that spreads its values over two lanes: fast, and not first in, first out.
class TwoLaneQueue {
 public:
  explicit TwoLaneQueue(std::size_t capacity) : lanes_{Lane{capacity / 2}, Lane{capacity / 2}} {}
  bool try_push(Yielding&& value) {
    return lanes_[in_.fetch_add(1) % 2].try_push(std::move(value));
  }
  std::optional<Yielding> try_pop() { return lanes_[out_.fetch_add(1) / 2 % 2].try_pop(); }

 private:
  using Lane = MpmcQueue<Yielding>;
  Lane lanes_[2];
  std::atomic<std::size_t> in_{0};
  std::atomic<std::size_t> out_{0};
};

/// A queue of which one thread alone takes the values.
class AloneQueue : public MpmcQueue<Yielding> {
 public:
  using MpmcQueue::MpmcQueue;
  std::optional<Yielding> try_pop() {
    std::optional<Yielding> value;
    if (Claim claim = try_claim_alone()) value.emplace(std::move(*claim));
    return value;
  }
};

/// Records histories of many short rounds and checks each. Fewer rounds where others leave the threads
/// so little of the processor that they take too long.
/// @return the first violation
template <class Queue>
std::string race(std::size_t capacity, std::size_t producers, std::size_t consumers,
                 std::size_t rounds) {
  constexpr std::size_t operations = 7;  // per thread and round
  const std::size_t threads = producers + consumers;
  std::vector<std::vector<QueueOperation>> histories(threads);
  std::unique_ptr<Queue> queue;
  std::atomic<std::uint64_t> tick{0};
  std::string violation;
  std::atomic<bool> over{false};
  std::size_t round = 0;
  const auto late = std::chrono::steady_clock::now() + gossip::test::patience;
  const auto judge = [&]() noexcept {
    std::vector<QueueOperation> all;
    for (auto& history : histories) {
      all.insert(all.end(), history.begin(), history.end());
      history.clear();
    }
    if (queue) {  // complete the history: nothing may be left out
      for (bool more = true; more;) {
        const std::uint64_t invoked = ++tick;
        const auto value = queue->try_pop();
        more = value.has_value();
        all.push_back({Kind::pop, more, more ? value->value : 0, invoked, ++tick});
      }
    }
    violation = find_violation(all, capacity);
    over.store(!violation.empty() || round++ == rounds ||
               (round > 200 && std::chrono::steady_clock::now() > late));
    queue = std::make_unique<Queue>(capacity);
  };
  std::barrier turn{static_cast<std::ptrdiff_t>(threads), judge};
  const auto run = [&](std::size_t self) {
    for (std::uint64_t next = self << 32U;;) {
      turn.arrive_and_wait();
      if (over.load()) return;
      for (std::size_t i = 0; i < operations; ++i) {
        QueueOperation operation;
        operation.invoked = ++tick;
        if (self < producers) {
          operation.value = ++next;
          operation.done = queue->try_push(Yielding{next});
        } else {
          operation.kind = Kind::pop;
          const auto value = queue->try_pop();
          operation.done = value.has_value();
          operation.value = operation.done ? value->value : 0;
        }
        operation.returned = ++tick;
        histories[self].push_back(operation);
      }
    }
  };
  std::vector<std::thread> pool;
  for (std::size_t i = 1; i < threads; ++i) pool.emplace_back(run, i);
  run(0);
  for (auto& thread : pool) thread.join();
  return violation;
}

}  // namespace

TEST_CASE("MpmcQueue: tickets begin where they are told to", "[queue]") {
  constexpr std::uint64_t first = std::uint64_t{1} << 60U;
  MpmcQueue<int> queue{2, first};
  REQUIRE(queue.head() == first);
  REQUIRE(queue.tail() == first);
  REQUIRE(queue.try_push(1));
  REQUIRE(queue.try_push(2));
  REQUIRE_FALSE(queue.try_push(3));
  REQUIRE(queue.try_claim().ticket() == first);
  REQUIRE(queue.try_claim().ticket() == first + 1);
  queue.close();
  REQUIRE_FALSE(queue.try_push(4));
  REQUIRE(queue.tail() == first + 2);
  REQUIRE_THROWS_AS((MpmcQueue<int>{2, 1}), std::invalid_argument);
  REQUIRE_THROWS_AS((MpmcQueue<int>{2, std::uint64_t{1} << 62U}), std::invalid_argument);
}

TEST_CASE("MpmcQueue: the capacity is rounded up to a power of two, at least 2", "[queue]") {
  REQUIRE(MpmcQueue<int>{1}.capacity() == 2);
  REQUIRE(MpmcQueue<int>{2}.capacity() == 2);
  REQUIRE(MpmcQueue<int>{3}.capacity() == 4);
  REQUIRE(MpmcQueue<int>{1000}.capacity() == 1024);
}

TEST_CASE("MpmcQueue: a capacity out of range is refused by name and value", "[queue]") {
  REQUIRE_THROWS_AS(MpmcQueue<int>{0}, std::invalid_argument);
  try {
    MpmcQueue<int> queue{(std::size_t{1} << 31U) + 1};
    FAIL("accepted");
  } catch (const std::invalid_argument& error) {
    REQUIRE(std::string{error.what()} ==
            "MpmcQueue: capacity is 2147483649; allowed: 1 to 2147483648");
  }
}

TEST_CASE("MpmcQueue: values leave in the order in which they came, over many laps", "[queue]") {
  MpmcQueue<int> queue{4};
  int next = 0;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(queue.try_push(i));
    if (i % 4 == 3) {
      for (int k = 0; k < 4; ++k) REQUIRE(queue.try_pop() == next++);
      REQUIRE_FALSE(queue.try_pop().has_value());
    }
  }
  REQUIRE(next == 100);
}

TEST_CASE("MpmcQueue: try_push on a full queue returns false and leaves the value", "[queue]") {
  MpmcQueue<std::unique_ptr<int>> queue{2};
  REQUIRE(queue.try_push(std::make_unique<int>(1)));
  REQUIRE(queue.try_push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  REQUIRE_FALSE(queue.try_push(std::move(third)));
  REQUIRE(third != nullptr);  // NOLINT(bugprone-use-after-move): untouched on failure
  REQUIRE(**queue.try_pop() == 1);
  REQUIRE(queue.try_push(std::move(third)));
  REQUIRE(third == nullptr);  // NOLINT(bugprone-use-after-move)
  REQUIRE(**queue.try_pop() == 2);
  REQUIRE(**queue.try_pop() == 3);
}

TEST_CASE("MpmcQueue: a copy that throws leaves the queue as it was", "[queue]") {
  MpmcQueue<ThrowsOnCopy> queue{2};
  const ThrowsOnCopy value;
  REQUIRE_THROWS_AS(queue.try_push(value), std::runtime_error);
  REQUIRE(queue.size() == 0);
  REQUIRE_FALSE(queue.try_pop().has_value());
  REQUIRE(queue.try_push(ThrowsOnCopy{}));
  REQUIRE(queue.size() == 1);
}

TEST_CASE("MpmcQueue: a claimed value keeps its slot until the claim is released", "[queue]") {
  MpmcQueue<Counted> queue{2};
  REQUIRE(queue.try_push(Counted{10}));
  REQUIRE(queue.try_push(Counted{11}));
  {
    auto claim = queue.try_claim();
    REQUIRE(claim);
    REQUIRE((*claim).value == 10);
    REQUIRE(claim.ticket() == 0);
    REQUIRE_FALSE(queue.try_push(Counted{12}));
    auto moved = std::move(claim);
    REQUIRE_FALSE(claim);  // NOLINT(bugprone-use-after-move): empty, as documented
    moved.release();
    REQUIRE_FALSE(moved);
    moved.release();
    REQUIRE(Counted::alive == 1);
    REQUIRE(queue.try_push(Counted{12}));
  }
  {
    const auto claim = queue.try_claim();
    REQUIRE((*claim).value == 11);
    REQUIRE(claim.ticket() == 1);
  }
  REQUIRE(Counted::alive == 1);
}

TEST_CASE("MpmcQueue: a moved claim keeps its ticket", "[queue]") {
  MpmcQueue<int> queue{2};
  for (int i = 0; i < 3; ++i) {
    REQUIRE(queue.try_push(i));
    if (i < 2) REQUIRE(queue.try_pop() == i);
  }
  auto claim = queue.try_claim();
  REQUIRE(claim.ticket() == 2);
  const auto moved = std::move(claim);
  REQUIRE(moved.ticket() == 2);
}

TEST_CASE("MpmcQueue: the destructor destroys the values that are left", "[queue]") {
  {
    MpmcQueue<Counted> queue{8};
    for (int i = 0; i < 5; ++i) REQUIRE(queue.try_push(Counted{i}));
    REQUIRE(queue.try_pop()->value == 0);
    REQUIRE(Counted::alive == 4);
  }
  REQUIRE(Counted::alive == 0);
}

TEST_CASE("MpmcQueue: head, tail, size and ready count what came and went", "[queue]") {
  MpmcQueue<int> queue{4};
  REQUIRE_FALSE(queue.ready());
  REQUIRE(queue.size() == 0);
  for (int i = 0; i < 3; ++i) REQUIRE(queue.try_push(i));
  REQUIRE(queue.ready());
  REQUIRE(queue.ready(2));
  REQUIRE_FALSE(queue.ready(3));
  REQUIRE(queue.try_pop() == 0);
  REQUIRE_FALSE(queue.ready(2));
  REQUIRE(queue.head() == 1);
  REQUIRE(queue.tail() == 3);
  REQUIRE(queue.size() == 2);
  queue.close();
  REQUIRE(queue.tail() == 3);
  REQUIRE(queue.size() == 2);
}

TEMPLATE_TEST_CASE("MpmcQueue: over-aligned values are placed where they need to be", "[queue]",
                   Aligned<64>, Aligned<128>, Aligned<256>) {
  MpmcQueue<TestType> queue{4};
  for (std::uint64_t i = 0; i < 4; ++i) {
    REQUIRE(queue.try_push_with([i](void* storage) {
      REQUIRE(reinterpret_cast<std::uintptr_t>(storage) % alignof(TestType) == 0);
      ::new (storage) TestType{i};
    }));
  }
  for (std::uint64_t i = 0; i < 4; ++i) REQUIRE((*queue.try_claim()).value == i);
}

TEST_CASE("MpmcQueue: close refuses every push but the privileged, and no pop", "[queue]") {
  MpmcQueue<int> queue{4};
  const auto make = [](void* storage) { ::new (storage) int(7); };
  REQUIRE(queue.try_push(1));
  REQUIRE_FALSE(queue.try_push_with_if_closed(make));  // not closed yet
  REQUIRE_FALSE(queue.closed());
  queue.close();
  queue.close();
  REQUIRE(queue.closed());
  REQUIRE_FALSE(queue.try_push(2));
  REQUIRE(queue.try_push_with_if_closed(make));
  REQUIRE(queue.try_pop() == 1);
  REQUIRE(queue.try_pop() == 7);
  REQUIRE_FALSE(queue.try_pop().has_value());
}

TEST_CASE("MpmcQueue: a push into a full and closed queue returns false", "[queue]") {
  for (int values = 0; values <= 4; ++values) {
    MpmcQueue<int> queue{4};
    for (int i = 0; i < values; ++i) REQUIRE(queue.try_push(i));
    queue.close();
    std::atomic<int> answer{-1};
    std::thread pusher{[&] { answer.store(queue.try_push(9) ? 1 : 0); }};
    const bool returned = gossip::test::eventually([&] { return answer.load() >= 0; });
    while (!returned && answer.load() < 0) (void)queue.try_pop();
    pusher.join();
    INFO(values << " values in a queue of 4");
    REQUIRE(returned);
    REQUIRE(answer.load() == 0);
  }
}

TEST_CASE("MpmcQueue: a privileged push into a full and closed queue returns false", "[queue]") {
  MpmcQueue<int> queue{2};
  REQUIRE(queue.try_push(1));
  REQUIRE(queue.try_push(2));
  queue.close();
  REQUIRE_FALSE(queue.try_push_with_if_closed([](void* storage) { ::new (storage) int(3); }));
  REQUIRE(queue.try_pop() == 1);
  REQUIRE(queue.try_push_with_if_closed([](void* storage) { ::new (storage) int(3); }));
}

TEST_CASE("MpmcQueue: after close no push that began later succeeds", "[queue]") {
  for (std::size_t round = 0; round < gossip::test::scaled(400); ++round) {
    MpmcQueue<std::size_t> queue{1024};
    std::atomic<std::size_t> pushed{0};
    std::atomic<bool> go{false};
    std::thread pusher{[&] {
      while (!go.load()) std::this_thread::yield();
      while (queue.try_push(pushed.load())) pushed.fetch_add(1);
    }};
    go.store(true);
    while (pushed.load() < 3) std::this_thread::yield();
    queue.close();
    const std::uint64_t tail = queue.tail();
    pusher.join();
    REQUIRE(queue.tail() == tail);
    REQUIRE(pushed.load() == tail);
  }
}

TEST_CASE("MpmcQueue: histories of racing threads are linearizable", "[queue]") {
  const std::size_t rounds = gossip::test::scaled(12'000);
  REQUIRE(race<MpmcQueue<Yielding>>(2, 2, 2, rounds).empty());
  REQUIRE(race<MpmcQueue<Yielding>>(4, 3, 1, rounds / 2).empty());
  REQUIRE(race<MpmcQueue<Yielding>>(4, 1, 3, rounds / 2).empty());
  REQUIRE(race<MpmcQueue<Yielding>>(16, 2, 2, rounds / 2).empty());
}

TEST_CASE("MpmcQueue: histories with a consumer that claims alone are linearizable", "[queue]") {
  const std::size_t rounds = gossip::test::scaled(6'000);
  REQUIRE(race<AloneQueue>(2, 2, 1, rounds).empty());
  REQUIRE(race<AloneQueue>(4, 3, 1, rounds).empty());
}

TEST_CASE("MpmcQueue: claiming alone takes what claiming takes", "[queue]") {
  MpmcQueue<int> queue{2};
  REQUIRE_FALSE(queue.try_claim_alone());
  for (int lap = 0; lap < 3; ++lap) {
    REQUIRE(queue.try_push(1));
    REQUIRE(queue.try_push(2));
    {
      auto first = queue.try_claim_alone();
      REQUIRE(*first == 1);
      REQUIRE(first.ticket() == queue.head() - 1);
      REQUIRE_FALSE(queue.try_push(3));  // its slot is not free yet
    }
    REQUIRE(queue.try_pop() == 2);
    REQUIRE_FALSE(queue.try_claim_alone());
  }
}

TEST_CASE("MpmcQueue: the history checker rejects a queue that is not first in, first out",
          "[queue]") {
  REQUIRE_FALSE(race<TwoLaneQueue>(4, 2, 2, 2'000).empty());
}

TEST_CASE("find_violation: crafted histories are judged rightly", "[queue]") {
  using History = std::vector<QueueOperation>;
  constexpr auto push = Kind::push;
  constexpr auto pop = Kind::pop;
  SECTION("sound ones") {
    REQUIRE(find_violation({}, 2).empty());
    REQUIRE(find_violation(History{{push, true, 1, 1, 2}, {pop, true, 1, 3, 4}}, 2).empty());
    // Overlapping pushes may be taken in any order.
    REQUIRE(find_violation(History{{push, true, 1, 1, 4},
                                   {push, true, 2, 2, 3},
                                   {pop, true, 2, 5, 6},
                                   {pop, true, 1, 7, 8}},
                           2)
                .empty());
    // A pop may overlap the push whose value it takes.
    REQUIRE(find_violation(History{{push, true, 1, 1, 4}, {pop, true, 1, 2, 3}}, 2).empty());
    // "empty" and "full" may be wrong while the other side is at work.
    REQUIRE(find_violation(History{{push, true, 1, 1, 2},
                                   {push, true, 2, 3, 6},
                                   {pop, false, 0, 4, 5},
                                   {pop, true, 1, 7, 8},
                                   {pop, true, 2, 9, 10}},
                           2)
                .empty());
  }
  SECTION("a value out of nowhere") {
    REQUIRE(find_violation(History{{pop, true, 1, 1, 2}}, 2).find("never pushed") == 8);
    REQUIRE_FALSE(find_violation(History{{pop, true, 1, 1, 2}, {push, true, 1, 3, 4}}, 2).empty());
  }
  SECTION("a value twice") {
    REQUIRE_FALSE(find_violation(
                      History{{push, true, 1, 1, 2}, {pop, true, 1, 3, 4}, {pop, true, 1, 5, 6}}, 2)
                      .empty());
  }
  SECTION("a value overtaken") {
    REQUIRE_FALSE(find_violation(History{{push, true, 1, 1, 2},
                                         {push, true, 2, 3, 4},
                                         {pop, true, 2, 5, 6},
                                         {pop, true, 1, 7, 8}},
                                 2)
                      .empty());
  }
  SECTION("a value lost") {
    REQUIRE_FALSE(
        find_violation(History{{push, true, 1, 1, 2}, {push, true, 2, 3, 4}, {pop, true, 2, 5, 6}},
                       2)
            .empty());
    REQUIRE_FALSE(find_violation(History{{push, true, 1, 1, 2}, {pop, false, 0, 3, 4}}, 2).empty());
  }
  SECTION("full too early") {
    REQUIRE_FALSE(
        find_violation(History{{push, true, 1, 1, 2}, {push, false, 2, 3, 4}}, 2).empty());
  }
}
