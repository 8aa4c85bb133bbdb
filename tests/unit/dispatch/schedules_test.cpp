// SPDX-License-Identifier: MIT
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/dispatcher.hpp>
#include <gossip/dispatch/schedules.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using gossip::BusOptions;
using gossip::Errc;
using gossip::EventType;
using gossip::ManualClock;
using gossip::Statistics;
using gossip::Status;
using gossip::SteadyTime;
using gossip::detail::ClockView;
using gossip::detail::Dispatcher;
using gossip::detail::HeldSchedule;
using gossip::detail::Schedules;
using gossip::detail::Timer;
using gossip::test::Door;
using gossip::test::patience;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"schedules.number"};

/// A dispatcher with one worker, whose time stands still.
struct Fixture {
  explicit Fixture(BusOptions options = {})
      : dispatcher{gossip::detail::held(prepared(std::move(options))), ClockView::of(clock),
                   Timer::Drive::run_due} {
    follower = clock.follow([this] { dispatcher.timer().run_due(); });
    dispatcher.start(nullptr);
  }
  ~Fixture() { shutdown(0s); }
  BusOptions prepared(BusOptions options) {
    options.workers = 1;
    options.on_error = [this](const gossip::ErrorReport& report) {
      reported.push_back(std::string{report.event_type} + ": " + std::string{report.status.what()});
      if (report.subscription.serial != 0 || !report.subscription_name.empty()) reported.clear();
    };
    return options;
  }
  template <class Publish>
  Status begin(std::chrono::nanoseconds delay, Publish publish, HeldSchedule& made,
               std::chrono::nanoseconds period = 0s) {
    return schedules.begin(dispatcher.entry_of<int>(number.key()), clock.now() + delay, period,
                           std::move(publish), made);
  }
  /// A schedule that notes `value` when it is published.
  HeldSchedule note(std::chrono::nanoseconds delay, int value,
                    std::chrono::nanoseconds period = 0s) {
    HeldSchedule made;
    const Status status = begin(
        delay,
        [this, value, token = token] {
          published.push_back(value);
          return Status{};
        },
        made, period);
    REQUIRE(status.ok());
    return made;
  }
  bool drain() { return dispatcher.drain(std::chrono::steady_clock::now() + patience); }
  void advance(std::chrono::nanoseconds step) {
    clock.advance(step);
    REQUIRE(drain());
  }
  gossip::ShutdownReport shutdown(std::chrono::nanoseconds timeout) {
    return dispatcher.shutdown(timeout, [](SteadyTime) {});
  }
  Statistics stats() const { return dispatcher.statistics(); }

  ManualClock clock;
  std::vector<std::string> reported;
  std::vector<int> published;  ///< by the one worker, read after a drain
  std::shared_ptr<int> token = std::make_shared<int>(0);
  Dispatcher dispatcher;
  Schedules& schedules = dispatcher.schedules();
  std::shared_ptr<void> follower;
};

/// Keeps a worker busy until it is released.
struct Busy {
  explicit Busy(Fixture& fixture) {
    REQUIRE(fixture.dispatcher.posted().post([this]() noexcept {
      inside.open();
      go_on.wait();
    }));
    REQUIRE(inside.wait());
  }
  Door inside;
  Door go_on;
};

bool balanced(const Statistics& stats) {
  return stats.scheduled == stats.scheduled_fired + stats.scheduled_cancelled +
                                stats.scheduled_dropped + stats.scheduled_waiting;
}

}  // namespace

TEST_CASE("Schedules: by time, and of equal times in the order of scheduling", "[dispatch]") {
  Fixture fixture;
  for (const int second : {3, 1, 2}) {
    fixture.note(std::chrono::seconds{second}, 10 * second);
    fixture.note(std::chrono::seconds{second}, 10 * second + 1);
  }
  REQUIRE(fixture.stats().scheduled_waiting == 6);
  fixture.advance(999ms);
  REQUIRE(fixture.published.empty());
  fixture.advance(1ms);
  REQUIRE(fixture.published == std::vector{10, 11});
  fixture.advance(1h);
  REQUIRE(fixture.published == std::vector{10, 11, 20, 21, 30, 31});
  REQUIRE(fixture.stats().scheduled_fired == 6);
  REQUIRE(fixture.token.use_count() == 1);
}

TEST_CASE("Schedules: what is due already goes to a worker at once, and drain waits for it",
          "[dispatch]") {
  Fixture fixture;
  fixture.note(0s, 1);
  fixture.note(-1h, 2);
  REQUIRE(fixture.drain());
  REQUIRE(fixture.published == std::vector{1, 2});
}

TEST_CASE("Schedules: a worker publishes, not the thread that moves the time", "[dispatch]") {
  Fixture fixture;
  std::thread::id thread;
  HeldSchedule made;
  REQUIRE(fixture
              .begin(
                  1s,
                  [&thread] {
                    thread = std::this_thread::get_id();
                    return Status{};
                  },
                  made)
              .ok());
  fixture.advance(1s);
  REQUIRE(thread != std::thread::id{});
  REQUIRE(thread != std::this_thread::get_id());
}

