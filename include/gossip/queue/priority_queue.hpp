// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// PriorityQueue: a queue between threads that hands out the most urgent element first.
/// Layer: queue.

#include <gossip/config.hpp>
#include <gossip/core/chrono.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/condition_variable.hpp>
#include <gossip/core/priority.hpp>
#include <gossip/core/status.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace gossip {

/// What can be chosen for a PriorityQueue.
struct PriorityQueueOptions {
  /// A capacity without a bound: memory then grows with what is not popped.
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

  /// How many elements may be inside, of all priorities together; at least 1. // elements
  std::size_t capacity = 1024;
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const PriorityQueueOptions& options) {
  if (options.capacity != 0) return {};
  return ValidationError{"capacity", "capacity is 0; allowed: 1 or more"};
}

/// A queue for many producers and many consumers, with three priorities. The highest priority goes
/// first, always: while there are elements of a higher one, those of a lower one wait, if need be
/// for ever. (The lanes of a bus are fair; this queue is strict.) Elements of one priority are first
/// in, first out.
///
/// Elements stay where they were put until they are popped. Their memory is kept for the next ones
/// until the queue is destroyed, so that a queue that has been as full as it gets allocates no more.
///
/// @code
/// gossip::PriorityQueue<Job> jobs;
/// jobs.push(Job{...}, gossip::Priority::high);
/// while (auto job = jobs.pop()) run(*job);  // until close() and empty
/// @endcode
///
/// Thread safety: all members from any thread, but construction and destruction. No user code runs
/// under the lock: elements are moved and destroyed outside of it.
/// Progress: blocking (a mutex, held for some instructions).
template <std::move_constructible T>
class PriorityQueue {
  static_assert(std::is_nothrow_destructible_v<T>, "destroying an element must not throw");

 public:
  /// @throws std::invalid_argument  an option is out of range; names it, its value, what is allowed
  explicit PriorityQueue(const PriorityQueueOptions& options = {}) : capacity_{options.capacity} {
    if (const Status status = validate(options); !status.ok()) {
      throw std::invalid_argument{"PriorityQueueOptions: " + status.error()->message()};
    }
  }
  PriorityQueue(const PriorityQueue&) = delete;
  PriorityQueue& operator=(const PriorityQueue&) = delete;
  /// Destroys what was not popped. @pre no thread is inside a member
  ~PriorityQueue() {
    for (Lane& lane : lanes_) {
      for (Node* node = lane.first; node != nullptr; node = node->next) {
        std::destroy_at(&node->value);
      }
    }
  }

  // ---- Pushing --------------------------------------------------------------------------------

  /// Puts an element at the end of its priority.
  /// @param value     moved from on success, untouched on failure; copied first where it is an lvalue
  /// @return          ok, Errc::queue_full (try_push), Errc::timeout (push_for), Errc::closed
  /// @throws          std::bad_alloc, and what moving or copying the element throws; the queue is
  ///                  then as before
  /// @par Blocking    try_push never waits for space; push waits until there is some, push_for at
  ///                  most that long; close() ends the waiting
  /// @par Complexity  O(1); allocates only where the queue is fuller than ever before
  /// @par Ordering    what one thread pushes with one priority is popped in that order
  /// @{
  Status try_push(T&& value, Priority priority = Priority::normal) {
    return insert(value, priority, SteadyTime::min());
  }
  Status push(T&& value, Priority priority = Priority::normal) {
    return insert(value, priority, SteadyTime::max());
  }
  Status push_for(T&& value, std::chrono::nanoseconds timeout,
                  Priority priority = Priority::normal) {
    return insert(value, priority, detail::deadline_after(timeout));
  }
  Status try_push(const T& value,
                  Priority priority = Priority::normal) requires std::copy_constructible<T> {
    return try_push(T(value), priority);
  }
  Status push(const T& value,
              Priority priority = Priority::normal) requires std::copy_constructible<T> {
    return push(T(value), priority);
  }
  Status push_for(const T& value, std::chrono::nanoseconds timeout,
                  Priority priority = Priority::normal) requires std::copy_constructible<T> {
    return push_for(T(value), timeout, priority);
  }
  /// @}

