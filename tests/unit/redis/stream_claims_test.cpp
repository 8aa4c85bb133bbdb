// SPDX-License-Identifier: MIT
#include <gossip/redis/resp.hpp>
#include <gossip/redis/stream_claims.hpp>

#include "support/fake_redis.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using gossip::Receipt;
using gossip::Status;
using gossip::SteadyTime;
using gossip::redis::append_bulks;
using gossip::redis::append_head;
using gossip::redis::RedisOptions;
using gossip::redis::StreamClaims;
using gossip::redis::StreamIntake;
using gossip::redis::StreamPlace;
using gossip::redis::Subscribed;
using gossip::redis::WireEvent;
using gossip::redis::Writer;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using gossip::test::greeting;
using namespace std::chrono_literals;

namespace {

/// A server at which as much is pending as it is asked for, and which hangs up when it is claimed.
struct HangsUp {
  std::vector<int> asked_for() {
    const std::lock_guard lock{mutex};
    return numbers;
  }
  std::string pending(const std::string& question) {
    const auto end = question.rfind("\r\n");
    const auto begin = question.rfind('\n', end - 1) + 1;
    const int number = std::stoi(question.substr(begin, end - begin));
    const std::lock_guard lock{mutex};
    numbers.push_back(number);
    std::string reply;
    append_head(reply, '*', static_cast<std::size_t>(number));
    for (int i = 0; i < number; ++i) {
      reply += "*4\r\n";
      append_bulks(reply, {std::to_string(1000 + i), "gone"});
      reply += ":9999999\r\n:1\r\n";
    }
    return reply;
  }

  std::mutex mutex;
  std::vector<int> numbers;
  FakeRedis server{greeting([this](const std::string& asked) -> std::string {
    if (asked.find("XPENDING") != std::string::npos) return pending(asked);
    return asked.find("XCLAIM") != std::string::npos ? "" : "+PONG\r\n";
  })};
};

/// A server at which one entry is pending with a consumer that is gone, and which keeps what is buried.
class OneGone {
 public:
  /// @param deliveries  how often it was delivered
  /// @param entry       the answer to XCLAIM
  OneGone(const std::string& deliveries, const std::string& entry)
      : server_{[=, this](const std::string& asked) -> std::string {
          const auto has = [&](const char* word) { return asked.find(word) != std::string::npos; };
          if (has("HELLO")) return gossip::test::hello_reply;
          if (has("XPENDING")) {
            return "*1\r\n*4\r\n$3\r\n1-0\r\n$4\r\ngone\r\n:99999\r\n:" + deliveries + "\r\n";
          }
          if (has("XCLAIM")) return entry;
          const std::lock_guard lock{mutex_};
          if (has("XADD")) buried_ = asked;
          return ":1\r\n";
        }} {}

  [[nodiscard]] RedisOptions options() const {
    RedisOptions options;
    options.port = server_.port();
    options.group = "workers";
    return options;
  }
  /// What was written last to the stream of those that are dead.
  std::string buried() {
    const std::lock_guard lock{mutex_};
    return buried_;
  }

 private:
  std::mutex mutex_;
  std::string buried_;
  FakeRedis server_;
};

/// Claims events of one stream by a writer that connects.
struct Claiming {
  explicit Claiming(const RedisOptions& chosen) : options{chosen} {
    writer.start();
    REQUIRE(eventually([&] { return writer.connected(); }));
  }
  static void wake(void*) noexcept {}

  const RedisOptions options;
  Writer writer{options, true};
  StreamIntake intake{options, writer, &wake, nullptr};
  StreamClaims claims{options, writer, "me", intake, &wake, nullptr};
  std::shared_ptr<StreamPlace> place = std::make_shared<StreamPlace>(StreamPlace::begin(
      options, Subscribed{"a.b", "a.b", [](WireEvent&, Receipt&) { return Status{}; }}));
};

}  // namespace

// What it says to a server, and what comes of it, is tested with one: stream_reader_test.cpp.
TEST_CASE("StreamClaims: it comes again after a third of claim_after", "[redis]") {
  RedisOptions options;
  options.unix_socket = "/nonexistent/gossip.socket";
  options.group = "workers";
  options.claim_after = 300ms;
  Writer writer{options, true};
  const auto wake = [](void*) noexcept {};
  StreamIntake intake{options, writer, wake, nullptr};
  StreamClaims claims{options, writer, "me", intake, wake, nullptr};
  const SteadyTime now{1h};
  REQUIRE(claims.turn(now, {}) == now + 100ms);
  REQUIRE(claims.turn(now + 99ms, {}) == now + 100ms);
  REQUIRE(claims.turn(now + 100ms, {}) == now + 200ms);
  claims.hurry();
  REQUIRE(claims.turn(now + 101ms, {}) == now + 201ms);
  REQUIRE(claims.refresh(now + 200ms) == now + 201ms);  // what is held is kept as often
  REQUIRE_FALSE(claims.has_claimed());
}

