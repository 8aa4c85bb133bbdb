// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ModelPlatform: what gossip's waiting protocols are built from, on the modelled machine.

#include "support/model/explorer.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace gossip::test::model {

/// Stores wait in the thread's store buffer, but sequentially consistent ones.
template <class T>
class ModelAtomic {
 public:
  ModelAtomic() : ModelAtomic{T{}} {}
  explicit(false) ModelAtomic(T value) { location_.memory = static_cast<std::uint64_t>(value); }
  ModelAtomic(const ModelAtomic&) = delete;
  ModelAtomic& operator=(const ModelAtomic&) = delete;

  [[nodiscard]] T load(std::memory_order = std::memory_order_seq_cst) const {
    Execution* run = Execution::running();
    if (run == nullptr) return static_cast<T>(location_.memory);
    run->point("load");
    return static_cast<T>(run->load(location_));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    Execution* run = Execution::running();
    if (run == nullptr) {
      location_.memory = static_cast<std::uint64_t>(value);
      return;
    }
    run->point("store");
    run->store(location_, static_cast<std::uint64_t>(value));
    if (order == std::memory_order_seq_cst) run->fence_self();
  }
  T fetch_add(T by, std::memory_order = std::memory_order_seq_cst) {
    return update([by](T value) { return static_cast<T>(value + by); });
  }
  T fetch_sub(T by, std::memory_order = std::memory_order_seq_cst) {
    return update([by](T value) { return static_cast<T>(value - by); });
  }
  T exchange(T desired, std::memory_order = std::memory_order_seq_cst) {
    return update([desired](T) { return desired; });
  }
  bool compare_exchange_strong(T& expected, T desired,
                               std::memory_order = std::memory_order_seq_cst) {
    const T wanted = expected;
    expected = update([&](T value) { return value == wanted ? desired : value; });
    return expected == wanted;
  }

 private:
  template <class Change>
  T update(Change&& change) {
    Execution* run = Execution::running();
    if (run != nullptr) run->point("read-modify-write");
    const auto before =
        static_cast<T>(run != nullptr ? run->load_for_update(location_) : location_.memory);
    location_.memory = static_cast<std::uint64_t>(change(before));
    return before;
  }

  mutable Location location_;
};

class ModelMutex {
 public:
  void lock() {
    if (Execution* run = Execution::running()) run->lock(state_);
  }
  bool try_lock() {
    Execution* run = Execution::running();
    return run == nullptr || run->try_lock(state_);
  }
  void unlock() {
    if (Execution* run = Execution::running()) run->unlock(state_);
  }
  MutexState& state() { return state_; }

 private:
  MutexState state_;
};

class ModelConditionVariable {
 public:
  void wait(std::unique_lock<ModelMutex>& lock) {
    Execution::running()->wait(this, lock.mutex()->state(), false);
  }
  template <class TimePoint>
  bool wait_until(std::unique_lock<ModelMutex>& lock, const TimePoint&) {
    return Execution::running()->wait(this, lock.mutex()->state(), true);
  }
  void notify_one() { notify(false); }
  void notify_all() { notify(true); }

 private:
  void notify(bool everybody) {
    if (Execution* run = Execution::running()) run->notify(this, everybody);
  }
};

/// The asymmetric fence as membarrier provides it: the light side is free and orders nothing.
struct ModelPlatform {
  template <class T>
  using Atomic = ModelAtomic<T>;
  using Mutex = ModelMutex;
  using ConditionVariable = ModelConditionVariable;

  static void light_fence() noexcept {}
  static void heavy_fence() noexcept {
    if (Execution* run = Execution::running()) run->fence_all();
  }
  /// The same in every run of a schedule, and late: whatever may be done from time to time is done.
  static std::chrono::steady_clock::time_point now() noexcept {
    static std::chrono::steady_clock::time_point time{};
    return time += std::chrono::milliseconds{1};
  }
  /// One look stands for all: the schedules differ in what others do before it.
  template <class Ready>
  static bool take_turns_until(Ready&& ready, unsigned) noexcept {
    return ready();
  }
};

/// The fall-back: both sides execute an ordinary fence.
struct OrdinaryFencePlatform : ModelPlatform {
  static void light_fence() noexcept { heavy_fence(); }
  static void heavy_fence() noexcept {
    if (Execution* run = Execution::running()) run->fence_self();
  }
};

/// A machine whose heavy fence orders the caller alone: every protocol must fail on it.
struct BrokenHeavyFencePlatform : ModelPlatform {
  static void heavy_fence() noexcept {
    if (Execution* run = Execution::running()) run->fence_self();
  }
};

/// A machine without any fence: every protocol must fail on it.
struct NoFencePlatform : ModelPlatform {
  static void heavy_fence() noexcept {}
};

/// A queue as WorkerParking sees MpmcQueue: claiming a slot and handing it over are two steps, so
/// that the queue looks empty while an earlier slot is claimed and not yet handed over.
template <std::size_t Size>
class ModelQueue {
 public:
  void push() { hand_over(tail_.fetch_add(1)); }
  bool try_pop() {
    std::uint64_t ticket = head_.load();
    while (turns_[ticket].load() != 0) {
      if (head_.compare_exchange_strong(ticket, ticket + 1)) return true;
    }
    return false;
  }
  [[nodiscard]] bool ready() const noexcept { return turns_[head_.load()].load() != 0; }
  [[nodiscard]] std::uint64_t head() const noexcept { return head_.load(); }
  [[nodiscard]] std::uint64_t tail() const noexcept { return tail_.load(); }

 protected:
  void hand_over(std::uint64_t ticket) { turns_[ticket].store(1, std::memory_order_release); }

 private:
  ModelAtomic<std::uint64_t> head_;
  ModelAtomic<std::uint64_t> tail_;
  ModelAtomic<std::uint64_t> turns_[Size + 1];
};

}  // namespace gossip::test::model
