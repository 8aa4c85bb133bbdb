// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// A small model checker: runs a scenario of a few cooperative threads through every schedule with
/// a bounded number of preemptions, on a machine with store buffers.
///
/// The search is depth first and stateless: an execution is the list of choices that were made, and
/// the next one differs in the last choice that has an alternative. Schedules are bounded by the
/// number of preemptions, after Musuvathi and Qadeer, "Iterative context bounding for systematic
/// testing of multithreaded programs" (PLDI 2007). Memory is total store order, after Sewell,
/// Sarkar, Owens, Zappa Nardelli and Myreen, "x86-TSO" (CACM 2010): a store waits in its thread's
/// buffer. When a buffered store becomes visible matters only to a thread that loads the location,
/// so that is the moment at which the choice is made.

#include "support/model/fiber.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gossip::test::model {

/// When a timed wait may end by time-out.
enum class TimeOuts : std::uint8_t {
  never,     ///< it is a wait without a limit
  at_rest,   ///< once nothing else can happen
  any_time,  ///< whenever the explorer likes
};

struct Limits {
  unsigned preemptions = 2;  ///< per execution, of threads that could go on
  TimeOuts time_outs = TimeOuts::never;
  unsigned most_time_outs = 12;        ///< per execution
  std::size_t schedules = 20'000'000;  ///< give up beyond
  std::size_t random_schedules = 0;    ///< then, with any number of preemptions
};

struct Outcome {
  std::size_t schedules = 0;   ///< executions explored
  std::size_t most_steps = 0;  ///< of the longest one
  bool complete = false;       ///< every schedule within the limits was explored
  std::string violation;       ///< empty if the properties held in all of them

  [[nodiscard]] bool holds() const noexcept { return complete && violation.empty(); }
};

/// A place in the modelled memory.
struct Location {
  std::uint64_t memory = 0;
};

class Execution;
struct MutexState {
  int owner = -1;
  int last_owner = -1;
  std::size_t released_at = 0;  ///< how many stores the last owner had made when it unlocked
};

/// One execution of a scenario, and the search through all of them.
class Execution {
 public:
  explicit Execution(const Limits& limits) : limits_{limits} {}
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // ---- For scenarios --------------------------------------------------------------------------

  /// Adds a thread.
  void thread(std::string name, std::function<void()> body) {
    Thread& added = *threads_.emplace_back(std::make_unique<Thread>());
    added.name = std::move(name);
    added.body = std::move(body);
    const auto self = static_cast<int>(threads_.size()) - 1;
    if (fibers_.size() < threads_.size()) fibers_.push_back(std::make_unique<Fiber>());
    fibers_[threads_.size() - 1]->begin([this, self] {
      at(self).body();
      linger("end");
      at(self).state = State::done;
      leave(true);
    });
  }
  /// Called once nothing can happen any more; returns what is wrong, or nothing.
  void at_rest(std::function<std::string()> check) { check_ = std::move(check); }
  /// A last thread, begun at rest. After it every thread must come to its end.
  void finale(std::function<void()> body) { finale_ = std::move(body); }
  /// For a thread: blocks until the very end of the execution.
  void block_for_ever() {
    linger("block");
    at(current_).state = State::stuck;
    leave(false);
  }
  /// For a thread: ends the execution as a failure.
  [[noreturn]] void fail(std::string reason) {
    if (violation_.empty()) violation_ = std::move(reason);
    Fiber::change(fiber(current_), main_, true);
    std::abort();
  }

  /// The execution that is running on this thread, if it is inside one of its threads.
  static Execution* running() noexcept {
    return active != nullptr && active->current_ >= 0 ? active : nullptr;
  }

  // ---- For the modelled platform --------------------------------------------------------------

  /// Before each step that others can notice: somebody else may be scheduled first.
  void point(const char* operation) {
    if (++steps_ > most_steps) fail("a thread runs on without end");
    at(current_).next = operation;
    const int next = pick(true);
    if (next != current_) change_to(next, false);
    trace_.push_back({current_, at(current_).next});
  }