TEST_CASE("StreamClaims: after each lost answer it claims half as much", "[redis]") {
  HangsUp hangs_up;
  RedisOptions options;
  options.port = hangs_up.server.port();
  options.group = "workers";
  options.back_off_initial = options.back_off_cap = 1ms;
  Writer writer{options, true};
  const auto wake = [](void*) noexcept {};
  StreamIntake intake{options, writer, wake, nullptr};
  StreamClaims claims{options, writer, "me", intake, wake, nullptr};
  const auto place = std::make_shared<StreamPlace>(StreamPlace::begin(
      options, Subscribed{"a.b", "a.b", [](WireEvent&, Receipt&) { return Status{}; }}));
  writer.start();
  for (int losses = 0; losses < 4; ++losses) {
    REQUIRE(
        eventually([&] { return hangs_up.server.connections() > losses && writer.connected(); }));
    claims.hurry();
    static_cast<void>(claims.turn(SteadyTime{1h}, {place}));
    REQUIRE(eventually([&] { return hangs_up.server.connections() == losses + 2; }));
  }
  REQUIRE(hangs_up.asked_for() == std::vector{100, 50, 25, 12});
}

TEST_CASE("StreamClaims: what is claimed and cannot be decoded is buried with its deliveries",
          "[redis]") {
  OneGone server{"2", "*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n"};
  Claiming claiming{server.options()};
  static_cast<void>(claiming.claims.turn(SteadyTime{1h}, {claiming.place}));
  REQUIRE(eventually([&] { return claiming.claims.has_claimed(); }));
  REQUIRE_FALSE(claiming.claims.take_claimed());
  REQUIRE(claiming.intake.being_buried() == 1);
  REQUIRE(eventually([&] { return claiming.intake.settled_waiting(); }));
  claiming.intake.settle();
  REQUIRE(claiming.intake.being_buried() == 0);
  REQUIRE(server.buried().find("dead-deliveries\r\n$1\r\n3\r\n") != std::string::npos);
}

TEST_CASE("StreamClaims: what came too often and is too large is buried with both reasons",
          "[redis]") {
  std::string claimed{"*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n"};
  append_bulks(claimed, {"data", std::string(std::size_t{2} << 20U, 'x')});
  OneGone server{"5", claimed};
  RedisOptions options = server.options();
  options.maximum_payload = 1;  // and 1 MiB beside it
  Claiming claiming{options};
  static_cast<void>(claiming.claims.turn(SteadyTime{1h}, {claiming.place}));
  REQUIRE(eventually([&] { return claiming.claims.has_claimed(); }));
  REQUIRE_FALSE(claiming.claims.take_claimed());
  REQUIRE(eventually([&] { return claiming.intake.settled_waiting(); }));
  REQUIRE(server.buried().find("delivered too often") != std::string::npos);
  REQUIRE(server.buried().find("1-0 is too large for maximum_payload") != std::string::npos);
}

TEST_CASE("StreamClaims: where somebody else has claimed a whole page it goes on at once",
          "[redis]") {
  FakeRedis server{greeting([&](const std::string& asked) -> std::string {
    const auto has = [&](const char* word) { return asked.find(word) != std::string::npos; };
    if (has("XPENDING")) return "*1\r\n*4\r\n$3\r\n1-0\r\n$4\r\ngone\r\n:99999\r\n:2\r\n";
    if (has("XCLAIM")) return "*0\r\n";
    return "*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n";  // it is still there
  })};
  RedisOptions options;
  options.port = server.port();
  options.group = "workers";
  options.max_in_flight = 1;  // a page of one
  Claiming claiming{options};
  static_cast<void>(claiming.claims.turn(SteadyTime{1h}, {claiming.place}));
  REQUIRE(eventually([&] { return claiming.claims.has_claimed(); }));
  REQUIRE(claiming.claims.take_claimed());
  REQUIRE_FALSE(claiming.claims.has_claimed());
}

TEST_CASE("StreamClaims: without an answer it does not ask again", "[redis]") {
  std::atomic<int> asked_for{0};
  std::atomic<bool> marked{false};
  FakeRedis server{greeting([&](const std::string& asked) -> std::string {
    if (asked.find("XPENDING") != std::string::npos) ++asked_for;
    if (asked.find("ECHO") != std::string::npos) marked = true;
    return "*9\r\n";  // and no more of it
  })};
  RedisOptions options;
  options.port = server.port();
  options.group = "workers";
  Claiming claiming{options};
  for (int i = 0; i < 5; ++i) {
    claiming.claims.hurry();
    static_cast<void>(claiming.claims.turn(SteadyTime{1h}, {claiming.place}));
  }
  claiming.writer.ask({"ECHO", "behind them"}, [](const Status&, gossip::redis::Reply&) {});
  REQUIRE(eventually([&] { return marked.load(); }));
  REQUIRE(asked_for == 1);
}