TEST_CASE("Schedules: a cancelled one is never published, wherever it is", "[dispatch]") {
  Fixture fixture;
  const HeldSchedule in_timer = fixture.note(1s, 1);
  const HeldSchedule in_queue = fixture.note(1s, 2);
  const HeldSchedule kept = fixture.note(1s, 3);
  REQUIRE(fixture.token.use_count() == 4);
  REQUIRE(fixture.schedules.cancel(*in_timer));
  REQUIRE_FALSE(fixture.schedules.cancel(*in_timer));
  REQUIRE(fixture.token.use_count() == 3);  // at once
  REQUIRE(fixture.dispatcher.timer().pending() == 2);
  {
    Busy busy{fixture};
    fixture.clock.advance(1s);
    REQUIRE(fixture.schedules.due() == 2);
    REQUIRE(fixture.schedules.cancel(*in_queue));
    REQUIRE(fixture.token.use_count() == 2);
    busy.go_on.open();
    REQUIRE(fixture.drain());
  }
  REQUIRE(fixture.published == std::vector{3});
  REQUIRE_FALSE(fixture.schedules.cancel(*kept));
  REQUIRE(fixture.schedules.next(*kept) == SteadyTime::max());
  REQUIRE(fixture.stats().scheduled_cancelled == 2);
  REQUIRE(balanced(fixture.stats()));
}

TEST_CASE("Schedules: cancel waits for the event that is being published", "[dispatch]") {
  for (const auto period : {0s, 1s}) {
    Fixture fixture;
    Door inside;
    Door go_on;
    std::atomic<bool> published{false};
    HeldSchedule made;
    REQUIRE(fixture
                .begin(
                    1s,
                    [&] {
                      inside.open();
                      go_on.wait();
                      published = true;
                      return Status{};
                    },
                    made, period)
                .ok());
    fixture.clock.advance(1s);
    REQUIRE(inside.wait());
    std::thread opener{[&] { go_on.open(); }};
    // The one event could not be held back; the repetition is ended.
    REQUIRE(fixture.schedules.cancel(*made) == (period != 0s));
    REQUIRE(published);
    opener.join();
    fixture.advance(1h);
    REQUIRE(fixture.stats().scheduled_skipped == 0);
    REQUIRE(balanced(fixture.stats()));
  }
}

TEST_CASE("Schedules: one may cancel itself while it is published", "[dispatch]") {
  Fixture fixture;
  HeldSchedule made;
  int times = 0;
  bool ended = false;
  REQUIRE(fixture
              .begin(
                  1s,
                  [&] {
                    ++times;
                    ended = fixture.schedules.cancel(*made);
                    return Status{};
                  },
                  made, 1s)
              .ok());
  fixture.advance(1s);
  fixture.advance(1s);
  REQUIRE(times == 1);
  REQUIRE(ended);
  REQUIRE(fixture.dispatcher.timer().pending() == 0);
}

TEST_CASE("Schedules: a repeated one does not drift, and skips what is late", "[dispatch]") {
  Fixture fixture;
  const SteadyTime start = fixture.clock.now();
  const HeldSchedule made = fixture.note(1s, 1, 1s);
  fixture.advance(999ms);
  REQUIRE(fixture.published.empty());
  fixture.advance(701ms);  // 1.7 s
  REQUIRE(fixture.published.size() == 1);
  REQUIRE(fixture.schedules.next(*made) == start + 2s);
  fixture.advance(300ms);  // 2 s: on time
  REQUIRE(fixture.published.size() == 2);
  fixture.advance(3500ms);  // 5.5 s: the one of 3 s comes, those of 4 and 5 s are skipped
  REQUIRE(fixture.published.size() == 3);
  REQUIRE(fixture.stats().scheduled_skipped == 2);
  REQUIRE(fixture.schedules.next(*made) == start + 6s);
  fixture.advance(500ms);
  REQUIRE(fixture.published.size() == 4);
  REQUIRE(fixture.schedules.cancel(*made));
  REQUIRE(fixture.schedules.next(*made) == SteadyTime::max());
  fixture.advance(1h);
  REQUIRE(fixture.published.size() == 4);
  REQUIRE(balanced(fixture.stats()));
}

