// SPDX-License-Identifier: MIT
#include <gossip/dispatch/start_thread.hpp>

#include <catch2/catch_test_macros.hpp>

#include <thread>

TEST_CASE("start_thread: the body runs on a thread of its own with its context", "[dispatch]") {
  std::thread::id runner;
  std::thread thread = gossip::detail::start_thread(
      [](void* context) { *static_cast<std::thread::id*>(context) = std::this_thread::get_id(); },
      &runner);
  const std::thread::id started = thread.get_id();
  thread.join();
  REQUIRE(runner == started);
  REQUIRE(runner != std::this_thread::get_id());
}
