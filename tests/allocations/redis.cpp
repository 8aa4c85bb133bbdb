// SPDX-License-Identifier: MIT
// What becomes of an event when memory runs out on its way to Redis.
#include <gossip/redis/condition.hpp>
#include <gossip/redis/conversation.hpp>
#include <gossip/redis/stream_claims.hpp>
#include <gossip/redis/stream_intake.hpp>
#include <gossip/redis/stream_place.hpp>
#include <gossip/redis/stream_watch.hpp>
#include <gossip/redis/writer.hpp>

#include "support/counting_allocator.hpp"
#include "support/fake_redis.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <poll.h>
#include <string>
#include <vector>

using gossip::EventId;
using gossip::Status;
using gossip::redis::Command;
using gossip::redis::EncodedEvent;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::Writer;
using gossip::test::FakeRedis;
using gossip::test::greeting;

namespace {

/// A server that keeps what it is sent, and a writer that is connected with it.
struct OnServer {
  OnServer() {
    options.port = server.port();
    options.back_off_initial = options.back_off_cap = std::chrono::milliseconds{1};
    writer.start();
    REQUIRE(writer.wait_until_connected(soon()).ok());
  }
  static gossip::SteadyTime soon() {
    return std::chrono::steady_clock::now() + gossip::test::patience;
  }
  [[nodiscard]] std::vector<std::string> arrived() {
    const std::lock_guard lock{mutex};
    return commands;
  }

  std::mutex mutex;
  std::vector<std::string> commands;
  FakeRedis server{greeting([this](const std::string& command) {
    const std::lock_guard lock{mutex};
    commands.push_back(command);
    return std::string{"+OK\r\n"};
  })};
  RedisOptions options;
  Writer writer{options, true};
};

/// Drives a conversation on the test's own thread.
struct Driver {
  explicit Driver(std::uint16_t port) {
    options.port = port;
    options.back_off_initial = options.back_off_cap = std::chrono::milliseconds{1};
    talk.start(std::chrono::steady_clock::now());
  }
  void on_ready() { ++ready; }
  void on_lost(const Status&) noexcept {}
  void on_push(Reply&) {}
  void on_state(gossip::redis::State, const Status&) {}
  static void on_reply(void* self, std::uint64_t, const Status& gone, Reply&) {
    ++(gone.ok() ? static_cast<Driver*>(self)->answered : static_cast<Driver*>(self)->failed);
  }
  [[nodiscard]] bool until_ready(int times) {
    return gossip::test::eventually([&] {
      talk.write(std::chrono::steady_clock::now());
      pollfd socket{talk.connection().descriptor(), talk.connection().interest(), 0};
      static_cast<void>(::poll(&socket, 1, 0));
      if (socket.revents != 0) talk.receive(socket.revents, std::chrono::steady_clock::now());
      talk.settle(std::chrono::steady_clock::now());
      return ready == times;
    });
  }

  RedisOptions options;
  int ready = 0;
  int answered = 0;
  int failed = 0;
  gossip::redis::Conversation<Driver> talk{options, *this, true, false, 1};
};

std::string wire_of(std::int64_t number) {
  std::string wire;
  Command{"XADD", "a.b", "1-1", "n"}.add(number).append_to(wire);
  return wire;
}

}  // namespace

TEST_CASE("Writer: an event that was taken over is sent once, whatever allocation fails",
          "[allocations]") {
  OnServer on;
  std::vector<std::string> accepted;
  int failures = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    EncodedEvent event{wire_of(static_cast<std::int64_t>(i)), {"a.b", EventId{1, i}}};
    bool taken_over = false;
    gossip::test::fail_after(i % 4);
    try {
      taken_over = on.writer.publish(event).ok();
    } catch (const std::bad_alloc&) {
      taken_over = false;
    }
    if (gossip::test::stop_failing()) ++failures;
    if (taken_over) accepted.push_back(event.wire);
    REQUIRE(on.writer.flush(OnServer::soon()).ok());
  }
  REQUIRE(failures > 10);
  REQUIRE(accepted.size() > 200);
  REQUIRE(on.arrived() == accepted);
  REQUIRE(on.writer.statistics().failed == 0);
}