TEST_CASE("Schedules: a failure is counted and told, and a repeated one goes on", "[dispatch]") {
  Fixture fixture;
  HeldSchedule refused;
  HeldSchedule thrown;
  int times = 0;
  REQUIRE(fixture
              .begin(
                  1s, []() -> Status { return Errc::queue_full; }, refused)
              .ok());
  REQUIRE(fixture
              .begin(
                  1s,
                  [&times]() -> Status {
                    if (++times == 1) throw std::runtime_error{"no copy"};
                    return {};
                  },
                  thrown, 1s)
              .ok());
  fixture.advance(1s);
  fixture.advance(1s);
  REQUIRE(times == 2);
  REQUIRE(fixture.reported ==
          std::vector<std::string>{"schedules.number: queue full",
                                   "schedules.number: processing failed: no copy"});
  REQUIRE(fixture.stats().scheduled_failed == 2);
  REQUIRE(fixture.stats().scheduled_fired == 1);
  REQUIRE(balanced(fixture.stats()));
}

TEST_CASE("Schedules: max_scheduled bounds those that are held", "[dispatch]") {
  Fixture fixture{{.max_scheduled = 2}};
  const auto nothing = [] { return Status{}; };
  const HeldSchedule first = fixture.note(1s, 1);
  fixture.note(2s, 2);
  HeldSchedule made;
  const Status status = fixture.begin(3s, nothing, made);
  REQUIRE(status == Errc::queue_full);
  REQUIRE(status.what() == "queue full: max_scheduled is 2");
  REQUIRE(made.get() == nullptr);
  REQUIRE(fixture.schedules.cancel(*first));
  REQUIRE(fixture.begin(3s, nothing, made).ok());
  REQUIRE(fixture.begin(0s, nothing, made) == Errc::queue_full);
  fixture.advance(2s);
  REQUIRE(fixture.begin(0s, nothing, made).ok());
  REQUIRE(fixture.stats().scheduled == 4);
  REQUIRE(fixture.stats().scheduled_refused == 2);
}

TEST_CASE("Schedules: a shutdown publishes what is due, and drops the rest", "[dispatch]") {
  Fixture fixture;
  HeldSchedule later;
  {
    Busy busy{fixture};
    fixture.note(0s, 1);
    later = fixture.note(1s, 2);
    fixture.note(1s, 3, 1s);
    std::thread closer{[&] {
      while (!fixture.dispatcher.closed()) std::this_thread::yield();
      fixture.clock.advance(1s);  // too late: the shutdown has begun
      busy.go_on.open();
    }};
    const auto report = fixture.shutdown(patience);
    closer.join();
    REQUIRE(report.clean());
    REQUIRE(report.dropped_scheduled == 2);
  }
  REQUIRE(fixture.published == std::vector{1});
  REQUIRE_FALSE(fixture.schedules.cancel(*later));
  HeldSchedule made;
  REQUIRE(fixture.begin(
              1s, [] { return Status{}; }, made) == Errc::closed);
  REQUIRE(fixture.stats().scheduled_dropped == 2);
  REQUIRE(fixture.stats().scheduled_waiting == 0);
  REQUIRE(fixture.token.use_count() == 1);
}

TEST_CASE("Schedules: a shutdown without time drops what no worker has begun", "[dispatch]") {
  Fixture fixture;
  fixture.dispatcher.calls().allow_contexts();
  Busy busy{fixture};
  fixture.note(0s, 1);
  std::thread opener{[&] {
    while (!fixture.dispatcher.calls().stop_token().stop_requested()) std::this_thread::yield();
    busy.go_on.open();
  }};
  const auto report = fixture.shutdown(0s);
  opener.join();
  REQUIRE(report.dropped_scheduled == 1);
  REQUIRE(fixture.published.empty());
  REQUIRE(fixture.token.use_count() == 1);
}

TEST_CASE("Schedules: what is due is not published deep inside other events", "[dispatch]") {
  // The worker waits for space in the queue, nested as deep as may be: there it would be refused.
  Fixture fixture{{.capacity = 2, .max_nesting = 2}};
  auto& entry = fixture.dispatcher.entry_of<int>(number.key());
  const auto publish = [&fixture, &entry](int value) {
    gossip::detail::Owner<gossip::detail::EventExtras> extras;
    return fixture.dispatcher.accept<int>(entry, value, {}, extras);
  };
  Door inside;
  Door go_on;
  std::atomic<int> refused{0};
  const auto processor = [&](const int& value) {
    if (value != 0) return;
    inside.open();
    go_on.wait();
    for (int i = 0; i < 8; ++i) refused += publish(1).ok() ? 0 : 1;
  };
  fixture.dispatcher.subscribe(entry, gossip::detail::erase_processor<int>(processor), {});
  REQUIRE(publish(0).ok());
  REQUIRE(inside.wait());
  std::vector<HeldSchedule> due(20);
  for (HeldSchedule& one : due) {
    REQUIRE(fixture
                .begin(
                    0s, [&publish] { return publish(2); }, one)
                .ok());
  }
  go_on.open();
  REQUIRE(fixture.drain());
  REQUIRE(refused == 0);
  REQUIRE(fixture.stats().scheduled_failed == 0);
  REQUIRE(fixture.stats().published == 1 + 8 + 20);
  fixture.dispatcher.unsubscribe_all();
}
