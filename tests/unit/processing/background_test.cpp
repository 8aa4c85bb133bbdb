// SPDX-License-Identifier: MIT
#include <gossip/processing/background.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <set>
#include <thread>
#include <vector>

using gossip::detail::Background;
using gossip::detail::BatchExecutor;
using gossip::detail::BatchTask;
using gossip::test::Door;
using gossip::test::Tally;

namespace {

/// Something that can be posted, and waits inside until it is let go.
struct Work {
  static std::shared_ptr<Work> make(bool waits) {
    auto work = std::make_shared<Work>();
    work->task.work = [](void* self) noexcept { static_cast<Work*>(self)->run(); };
    if (!waits) work->leave.open();
    return work;
  }
  static bool post(Background& background, const std::shared_ptr<Work>& work) {
    work->task.batch = work;
    if (background.post(work->task)) return true;
    work->task.batch = nullptr;
    return false;
  }
  void run() {
    thread = std::this_thread::get_id();
    inside.open();
    leave.wait();
    ran.add();
  }

  BatchTask task;
  Door inside;
  Door leave;
  Tally ran;
  std::thread::id thread;
};

}  // namespace

TEST_CASE("Background: runs what is posted on its own threads", "[batch]") {
  Background background;
  const auto work = Work::make(false);
  REQUIRE(Work::post(background, work));
  REQUIRE(work->ran.wait_for(1));
  CHECK(work->thread != std::this_thread::get_id());
  for (std::size_t i = 2; i < 100; ++i) {
    REQUIRE(Work::post(background, work));
    REQUIRE(work->ran.wait_for(i));
  }
}

TEST_CASE("Background: what blocks one thread leaves the others, up to a limit", "[batch]") {
  Background background;
  std::vector<std::shared_ptr<Work>> blocking;
  std::set<std::thread::id> threads;
  for (std::size_t i = 0; i < Background::max_threads; ++i) {
    blocking.push_back(Work::make(true));
    REQUIRE(Work::post(background, blocking.back()));
    REQUIRE(blocking.back()->inside.wait());
    threads.insert(blocking.back()->thread);
  }
  CHECK(threads.size() == Background::max_threads);
  const auto last = Work::make(false);
  REQUIRE(Work::post(background, last));
  CHECK(last->ran.count() == 0);
  blocking.front()->leave.open();
  CHECK(last->ran.wait_for(1));
  for (const auto& work : blocking) work->leave.open();
}

TEST_CASE("Background: stop runs what was posted, and refuses what comes then", "[batch]") {
  Background background;
  std::vector<std::shared_ptr<Work>> all;
  for (int i = 0; i < 50; ++i) {
    all.push_back(Work::make(false));
    REQUIRE(Work::post(background, all.back()));
  }
  background.stop();
  for (const auto& work : all) CHECK(work->ran.count() == 1);
  CHECK_FALSE(Work::post(background, all.front()));
  background.stop();
  BatchExecutor executor = background.executor();
  CHECK_FALSE(executor.schedule(executor.now(executor.owner.get()), [] {}));
}

TEST_CASE("Background: its executor goes by real time", "[batch]") {
  Background background;
  const BatchExecutor executor = background.executor();
  Door ran;
  CHECK(executor.schedule(executor.now(executor.owner.get()), [&] { ran.open(); }));
  CHECK(ran.wait());
  const auto before = std::chrono::system_clock::now();
  const auto time = executor.stamp(executor.owner.get()).resolve(executor.source);
  CHECK(time > before - std::chrono::minutes{1});
  CHECK(time < before + std::chrono::minutes{1});
}

TEST_CASE("Background: all batches without a bus share one", "[batch]") {
  CHECK(&Background::shared() == &Background::shared());
}