  // ---- Popping --------------------------------------------------------------------------------

  /// Takes the first element of the highest priority that has one.
  /// @return          the element; none if there was none in time, or the queue is closed and empty
  /// @throws          what moving the element throws; it then is the first of its priority again
  /// @par Blocking    try_pop never waits for an element; pop waits until there is one, pop_for at
  ///                  most that long; in a closed and empty queue nobody waits
  /// @par Complexity  O(1), no allocation
  /// @{
  [[nodiscard]] std::optional<T> try_pop() { return take(SteadyTime::min()); }
  [[nodiscard]] std::optional<T> pop() { return take(SteadyTime::max()); }
  [[nodiscard]] std::optional<T> pop_for(std::chrono::nanoseconds timeout) {
    return take(detail::deadline_after(timeout));
  }
  /// @}

  // ---- The rest -------------------------------------------------------------------------------

  /// Refuses further pushes and wakes everybody who waits. What is inside can still be popped.
  /// Idempotent. @throws nothing
  void close() noexcept {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    not_empty_.notify_all();
    not_full_.notify_all();
  }
  /// True once close() has been called.
  [[nodiscard]] bool closed() const noexcept {
    const std::lock_guard lock{mutex_};
    return closed_;
  }

  /// How many elements could be popped now: of all priorities, or of one. // elements
  /// @{
  [[nodiscard]] std::size_t size() const noexcept {
    const std::lock_guard lock{mutex_};
    return count();
  }
  [[nodiscard]] std::size_t size(Priority priority) const noexcept {
    const std::lock_guard lock{mutex_};
    return lanes_[index_of(priority)].count;
  }
  /// @}
  /// True if nothing could be popped now.
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// As in PriorityQueueOptions. // elements
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  /// A place for an element: in a lane, spare, or in the hands of one thread.
  struct Node {
    Node() noexcept {}  // NOLINT(modernize-use-equals-default): of the union
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node() {}  // NOLINT(modernize-use-equals-default): of the union

    Node* next = nullptr;
    union {
      T value;
    };
  };

  /// The elements of one priority.
  struct Lane {
    Node* first = nullptr;
    Node* last = nullptr;
    std::size_t count = 0;  // elements

    void push_back(Node& node) noexcept {
      node.next = nullptr;
      (first == nullptr ? first : last->next) = &node;
      last = &node;
      ++count;
    }
    void push_front(Node& node) noexcept {
      node.next = first;
      if (first == nullptr) last = &node;
      first = &node;
      ++count;
    }
    Node& pop_front() noexcept {
      Node& node = *first;
      first = node.next;
      --count;
      return node;
    }
  };

  using Lock = std::unique_lock<std::mutex>;

  /// Where moving an element is copying bytes, no user code has to be kept from under the lock.
  static constexpr bool bytes_alone = std::is_trivially_copyable_v<T>;
  static void leave(Lock& lock) {
    if constexpr (!bytes_alone) lock.unlock();
  }
  static void enter(Lock& lock) {
    if constexpr (!bytes_alone) lock.lock();
  }

  static std::size_t index_of(Priority priority) noexcept {
    const auto index = static_cast<std::size_t>(priority);
    GOSSIP_ASSERT(index < lane_count, "a priority is high, normal or low");
    return index;
  }