  /// One of `options` possibilities.
  unsigned choose(unsigned options) {
    if (options < 2) return 0;
    if (random_) return static_cast<unsigned>(random() % options);
    if (depth_ == path_.size()) path_.push_back({0, options});
    return path_[depth_++].taken;
  }

  std::uint64_t load(Location& location) {
    const std::vector<Store>& own = at(current_).buffer;
    for (auto store = own.rbegin(); store != own.rend(); ++store) {
      if (store->location == &location) return store->value;
    }
    flush_others(location);
    return location.memory;
  }
  void store(Location& location, std::uint64_t value) {
    at(current_).buffer.push_back({&location, value});
    ++at(current_).stored;
    ++buffered_;
  }
  /// What a read-modify-write does before its effect: makes our own stores visible.
  std::uint64_t load_for_update(Location& location) {
    drain(current_);
    flush_others(location);
    return location.memory;
  }
  /// Every thread executes a fence, each at its own moment during the call.
  void fence_all() {
    drain(current_);
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (at(static_cast<int>(i)).buffer.empty()) continue;
      point("membarrier");
      drain(static_cast<int>(i));
    }
  }
  void fence_self() { drain(current_); }

  void lock(MutexState& mutex) {
    point("lock");
    while (mutex.owner >= 0) {
      at(current_).state = State::locking;
      at(current_).mutex = &mutex;
      leave(false);
    }
    take(mutex);
  }
  bool try_lock(MutexState& mutex) {
    point("try_lock");
    if (mutex.owner >= 0) return false;
    take(mutex);
    return true;
  }
  void unlock(MutexState& mutex) {
    mutex.released_at = at(current_).stored;
    mutex.last_owner = mutex.owner;
    mutex.owner = -1;
  }

  /// @return false if the wait ended by time-out
  bool wait(const void* condition, MutexState& mutex, bool timed) {
    point(timed ? "timed wait" : "wait");
    unlock(mutex);
    drain(current_);  // a thread that sleeps has left its processor
    Thread& self = at(current_);
    self.state = State::waiting;
    self.condition = condition;
    self.timed = timed;
    self.timed_out = false;
    leave(false);
    const bool in_time = !self.timed_out;
    while (mutex.owner >= 0) {
      self.state = State::locking;
      self.mutex = &mutex;
      leave(false);
    }
    take(mutex);
    return in_time;
  }
  void notify(const void* condition, bool everybody) {
    point("notify");
    std::vector<int>& waiters = options_;
    waiters.clear();
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      const Thread& thread = *threads_[i];
      if (thread.state == State::waiting && thread.condition == condition) {
        waiters.push_back(static_cast<int>(i));
      }
    }
    if (waiters.empty()) return;
    if (everybody) {
      for (const int waiter : waiters) at(waiter).state = State::ready;
    } else {
      at(waiters[choose(static_cast<unsigned>(waiters.size()))]).state = State::ready;
    }
  }

  // ---- The search -----------------------------------------------------------------------------

  /// Runs `build(execution)`, which adds the threads, and then the threads, through every schedule.
  Outcome search(const std::function<void(Execution&)>& build) {
    Outcome outcome;
    Execution* const outer = std::exchange(active, this);
    while (run_one(build, outcome)) {
      while (!path_.empty() && path_.back().taken + 1 == path_.back().options) path_.pop_back();
      outcome.complete = path_.empty();
      if (path_.empty() || outcome.schedules >= limits_.schedules) break;
      ++path_.back().taken;
    }
    random_ = true;
    for (std::size_t i = 0; i < limits_.random_schedules; ++i) {
      if (!outcome.violation.empty() || !run_one(build, outcome)) break;
    }
    random_ = false;
    active = outer;
    return outcome;
  }

 private:
  static constexpr std::size_t most_steps = 5'000;

  enum class State : std::uint8_t { ready, locking, waiting, stuck, done };

  struct Store {
    Location* location;
    std::uint64_t value;
  };
  struct Thread {
    std::string name;
    std::function<void()> body;
    State state = State::ready;
    MutexState* mutex = nullptr;
    const void* condition = nullptr;
    bool timed = false;
    bool timed_out = false;
    const char* next = "begin";
    std::vector<Store> buffer;
    std::size_t stored = 0;   ///< stores ever put into the buffer
    std::size_t flushed = 0;  ///< stores ever made visible
  };
  struct Choice {
    unsigned taken;
    unsigned options;
  };
  struct Step {
    int thread;
    const char* operation;
  };

  Thread& at(int index) { return *threads_[static_cast<std::size_t>(index)]; }
  Fiber& fiber(int index) { return *fibers_[static_cast<std::size_t>(index)]; }

  /// @return true if the properties held
  bool run_one(const std::function<void(Execution&)>& build, Outcome& outcome) {
    reset();
    build(*this);
    run();
    ++outcome.schedules;
    outcome.most_steps = std::max(outcome.most_steps, steps_);
    if (!violation_.empty()) outcome.violation = violation_ + "\n" + describe();
    return violation_.empty();
  }

  /// Numbers that are the same in every run: xorshift64, after Marsaglia.
  std::uint64_t random() noexcept {
    seed_ ^= seed_ << 13U;
    seed_ ^= seed_ >> 7U;
    seed_ ^= seed_ << 17U;
    return seed_ >> 11U;
  }

  void reset() {
    threads_.clear();
    check_ = nullptr;
    finale_ = nullptr;
    trace_.clear();
    violation_.clear();
    depth_ = steps_ = buffered_ = 0;
    preemptions_ = time_outs_ = 0;
    current_ = -1;
  }

  /// Runs the threads until nothing can happen any more.
  void run() {
    for (bool finale = false;;) {
      resume();
      if (!violation_.empty()) return;
      if (limits_.time_outs == TimeOuts::at_rest && !finale && end_a_timed_wait()) continue;
      if (!finale) {
        if (check_) violation_ = check_();
        if (!violation_.empty()) return;
        if (finale_) thread("finale", finale_);
        finale = true;
        continue;
      }
      break;
    }
    for (const auto& thread : threads_) {
      if (thread->state == State::stuck) thread->state = State::ready;
    }
    resume();
    for (const auto& thread : threads_) {
      if (thread->state != State::done) violation_ = thread->name + " never ends";
    }
  }

  /// From outside the threads: lets them run until none can.
  void resume() {
    const int next = pick(false);
    if (next < 0) return;
    current_ = next;
    Fiber::change(main_, fiber(next));
    current_ = -1;
  }

  bool end_a_timed_wait() {
    std::vector<int> sleepers;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (sleeps(*threads_[i])) sleepers.push_back(static_cast<int>(i));
    }
    if (sleepers.empty() || time_outs_ >= limits_.most_time_outs) return false;
    time_out(sleepers[choose(static_cast<unsigned>(sleepers.size()))]);
    return true;
  }
  static bool sleeps(const Thread& thread) {
    return thread.state == State::waiting && thread.timed;
  }
  void time_out(int index) {
    ++time_outs_;
    at(index).timed_out = true;
    at(index).state = State::ready;
  }

  static bool enabled(const Thread& thread) {
    return thread.state == State::ready ||
           (thread.state == State::locking && thread.mutex->owner < 0);
  }

  /// Who goes on. -1 if nobody can.
  int pick(bool current_can_go_on) {
    options_.clear();
    if (current_can_go_on) options_.push_back(current_);
    if (random_ ? !current_can_go_on || random() % 4 == 0
                : !current_can_go_on || preemptions_ < limits_.preemptions) {
      const bool may_time_out =
          limits_.time_outs == TimeOuts::any_time && time_outs_ < limits_.most_time_outs;
      for (std::size_t i = 0; i < threads_.size(); ++i) {
        const auto index = static_cast<int>(i);
        if (current_can_go_on && index == current_) continue;
        if (enabled(*threads_[i]) || (may_time_out && sleeps(*threads_[i]))) {
          options_.push_back(index);
        }
      }
    }
    if (options_.empty()) return -1;
    const int chosen = options_[choose(static_cast<unsigned>(options_.size()))];
    if (current_can_go_on && chosen != current_) ++preemptions_;
    if (at(chosen).state == State::waiting) time_out(chosen);
    return chosen;
  }

  void change_to(int next, bool last) {
    Fiber& from = fiber(current_);
    const int self = current_;
    current_ = next;
    Fiber::change(from, next < 0 ? main_ : fiber(next), last);
    current_ = self;
    at(self).state = State::ready;
  }
  /// The current thread cannot go on.
  void leave(bool last) { change_to(pick(false), last); }

  void take(MutexState& mutex) {
    mutex.owner = current_;
    drain(current_);
    if (mutex.last_owner < 0) return;
    Thread& before = at(mutex.last_owner);  // its stores until it unlocked come before
    while (before.flushed < mutex.released_at) flush_first(before);
  }

  void flush_first(Thread& thread) {
    thread.buffer.front().location->memory = thread.buffer.front().value;
    thread.buffer.erase(thread.buffer.begin());
    ++thread.flushed;
    --buffered_;
  }
  /// Gives others the time to run before what is in the buffer becomes visible.
  void linger(const char* operation) {
    if (!at(current_).buffer.empty()) point(operation);
    drain(current_);
  }
  void drain(int index) {
    while (!at(index).buffer.empty()) flush_first(at(index));
  }
  /// Lets the stores of others to `location` become visible, or not, in any order.
  void flush_others(const Location& location) {
    while (buffered_ > at(current_).buffer.size()) {
      std::vector<Thread*> writers;
      for (std::size_t i = 0; i < threads_.size(); ++i) {
        if (static_cast<int>(i) != current_ && position_of(*threads_[i], location) != 0) {
          writers.push_back(threads_[i].get());
        }
      }
      const unsigned chosen = choose(static_cast<unsigned>(writers.size()) + 1);
      if (chosen == 0) return;
      Thread& writer = *writers[chosen - 1];
      for (std::size_t left = position_of(writer, location); left != 0; --left) flush_first(writer);
    }
  }
  /// The first buffered store to `location`, counted from 1; 0 if there is none.
  static std::size_t position_of(const Thread& thread, const Location& location) {
    for (std::size_t i = 0; i < thread.buffer.size(); ++i) {
      if (thread.buffer[i].location == &location) return i + 1;
    }
    return 0;
  }

  std::string describe() {
    std::string text;
    int last = -1;
    for (const Step& step : trace_) {
      if (step.thread != last) text += "\n  " + at(step.thread).name + ":";
      text += std::string{" "} + step.operation;
      last = step.thread;
    }
    return text;
  }

  static inline thread_local Execution* active = nullptr;

  const Limits limits_;
  Fiber main_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::function<std::string()> check_;
  std::function<void()> finale_;
  std::vector<Choice> path_;
  std::vector<Step> trace_;
  std::vector<int> options_;
  std::string violation_;
  std::size_t depth_ = 0;
  std::size_t steps_ = 0;
  std::size_t buffered_ = 0;  ///< stores in all buffers together
  unsigned preemptions_ = 0;
  unsigned time_outs_ = 0;
  int current_ = -1;
  bool random_ = false;
  std::uint64_t seed_ = 0x9E3779B97F4A7C15;
};

/// Explores every schedule of the threads that `build(execution)` adds.
inline Outcome explore(const Limits& limits, const std::function<void(Execution&)>& build) {
  return Execution{limits}.search(build);
}

}  // namespace gossip::test::model
