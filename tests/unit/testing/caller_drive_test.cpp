// SPDX-License-Identifier: MIT
// What a bus makes of it is in test_bus_test.cpp.
#include <gossip/bus/bus_core.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/dispatch/current_thread.hpp>
#include <gossip/testing/caller_drive.hpp>
#include <gossip/testing/test_provider.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

using gossip::BusOptions;
using gossip::EventType;
using gossip::ManualClock;
using gossip::detail::BusCore;
using gossip::detail::CallerDrive;
using gossip::detail::current_thread;
using gossip::detail::Help;
using gossip::testing::TestProvider;
using namespace std::chrono_literals;

namespace {

/// The core of a bus without workers, and what drives it.
struct Driven {
  explicit Driven(const BusOptions& options = {.workers = 1}, std::uint64_t seed = 0)
      : core{new BusCore<TestProvider, ManualClock>{gossip::detail::held(options),
                                                    TestProvider::Options{}, clock}} {
    drive.emplace(core->dispatcher(), core->provider().openers(), clock, options.workers, seed);
  }

  /// Posts a task that appends `value` to `seen`.
  void post(int value) {
    core->dispatcher().posted().post([this, value] { seen.push_back(value); });
  }

  ManualClock clock;
  gossip::detail::KeeperOf<BusCore<TestProvider, ManualClock>> core;
  std::optional<CallerDrive> drive;
  std::vector<int> seen;
};

Help help() { return current_thread.help(current_thread.worker_of); }

}  // namespace

TEST_CASE("CallerDrive: its thread is a worker while it exists", "[testing]") {
  CHECK(current_thread.worker_of == nullptr);
  {
    Driven first;
    CHECK(current_thread.worker_of == &first.core->dispatcher());
    {
      Driven second;
      CHECK(current_thread.worker_of == &second.core->dispatcher());
      // Ends out of turn.
      Driven third;
      second.drive.reset();
      CHECK(current_thread.worker_of == &third.core->dispatcher());
    }
    CHECK(current_thread.worker_of == &first.core->dispatcher());
    first.drive->leave();
    CHECK(current_thread.worker_of == nullptr);
  }
  CHECK(current_thread.worker_of == nullptr);
}

TEST_CASE("CallerDrive: while something runs, the thread is the worker of that bus", "[testing]") {
  Driven first;
  Driven second;
  std::vector<const void*> workers;
  for (Driven* each : {&first, &second}) {
    each->core->dispatcher().posted().post([&] { workers.push_back(current_thread.worker_of); });
  }
  CHECK(first.drive->run_one());
  CHECK(second.drive->run_one());
  CHECK(workers == std::vector<const void*>{&first.core->dispatcher(), &second.core->dispatcher()});
}

TEST_CASE("CallerDrive: who has to wait runs something of any bus of the thread", "[testing]") {
  Driven first;
  Driven second;
  first.post(1);
  CHECK(help() == Help::ran);
  CHECK(first.seen == std::vector{1});
  second.post(2);
  CHECK(help() == Help::ran);
  CHECK(second.seen == std::vector{2});
  CHECK(help() == Help::no_event);
}

TEST_CASE("CallerDrive: help ends where events are nested too deep", "[testing]") {
  constexpr EventType<int> number{"drive.number"};
  Driven driven{{.workers = 1, .max_nesting = 3}};
  auto& dispatcher = driven.core->dispatcher();
  auto& entry = driven.core->meet<int>(number.key());
  std::vector<Help> answers;
  const auto nest = [&](int) { answers.push_back(help()); };
  dispatcher.subscribe(entry, gossip::detail::erase_processor<int>(nest), {});
  for (int i = 0; i < 5; ++i) REQUIRE(driven.core->publish<int>(entry, i).ok());
  CHECK(driven.drive->run_one());
  CHECK(answers == std::vector{Help::too_deep, Help::ran, Help::ran});
}

TEST_CASE("CallerDrive: tasks change places too, and those left are abandoned", "[testing]") {
  Driven driven{{.workers = 4}, 11};
  for (int i = 0; i < 8; ++i) driven.post(i);
  for (int i = 0; i < 4; ++i) CHECK(driven.drive->run_one());
  CHECK(driven.seen != std::vector{0, 1, 2, 3});
  CHECK(driven.core->dispatcher().posted().pending() == 4);
  driven.drive->leave();
  CHECK(driven.core->shutdown(0s).complete);
  CHECK(driven.core->dispatcher().posted().pending() == 0);
  CHECK(driven.seen.size() == 4);
}

TEST_CASE("CallerDrive: events taken and not run are counted as abandoned", "[testing]") {
  constexpr EventType<int> number{"drive.number"};
  Driven driven{{.workers = 4}, 11};
  auto& entry = driven.core->meet<int>(number.key());
  for (int i = 0; i < 10; ++i) REQUIRE(driven.core->publish<int>(entry, i).ok());
  CHECK(driven.drive->run_one());
  CHECK_FALSE(driven.drive->all_handled());
  driven.drive->leave();
  CHECK(driven.core->shutdown(0s).abandoned == 9);
  const auto stats = driven.core->dispatcher().statistics();
  CHECK(stats.published == stats.handled + stats.abandoned);
}

TEST_CASE("CallerDrive: a limit that is reached is an error only if there is more", "[testing]") {
  Driven driven;
  for (int i = 0; i < 3; ++i) driven.post(i);
  CHECK(driven.drive->run_all(3) == 3);
  for (int i = 0; i < 4; ++i) driven.post(i);
  CHECK_THROWS_AS(driven.drive->run_all(3), std::runtime_error);
  CHECK(driven.drive->run_all() == 1);
}

TEST_CASE("CallerDrive: time passes by way of every task of the timer", "[testing]") {
  Driven driven;
  auto& timer = driven.core->dispatcher().timer();
  const auto begin = driven.clock.now();
  std::vector<std::chrono::nanoseconds> times;
  timer.schedule(begin + 2s, [&] { times.push_back(driven.clock.now() - begin); });
  timer.schedule(begin + 1s, [&] {
    times.push_back(driven.clock.now() - begin);
    timer.schedule(begin + 1500ms, [&] { times.push_back(driven.clock.now() - begin); });
  });
  driven.drive->pass_until(begin + 1s);
  CHECK(times == std::vector<std::chrono::nanoseconds>{1s});
  driven.drive->pass_until(begin + 5s);
  CHECK(times == std::vector<std::chrono::nanoseconds>{1s, 1500ms, 2s});
  CHECK(driven.clock.now() == begin + 5s);
  CHECK(driven.drive->next_time() == gossip::SteadyTime::max());
}
