// SPDX-License-Identifier: MIT
#include <gossip/dispatch/stop_signal.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <stop_token>
#include <thread>
#include <vector>

using gossip::detail::StopSignal;

TEST_CASE("StopSignal: a token tells of a request", "[dispatch]") {
  StopSignal signal;
  signal.arm();
  const std::stop_token token = signal.token();
  bool called = false;
  const std::stop_callback callback{token, [&] { called = true; }};
  CHECK_FALSE(token.stop_requested());
  signal.arm();  // changes nothing
  signal.request();
  CHECK(token.stop_requested());
  CHECK(called);
}

TEST_CASE("StopSignal: a request that came before is told of", "[dispatch]") {
  StopSignal signal;
  signal.request();
  signal.request();
  signal.arm();
  CHECK(signal.token().stop_requested());
}

TEST_CASE("StopSignal: who is told may ask the signal", "[dispatch]") {
  StopSignal signal;
  signal.arm();
  bool told = false;
  const std::stop_callback callback{signal.token(), [&] {
                                      signal.arm();  // would wait for ever, were the lock held
                                      signal.request();
                                      told = signal.token().stop_requested();
                                    }};
  signal.request();
  CHECK(told);
}

TEST_CASE("StopSignal: a request is not missed by who arms it at the same time", "[dispatch]") {
  for (int round = 0; round < 200; ++round) {
    StopSignal signal;
    std::atomic<int> ready{0};
    const auto meet = [&] {
      ++ready;
      while (ready < 3) std::this_thread::yield();
    };
    std::array<std::stop_token, 2> tokens;
    std::vector<std::thread> threads;
    for (std::stop_token& token : tokens) {
      threads.emplace_back([&] {
        meet();
        signal.arm();
        token = signal.token();
      });
    }
    meet();
    signal.request();
    for (std::thread& thread : threads) thread.join();
    REQUIRE(tokens[0].stop_requested());
    REQUIRE(tokens[1].stop_requested());
  }
}
