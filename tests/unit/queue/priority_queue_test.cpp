// SPDX-License-Identifier: MIT
#include <gossip/queue/priority_queue.hpp>

#include "support/throwing_payload.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using gossip::Errc;
using gossip::Priority;
using gossip::PriorityQueue;
using gossip::PriorityQueueOptions;
using gossip::test::patience;
using gossip::test::Raised;
using gossip::test::ThrowingPayload;

namespace {

static_assert(!std::is_copy_constructible_v<PriorityQueue<int>>);
template <class T>
concept CanCopyIn = requires(PriorityQueue<T>& queue, const T& value) {
  queue.push(value);
};
static_assert(CanCopyIn<std::string> && !CanCopyIn<std::unique_ptr<int>>);

constexpr Priority priorities[] = {Priority::high, Priority::normal, Priority::low};

/// What the queue should do, as plainly as possible.
struct Model {
  std::vector<int> lanes[3];

  std::optional<int> pop() {
    for (auto& lane : lanes) {
      if (lane.empty()) continue;
      const int value = lane.front();
      lane.erase(lane.begin());
      return value;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t size() const {
    return lanes[0].size() + lanes[1].size() + lanes[2].size();
  }
};

/// Calls `move` when it is moved.
struct Watcher {
  explicit Watcher(void (*what)(void*), void* with) : move{what}, context{with} {}
  Watcher(Watcher&& other) noexcept : move{other.move}, context{other.context} { move(context); }
  Watcher& operator=(Watcher&&) = delete;
  ~Watcher() { move(context); }

  void (*move)(void*);
  void* context;
};

}  // namespace

TEST_CASE("PriorityQueue: the highest priority goes first, each first in, first out",
          "[priority_queue]") {
  PriorityQueue<std::string> queue;
  REQUIRE(queue.push("low 1", Priority::low).ok());
  REQUIRE(queue.push("normal 1").ok());
  REQUIRE(queue.push("high 1", Priority::high).ok());
  REQUIRE(queue.push("low 2", Priority::low).ok());
  REQUIRE(queue.push("high 2", Priority::high).ok());
  const std::string last{"normal 2"};
  REQUIRE(queue.push(last).ok());
  std::string order;
  while (auto value = queue.try_pop()) order += *value + ", ";
  REQUIRE(order == "high 1, high 2, normal 1, normal 2, low 1, low 2, ");
}

TEST_CASE("PriorityQueue: behaves as its model under random operations", "[priority_queue]") {
  constexpr std::size_t capacity = 40;
  std::mt19937 random{7};
  for (int round = 0; round < 50; ++round) {
    PriorityQueue<int> queue{{.capacity = capacity}};
    Model model;
    for (int i = 0; i < 400; ++i) {
      if (random() % 100 < (round % 2 == 0 ? 60U : 45U)) {
        const auto lane = random() % 3;
        const gossip::Status status = queue.try_push(i, priorities[lane]);
        if (model.size() == capacity) {
          REQUIRE(status == Errc::queue_full);
        } else {
          REQUIRE(status.ok());
          model.lanes[lane].push_back(i);
        }
      } else {
        REQUIRE(queue.try_pop() == model.pop());
      }
      REQUIRE(queue.size() == model.size());
      REQUIRE(queue.empty() == (model.size() == 0));
      for (std::size_t lane = 0; lane < 3; ++lane) {
        REQUIRE(queue.size(priorities[lane]) == model.lanes[lane].size());
      }
    }
  }
}

TEST_CASE("PriorityQueue: options are checked", "[priority_queue]") {
  REQUIRE(gossip::validate(PriorityQueueOptions{}).ok());
  REQUIRE(gossip::is_validation(gossip::validate(PriorityQueueOptions{.capacity = 0})));
  try {
    const PriorityQueue<int> queue{{.capacity = 0}};
    FAIL("accepted");
  } catch (const std::invalid_argument& error) {
    REQUIRE(std::string{error.what()} == "PriorityQueueOptions: capacity is 0; allowed: 1 or more");
  }
  const PriorityQueue<int> queue{{.capacity = 3}};
  REQUIRE(queue.capacity() == 3);
}

TEST_CASE("PriorityQueue: without a bound it takes what comes", "[priority_queue]") {
  PriorityQueue<std::size_t> queue{{.capacity = PriorityQueueOptions::unbounded}};
  for (std::size_t i = 0; i < 100'000; ++i) REQUIRE(queue.try_push(i).ok());
  for (std::size_t i = 0; i < 100'000; ++i) REQUIRE(queue.try_pop() == i);
}

TEST_CASE("PriorityQueue: a full queue leaves the element with the caller", "[priority_queue]") {
  PriorityQueue<std::unique_ptr<int>> queue{{.capacity = 1}};
  REQUIRE(queue.try_push(std::make_unique<int>(1)).ok());
  auto value = std::make_unique<int>(2);
  REQUIRE(queue.try_push(std::move(value), Priority::high) == Errc::queue_full);
  REQUIRE(value != nullptr);
  REQUIRE(queue.push_for(std::move(value), std::chrono::nanoseconds{1}) == Errc::timeout);
  REQUIRE(value != nullptr);
  queue.close();
  REQUIRE(queue.push(std::move(value)) == Errc::closed);
  REQUIRE(value != nullptr);
  REQUIRE(**queue.pop() == 1);
}

TEST_CASE("PriorityQueue: closing refuses pushes and lets the rest be popped", "[priority_queue]") {
  PriorityQueue<int> queue;
  REQUIRE(queue.push(1, Priority::low).ok());
  REQUIRE(queue.push(2).ok());
  REQUIRE_FALSE(queue.closed());
  queue.close();
  queue.close();
  REQUIRE(queue.closed());
  REQUIRE(queue.try_push(3) == Errc::closed);
  REQUIRE(queue.push_for(3, patience) == Errc::closed);
  REQUIRE(queue.pop() == 2);
  REQUIRE(queue.pop_for(patience) == 1);
  REQUIRE(queue.pop() == std::nullopt);
  REQUIRE(queue.pop_for(patience) == std::nullopt);
  REQUIRE(queue.try_pop() == std::nullopt);
}

TEST_CASE("PriorityQueue: pop waits for an element, push for space, both for the end",
          "[priority_queue]") {
  PriorityQueue<int> queue{{.capacity = 1}};
  std::atomic<int> popped{0};
  std::thread popper{[&] {
    while (auto value = queue.pop()) popped += *value;
  }};
  for (int i = 1; i <= 100; ++i) REQUIRE(queue.push(i).ok());  // most of them wait for space
  REQUIRE(gossip::test::eventually([&] { return popped.load() == 5050; }));
  queue.close();
  popper.join();

  PriorityQueue<int> full{{.capacity = 1}};
  REQUIRE(full.push(1).ok());
  std::atomic<int> refused{0};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] { refused += full.push(2) == Errc::closed ? 1 : 0; });
    waiting.emplace_back([&] { refused += full.push_for(2, patience) == Errc::closed ? 1 : 0; });
  }
  gossip::test::let_pass(std::chrono::milliseconds{2});  // so that some do wait by then
  full.close();
  for (auto& thread : waiting) thread.join();
  REQUIRE(refused.load() == 6);
  REQUIRE(full.pop() == 1);
}

TEST_CASE("PriorityQueue: closing wakes those who wait for an element", "[priority_queue]") {
  PriorityQueue<int> queue;
  std::atomic<int> woken{0};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] { woken += queue.pop() == std::nullopt ? 1 : 0; });
    waiting.emplace_back([&] { woken += queue.pop_for(2 * patience) == std::nullopt ? 1 : 0; });
  }
  gossip::test::let_pass(std::chrono::milliseconds{2});  // so that some do wait by then
  const auto begin = std::chrono::steady_clock::now();
  queue.close();
  for (auto& thread : waiting) thread.join();
  REQUIRE(std::chrono::steady_clock::now() - begin < patience);
  REQUIRE(woken.load() == 6);
}

