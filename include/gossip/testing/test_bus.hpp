// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TestBus: a bus that does nothing until it is told to, on the caller's thread, in a time of its own.
/// Layer: testing.

#include <gossip/bus/bus_core.hpp>
#include <gossip/bus/event_bus.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/keeper.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/testing/caller_drive.hpp>
#include <gossip/testing/test_provider.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>

namespace gossip {

namespace detail {
/// What a TestBus adds to.
using TestBusBase = EventBus<testing::TestProvider, ManualClock>;
}  // namespace detail

namespace testing {

/// What can be chosen for a TestBus.
struct TestBusOptions {
  /// Chooses the order in which what waits is run, the same one on every machine. 0: as one worker
  /// would, first come first served but for priorities. Any other number: in an order that
  /// BusOptions::workers workers might show. (The keys of one subscription's Ordering take turns.)
  std::uint64_t seed = 0;
  /// As for an EventBus, but that its workers are played: `workers` is how many events may have been
  /// taken and not begun, while others overtake them; 0 stands for 4. There are no threads to have
  /// names, cores or hooks.
  BusOptions bus = {};
};

/// An EventBus for tests. Publishing queues; processors, retries, schedules and batches of the bus run
/// inside run_one(), run_until_idle() and advance(), on the thread that calls them. Everything but the
/// threads is what an EventBus has, so what is tested is what will run. Time stands still but for
/// advance(); but an Event that is built by hand has its time stamp from the system's clock, which
/// differs from run to run: publish type and data where a test looks at time stamps.
///
/// @code
/// testing::TestBus bus{{.seed = 7}};
/// auto subscription = bus.subscribe(order_created, chain(retry({.max_attempts = 3}))(charge));
/// bus.publish(order_created, {.id = "o-1"});
/// bus.run_until_idle();     // the first attempt
/// bus.advance(1s);          // the others
/// @endcode
///
/// Where an EventBus would make the caller wait for its workers (a full queue with
/// OverflowPolicy::block, a batch that they are to flush) a TestBus does their work; for a retry inside
/// publish_sync it lets time pass. Batch::flush does not: advance() to a failed batch's next attempt.
///
/// Example: tests/unit/testing/test_bus_test.cpp.
///
/// Thread safety: publishing and subscribing from any thread; the rest, and destruction, on the thread
/// that made it. Several may exist on one thread; not inside a worker of another bus.
class TestBus : public detail::TestBusBase {
 public:
  /// @throws as EventBus
  /// @{
  explicit TestBus(const TestBusOptions& options = {}) : TestBus{options, ManualClock{}} {}
  /// @param clock  may be shared with other buses; move it by advance()
  TestBus(const TestBusOptions& options, ManualClock clock)
      : TestBus{options.seed, clock,
                detail::KeeperOf<Core>{new Core{Core::checked(with_workers(options.bus)),
                                                TestProvider::Options{}, clock}}} {}
  /// @}
  TestBus(const TestBus&) = delete;
  TestBus& operator=(const TestBus&) = delete;
  /// As shutdown(). What cannot be brought to an end is abandoned.
  ~TestBus() {
    try {
      shutdown();
    } catch (const std::exception&) {
      drive_.leave();
    }
  }

  /// Runs one event, or one task of the bus's own (a retry, a scheduled event, a batch).
  /// @return  false if there is nothing to do at this time
  bool run_one() { return drive_.run_one(); }

  /// Runs everything, and what that leads to at this time.
  /// @param limit  how much at most // events and tasks
  /// @return       how much there was // events and tasks
  /// @throws std::runtime_error  there is more: perhaps events go round in a circle
  std::size_t run_until_idle(std::size_t limit = detail::CallerDrive::generous) {
    return drive_.run_all(limit);
  }

  /// Runs one after the other until `condition()` holds.
  /// @return  false if it does not when all is done
  template <class Condition>
  [[nodiscard]] bool run_until(Condition&& condition) {
    while (!condition()) {
      if (!run_one()) return condition();
    }
    return true;
  }

  /// True if there is nothing to do before time goes on.
  [[nodiscard]] bool idle() const noexcept { return drive_.idle(); }

  /// Runs everything, moves the time on and runs what becomes due on the way, each at its own moment:
  /// a schedule of every second is fired ten times by advance(10s).
  /// @param time  not negative
  /// @throws      as run_until_idle
  void advance(std::chrono::nanoseconds time) {
    drive_.pass_until(detail::later(clock_.now(), time));
  }

  /// The clock that the bus goes by; a copy shares its time.
  [[nodiscard]] const ManualClock& clock() const noexcept { return clock_; }

  /// Runs everything. As long as deliveries wait for their next attempt, time goes on.
  /// @return  true if every event has been handled
  /// @throws  as run_until_idle
  bool drain() { return finish(SteadyTime::max()); }
  /// @param time  how far time may go on
  bool drain_for(std::chrono::nanoseconds time) {
    return finish(detail::later(clock_.now(), time));
  }

  /// Closes the bus, drains it, and abandons what is left; see EventBus::shutdown.
  /// @param time  how far time may go on
  /// @throws      as run_until_idle
  /// @{
  ShutdownReport shutdown(std::chrono::nanoseconds time) {
    drive_.close();
    finish(detail::later(clock_.now(), time));
    drive_.leave();
    return EventBus::shutdown(std::chrono::nanoseconds{0});
  }
  ShutdownReport shutdown() { return shutdown(shutdown_timeout_); }
  /// @}

 private:
  using Core = detail::BusCore<TestProvider, ManualClock>;

  TestBus(std::uint64_t seed, ManualClock clock, const detail::KeeperOf<Core>& core)
      : EventBus{core},
        clock_{std::move(clock)},
        shutdown_timeout_{core->dispatcher().options().shutdown_timeout},
        drive_{core->dispatcher(), core->provider().openers(), clock_,
               core->dispatcher().options().workers, seed} {}

  static BusOptions with_workers(BusOptions options) {
    if (options.workers == 0) options.workers = 4;
    return options;
  }

  bool finish(SteadyTime deadline) {
    drive_.run_all();
    while (!drive_.all_handled() && drive_.next_time() <= deadline &&
           drive_.next_time() != SteadyTime::max()) {
      drive_.pass_to_next();
    }
    return drive_.all_handled();
  }

  ManualClock clock_;
  std::chrono::nanoseconds shutdown_timeout_;
  detail::CallerDrive drive_;
};

}  // namespace testing
}  // namespace gossip
