// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_acknowledgements.hpp>

#include "support/fake_redis.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <string>

using gossip::redis::RedisOptions;
using gossip::redis::StreamAcknowledgements;
using gossip::redis::Writer;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using gossip::test::greeting;
using namespace std::chrono_literals;

namespace {

struct OnServer {
  explicit OnServer(std::string answer_to_xack, std::string group = "workers")
      : answer{std::move(answer_to_xack)} {
    options.port = server.port();
    options.group = std::move(group);
    options.max_in_flight = 3;
    writer.start();
  }
  std::string answer;
  std::atomic<int> asked{0};
  std::atomic<int> woken{0};
  FakeRedis server{greeting([this](const std::string&) {
    ++asked;
    return answer;
  })};
  RedisOptions options;
  Writer writer{options, true};
  StreamAcknowledgements acknowledgements{
      options, writer, [](void* self) noexcept { ++static_cast<OnServer*>(self)->woken; }, this};
};

}  // namespace

TEST_CASE("StreamAcknowledgements: what is not confirmed takes room", "[redis]") {
  OnServer on{":2\r\n"};
  REQUIRE(on.acknowledgements.room_beside(1) == 2);
  REQUIRE(on.acknowledgements.room_beside(3) == 0);  // from now on it wakes
  on.acknowledgements.send("a", {"1-0", "2-0"});
  REQUIRE(eventually([&] { return on.woken == 1; }));
  REQUIRE(on.acknowledgements.confirmed() == 2);
  REQUIRE(on.acknowledgements.has_room_again());
  REQUIRE(on.acknowledgements.take_room());
  REQUIRE_FALSE(on.acknowledgements.take_room());
  REQUIRE(on.acknowledgements.room_beside(0) == 3);
  on.acknowledgements.send("a", {});
  REQUIRE(on.asked == 1);
}

TEST_CASE("StreamAcknowledgements: what was refused is sent again when the entry comes again",
          "[redis]") {
  OnServer on{"-NOPERM no XACK\r\n"};
  REQUIRE_FALSE(on.acknowledgements.send_again({"a", "1-0"}));
  on.acknowledgements.send("a", {"1-0"});
  REQUIRE(eventually([&] { return on.acknowledgements.room_beside(0) == 3; }));
  REQUIRE(on.acknowledgements.confirmed() == 0);
  REQUIRE(on.acknowledgements.send_again({"a", "1-0"}));
  REQUIRE(eventually([&] { return on.asked == 2; }));
}

TEST_CASE("StreamAcknowledgements: what fails again while it is sent stays known", "[redis]") {
  OnServer on{"-NOPERM no XACK\r\n"};
  on.acknowledgements.send("a", {"1-0"});
  REQUIRE(eventually([&] { return on.acknowledgements.room_beside(0) == 3; }));
  on.writer.close(std::chrono::steady_clock::now());  // it answers at once from now on
  REQUIRE(on.acknowledgements.send_again({"a", "1-0"}));
  REQUIRE(on.acknowledgements.send_again({"a", "1-0"}));
}

TEST_CASE("StreamAcknowledgements: the writer's end waits for what the server says", "[redis]") {
  Door is_asked;
  Door may_answer;
  FakeRedis server{greeting([&](const std::string&) -> std::string {
    is_asked.open();
    static_cast<void>(may_answer.wait());
    return ":1\r\n";
  })};
  RedisOptions options;
  options.port = server.port();
  options.group = "workers";
  Writer writer{options, true};
  StreamAcknowledgements acknowledgements{options, writer, [](void*) noexcept {}, nullptr};
  writer.start();
  acknowledgements.send("a", {"1-0"});
  REQUIRE(is_asked.wait());
  const auto deadline = std::chrono::steady_clock::now() + 100ms;
  writer.close(deadline);
  const bool waited = std::chrono::steady_clock::now() >= deadline;
  may_answer.open();
  REQUIRE(waited);
}

TEST_CASE("StreamAcknowledgements: without a group there is nothing to acknowledge", "[redis]") {
  OnServer on{":1\r\n", ""};
  on.acknowledgements.send("a", {"1-0"});
  REQUIRE(on.acknowledgements.room_beside(0) == 3);
  REQUIRE(on.asked == 0);
}