TEST_CASE("PriorityQueue: a time limit ends the waiting", "[priority_queue]") {
  PriorityQueue<int> queue{{.capacity = 1}};
  REQUIRE(queue.pop_for(std::chrono::milliseconds{1}) == std::nullopt);
  REQUIRE(queue.pop_for(std::chrono::nanoseconds{-1}) == std::nullopt);
  REQUIRE(queue.push_for(1, std::chrono::milliseconds{1}).ok());
  REQUIRE(queue.push_for(2, std::chrono::milliseconds{1}) == Errc::timeout);
  REQUIRE(queue.push_for(2, std::chrono::nanoseconds::min()) == Errc::timeout);
  REQUIRE(queue.pop_for(std::chrono::nanoseconds::max()) == 1);
}

TEST_CASE("PriorityQueue: an element whose move fails is lost neither way", "[priority_queue]") {
  {
    PriorityQueue<ThrowingPayload> queue{{.capacity = 2}};
    ThrowingPayload first{1};
    {
      const Raised fail{ThrowingPayload::fail_moves};
      REQUIRE_THROWS_AS(queue.push(std::move(first)), ThrowingPayload::Failure);
    }
    REQUIRE(first.value == 1);
    REQUIRE(queue.empty());
    {
      const Raised fail{ThrowingPayload::fail_copies};
      REQUIRE_THROWS_AS(queue.push(first), ThrowingPayload::Failure);
    }
    REQUIRE(queue.try_push(std::move(first)).ok());  // neither failure has kept a place
    REQUIRE(queue.try_push(ThrowingPayload{2}).ok());
    REQUIRE(queue.try_push(ThrowingPayload{3}) == Errc::queue_full);
    {
      const Raised fail{ThrowingPayload::fail_moves};
      REQUIRE_THROWS_AS(queue.try_pop(), ThrowingPayload::Failure);
      REQUIRE(queue.size() == 2);
      REQUIRE_THROWS_AS(queue.pop(), ThrowingPayload::Failure);
      REQUIRE_THROWS_AS(queue.pop_for(patience), ThrowingPayload::Failure);
    }
    REQUIRE(queue.size() == 2);
    REQUIRE(queue.pop()->value == 1);
    REQUIRE(queue.pop()->value == 2);
    REQUIRE(queue.empty());
    REQUIRE(queue.try_push(ThrowingPayload{4}).ok());  // the destructor destroys it
  }
  REQUIRE(ThrowingPayload::alive.load() == 0);
}

