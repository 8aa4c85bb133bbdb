// SPDX-License-Identifier: MIT
#include <gossip/dispatch/start_thread.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <thread>
#include <type_traits>
#include <utility>

using gossip::detail::start_thread;
using gossip::detail::Thread;

static_assert(!std::is_copy_constructible_v<Thread>);

TEST_CASE("start_thread: the body runs on a thread of its own with its context", "[dispatch]") {
  struct Seen {
    std::atomic<const Thread*> thread{nullptr};
    bool itself = false;
    std::thread::id id;
  } seen;
  Thread thread = start_thread(
      [](void* context) {
        auto& self = *static_cast<Seen*>(context);
        (void)gossip::testing::wait_for([&] { return self.thread.load() != nullptr; });
        self.itself = self.thread.load()->is_current();
        self.id = std::this_thread::get_id();
      },
      &seen);
  CHECK(thread.joinable());
  CHECK_FALSE(thread.is_current());
  seen.thread = &thread;
  thread.join();
  CHECK_FALSE(thread.joinable());
  CHECK(seen.itself);
  CHECK(seen.id != std::this_thread::get_id());
}

TEST_CASE("Thread: moving hands the thread on", "[dispatch]") {
  std::atomic<bool> ran{false};
  Thread first =
      start_thread([](void* context) { *static_cast<std::atomic<bool>*>(context) = true; }, &ran);
  Thread second{std::move(first)};
  CHECK_FALSE(first.joinable());  // NOLINT(bugprone-use-after-move): what is asked
  REQUIRE(second.joinable());
  first = std::move(second);
  CHECK_FALSE(second.joinable());  // NOLINT(bugprone-use-after-move): likewise
  REQUIRE(first.joinable());
  first.join();
  CHECK(ran);
}

TEST_CASE("Thread: a detached one goes on by itself", "[dispatch]") {
  static std::atomic<bool> ran{false};
  Thread thread = start_thread([](void*) { ran = true; }, nullptr);
  thread.detach();
  CHECK_FALSE(thread.joinable());
  CHECK(gossip::testing::wait_for([] { return ran.load(); }));
}