TEST_CASE("Writer: a question that was taken over is answered, whatever allocation fails",
          "[allocations]") {
  OnServer on;
  std::atomic<int> answered{0};
  int asked = 0;
  int failures = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    gossip::test::fail_after(i % 8);
    try {
      on.writer.ask({"ECHO", "a text that is longer than a string holds by itself"},
                    [&](const Status&, Reply&) { ++answered; });
      ++asked;
      // Alone, so that this thread sends the question, too, unless the other one has done so.
      static_cast<void>(on.writer.publish({wire_of(0), {"a.b", EventId{1, i}}}));
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    gossip::test::stop_failing();
    REQUIRE(on.writer.flush(OnServer::soon()).ok());
  }
  REQUIRE(failures > 10);
  REQUIRE(asked > 200);
  REQUIRE(gossip::test::eventually([&] { return answered.load() == asked; }));
}

TEST_CASE("Conversation: behind what no memory was left for nothing is sent", "[allocations]") {
  std::mutex mutex;
  int arrived = 0;
  FakeRedis server{greeting([&](const std::string&) {
    const std::lock_guard lock{mutex};
    ++arrived;
    return std::string{"+OK\r\n"};
  })};
  Driver driver{server.port()};
  REQUIRE(driver.until_ready(1));
  const std::string wire = wire_of(1) + std::string(4096, ' ');
  gossip::test::fail_after(0);
  driver.talk.send_wire(wire, {&Driver::on_reply, &driver, 0});
  REQUIRE(gossip::test::stop_failing());
  driver.talk.send_wire(wire_of(2), {&Driver::on_reply, &driver, 0});
  REQUIRE(driver.until_ready(2));
  REQUIRE(driver.answered == 0);
  REQUIRE(driver.failed == 2);
  const std::lock_guard lock{mutex};
  REQUIRE(arrived == 0);
}

TEST_CASE("StreamClaims, StreamWatch: what no memory was left to ask is asked later",
          "[allocations]") {
  std::atomic<int> claimed{0};
  std::atomic<int> watched{0};
  FakeRedis server{greeting([&](const std::string& command) {
    const auto has = [&](const char* word) { return command.find(word) != std::string::npos; };
    if (has("XPENDING")) ++claimed;
    if (has("XINFO")) ++watched;
    return std::string{"*0\r\n"};
  })};
  RedisOptions options;
  options.port = server.port();
  options.group = "workers";
  Writer writer{options, true};
  writer.start();
  REQUIRE(writer.wait_until_connected(OnServer::soon()).ok());
  const auto wake = [](void*) noexcept {};
  gossip::redis::StreamIntake intake{options, writer, wake, nullptr};
  gossip::redis::StreamClaims claims{options, writer, "me", intake, wake, nullptr};
  gossip::redis::StreamWatch watch{options, writer, intake, wake, nullptr};
  const std::vector places{std::make_shared<gossip::redis::StreamPlace>(
      gossip::redis::StreamPlace::begin(options, {"a.b", "a.b", {}}))};
  const auto ask = [&] {
    claims.hurry();
    static_cast<void>(claims.turn(std::chrono::steady_clock::now(), places));
    watch.look(std::chrono::steady_clock::now(), places);
  };
  for (std::size_t i = 0; i < 60; ++i) {
    Reply echo;  // behind the answers to what was asked before
    REQUIRE(writer.ask_and_wait({"ECHO", "x"}, echo, OnServer::soon()).ok());
    gossip::test::fail_after(i);
    try {
      ask();
    } catch (const std::bad_alloc&) {
    }
    gossip::test::stop_failing();
    const int claims_before = claimed;
    const int watches_before = watched;
    REQUIRE(gossip::test::eventually([&] {
      ask();
      return claimed >= claims_before + 2 && watched >= watches_before + 2;
    }));
  }
}

TEST_CASE("Condition: a refusal is known or told by the next call, whatever allocation fails",
          "[allocations]") {
  const Status why{gossip::Errc::fatal};
  int failures = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    RedisOptions options;
    int told = 0;
    options.on_state = [&](gossip::redis::State, const Status&) { ++told; };
    gossip::redis::Condition condition{options};
    gossip::test::fail_after(i);
    const bool known =
        condition.refused("a text that is longer than a string holds by itself", why);
    if (gossip::test::stop_failing()) ++failures;
    REQUIRE(told == (known ? 1 : 0));
    REQUIRE(condition.refused("a text that is longer than a string holds by itself", why));
    REQUIRE(told == 1);
  }
  REQUIRE(failures > 1);
  REQUIRE(failures < 8);
}