TEST_CASE("PriorityQueue: elements are moved and destroyed outside the lock", "[priority_queue]") {
  struct Asked {
    PriorityQueue<Watcher> queue{{.capacity = 4}};
    std::size_t moves = 0;
  } asked;
  const auto ask = [](void* context) {
    auto& self = *static_cast<Asked*>(context);
    ++self.moves;
    static_cast<void>(self.queue.size());  // would hang with the lock held
  };
  REQUIRE(asked.queue.push(Watcher{ask, &asked}).ok());
  REQUIRE(asked.queue.pop().has_value());
  REQUIRE(asked.moves >= 4);
}

TEST_CASE("PriorityQueue: the last element may be on its way while the queue is closed",
          "[priority_queue]") {
  // A popper must not take a closed queue for drained while somebody still puts an element in.
  struct Slow {
    explicit Slow(gossip::test::Door* begun_, gossip::test::Door* go_on_)
        : begun{begun_}, go_on{go_on_} {}
    Slow(Slow&& other) noexcept
        : begun{std::exchange(other.begun, nullptr)}, go_on{std::exchange(other.go_on, nullptr)} {
      if (begun == nullptr) return;
      begun->open();
      go_on->wait();
    }
    Slow& operator=(Slow&&) = delete;
    ~Slow() = default;
    gossip::test::Door* begun;
    gossip::test::Door* go_on;
  };
  gossip::test::Door begun;
  gossip::test::Door go_on;
  PriorityQueue<Slow> queue;
  std::atomic<bool> accepted{false};
  std::thread pusher{[&] { accepted = queue.push(Slow{&begun, &go_on}).ok(); }};
  REQUIRE(begun.wait());
  queue.close();
  REQUIRE_FALSE(queue.try_pop().has_value());
  std::atomic<int> result{-1};
  std::thread popper{[&] { result = queue.pop().has_value() ? 1 : 0; }};
  gossip::test::let_pass(std::chrono::milliseconds{2});
  const bool early = result.load() != -1;
  go_on.open();
  pusher.join();
  popper.join();
  REQUIRE_FALSE(early);
  REQUIRE(accepted.load());
  REQUIRE(result.load() == 1);
  REQUIRE_FALSE(queue.pop().has_value());
}