  /// @param until  SteadyTime::min() to wait not at all, SteadyTime::max() for ever
  Status insert(T& value, Priority priority, SteadyTime until) {
    Lane& lane = lanes_[index_of(priority)];
    Lock lock{mutex_};
    const bool space =
        wait(lock, not_full_, pushers_, until, [this] { return closed_ || inside_ < capacity_; });
    if (closed_) return Errc::closed;
    if (!space) return until == SteadyTime::min() ? Errc::queue_full : Errc::timeout;
    Node& node = take_spare();
    ++inside_;  // the place is taken; what follows happens even if the queue is closed meanwhile
    leave(lock);
    try {
      std::construct_at(&node.value, std::move(value));
    } catch (...) {
      enter(lock);
      give_back(node);
      throw;
    }
    enter(lock);
    lane.push_back(node);
    if (poppers_ != 0) not_empty_.notify_one();
    return {};
  }

  std::optional<T> take(SteadyTime until) {
    std::optional<T> result;
    Lock lock{mutex_};
    wait(lock, not_empty_, poppers_, until,
         [this] { return count() != 0 || (closed_ && inside_ == 0); });
    Lane* lane = lanes_;
    while (lane != lanes_ + lane_count && lane->count == 0) ++lane;
    if (lane == lanes_ + lane_count) return result;
    Node& node = lane->pop_front();
    leave(lock);
    try {
      result.emplace(std::move(node.value));
    } catch (...) {
      enter(lock);
      lane->push_front(node);
      if (poppers_ != 0) not_empty_.notify_one();
      throw;
    }
    std::destroy_at(&node.value);
    enter(lock);
    give_back(node);
    return result;
  }

  /// @param waiting  counts those who wait at `condition`
  /// @return         what `ready()` said last
  template <class Ready>
  static bool wait(Lock& lock, detail::ConditionVariable& condition, std::size_t& waiting,
                   SteadyTime until, Ready&& ready) {
    if (ready()) return true;
    if (until == SteadyTime::min()) return false;
    ++waiting;
    bool is_ready = false;
    if (until == SteadyTime::max()) {
      while (!(is_ready = ready())) condition.wait(lock);
    } else {
      while (!(is_ready = ready()) && condition.wait_until(lock, until)) {
      }
      is_ready = is_ready || ready();
    }
    --waiting;
    return is_ready;
  }

  [[nodiscard]] std::size_t count() const noexcept {
    return lanes_[0].count + lanes_[1].count + lanes_[2].count;
  }

  /// A node for one more element. @throws std::bad_alloc
  Node& take_spare() {
    if (spare_ == nullptr) {
      const std::size_t room = capacity_ - nodes_;
      const std::size_t wanted = nodes_ < 16 ? 16 : nodes_ > 1024 ? 1024 : nodes_;
      const std::size_t more = wanted < room ? wanted : room;
      blocks_.reserve(blocks_.size() + 1);
      blocks_.push_back(std::make_unique<Node[]>(more));
      nodes_ += more;
      for (std::size_t i = more; i != 0; --i) {
        Node& node = blocks_.back()[i - 1];
        node.next = spare_;
        spare_ = &node;
      }
    }
    return *std::exchange(spare_, spare_->next);
  }

  /// Takes back the node of an element that is no more.
  void give_back(Node& node) noexcept {
    node.next = spare_;
    spare_ = &node;
    --inside_;
    if (pushers_ != 0) not_full_.notify_one();
    if (closed_ && inside_ == 0) not_empty_.notify_all();
  }

  static constexpr std::size_t lane_count = 3;

  const std::size_t capacity_;  // elements
  mutable std::mutex mutex_;
  detail::ConditionVariable not_empty_;
  detail::ConditionVariable not_full_;
  std::size_t poppers_ = 0;  // threads that wait
  std::size_t pushers_ = 0;  // threads that wait
  std::size_t inside_ = 0;   ///< in a lane, on the way into one or out of one // elements
  bool closed_ = false;
  Lane lanes_[lane_count];
  Node* spare_ = nullptr;
  std::size_t nodes_ = 0;  ///< in all blocks
  std::vector<std::unique_ptr<Node[]>> blocks_;
};

}  // namespace gossip
