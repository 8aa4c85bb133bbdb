// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_intake.hpp>

#include "support/fake_redis.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using gossip::Errc;
using gossip::Receipt;
using gossip::Status;
using gossip::SteadyTime;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::StreamIntake;
using gossip::redis::Subscribed;
using gossip::redis::WireEvent;
using gossip::redis::Writer;
using namespace std::chrono_literals;

namespace {

/// An intake whose writer never connects, and a bus that answers what it is told to.
struct Fixture {
  explicit Fixture(RedisOptions chosen = {.unix_socket = "/nonexistent/gossip.socket"})
      : options{std::move(chosen)} {
    intake.refusals()->reads(type->key);
  }
  RedisOptions options;
  Writer writer{options, true};
  int woken = 0;
  StreamIntake intake{options, writer,
                      [](void* self) noexcept { ++static_cast<Fixture*>(self)->woken; }, this};
  Status answer;
  int asked = 0;
  int delivered = 0;
  Receipt kept;
  std::shared_ptr<const Subscribed> type = std::make_shared<const Subscribed>(
      Subscribed{"a.b", "key", [this](WireEvent&, Receipt& receipt) {
                   ++asked;
                   if (answer.ok()) {
                     ++delivered;
                     kept = std::exchange(receipt, Receipt{});
                   }
                   return answer;
                 }});

  void take(const std::string& id, const std::string& event_id) { take(type, id, event_id); }
  void take(const std::shared_ptr<const Subscribed>& of, const std::string& id,
            const std::string& event_id) {
    Reply entry = Reply::of_array(
        {Reply::of_text(id),
         Reply::of_array({Reply::of_text("id"), Reply::of_text(event_id), Reply::of_text("type"),
                          Reply::of_text(of->type), Reply::of_text("data"), Reply::of_text("1")})});
    intake.take(of, entry);
  }
};

/// Answers commands by their names; notes those that begin with X.
struct Scripted {
  explicit Scripted(std::map<std::string, std::string> script) : answers{std::move(script)} {}
  std::map<std::string, std::string> answers;
  std::mutex mutex;
  std::vector<std::string> asked;
  gossip::test::FakeRedis server{[this](const std::string& words) -> std::string {
    if (words.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    for (const auto& [name, answer] : answers) {
      if (words.find("\r\n" + name + "\r\n") == std::string::npos) continue;
      const std::lock_guard lock{mutex};
      asked.push_back(words);
      return answer;
    }
    return "+OK\r\n";
  }};
  std::size_t count(const std::string& name) {
    const std::lock_guard lock{mutex};
    std::size_t found = 0;
    for (const auto& words : asked) found += words.find(name) != std::string::npos ? 1 : 0;
    return found;
  }
  RedisOptions options() {
    RedisOptions chosen;
    chosen.port = server.port();
    chosen.group = "workers";
    return chosen;
  }
};

constexpr const char* denied = "-NOPERM no permissions to run this command\r\n";

}  // namespace

TEST_CASE("StreamIntake: an event is in flight until it is settled, and then known", "[redis]") {
  Fixture fixture;
  fixture.take("1-0", "event-1");
  REQUIRE(fixture.delivered == 1);
  REQUIRE(fixture.intake.holds("key", "1-0"));
  fixture.take("1-0", "event-1");  // claimed from ourselves
  REQUIRE(fixture.delivered == 1);
  fixture.kept = Receipt{};
  REQUIRE(fixture.woken == 1);
  REQUIRE(fixture.intake.settled_waiting());
  fixture.intake.settle();
  REQUIRE(fixture.intake.room() == fixture.options.max_in_flight);
  fixture.take("2-0", "event-1");  // published twice
  REQUIRE(fixture.delivered == 1);
  REQUIRE(fixture.intake.statistics().duplicates == 1);
}

TEST_CASE("StreamIntake: a failed event is not known, so that it may come again", "[redis]") {
  Fixture fixture;
  fixture.take("1-0", "event-1");
  fixture.kept.fail();
  fixture.kept = Receipt{};
  fixture.intake.settle();
  REQUIRE(fixture.intake.statistics().not_handled == 1);
  fixture.take("1-0", "event-1");
  REQUIRE(fixture.delivered == 2);
}

TEST_CASE("StreamIntake: what finds no room waits, in order", "[redis]") {
  Fixture fixture;
  fixture.answer = Errc::queue_full;
  fixture.take("1-0", "event-1");
  fixture.take("2-0", "event-2");
  REQUIRE(fixture.intake.backlog() == 2);
  REQUIRE(fixture.intake.room() == fixture.options.max_in_flight - 2);
  fixture.answer = {};
  fixture.intake.deliver(fixture.intake.due());
  REQUIRE(fixture.delivered == 2);
  REQUIRE(fixture.intake.backlog() == 0);
  REQUIRE(fixture.woken == 1);  // the first one's receipt was dropped for the second one's
}

TEST_CASE("StreamIntake: what nobody can read is counted as buried, what was trimmed as trimmed",
          "[redis]") {
  Fixture fixture;
  fixture.answer = gossip::ValidationError{"data", "no number"};
  fixture.take("1-0", "event-1");
  REQUIRE(fixture.intake.statistics().dead_lettered == 1);
  Reply trimmed = Reply::of_array({Reply::of_text("2-0"), Reply::of_nil()});
  fixture.intake.take(fixture.type, trimmed);
  REQUIRE(fixture.intake.statistics().trimmed == 1);
  REQUIRE(fixture.intake.room() == fixture.options.max_in_flight);
}

TEST_CASE("StreamIntake: without a group an entry that is too large is told of, with its id",
          "[redis]") {
  std::vector<std::string> told;
  RedisOptions options{.unix_socket = "/nonexistent/gossip.socket"};
  options.on_undecodable = [&](std::string_view type, std::string_view data, const Status& why) {
    told.push_back(std::string{type} + " '" + std::string{data} + "' " + std::string{why.what()});
  };
  Fixture fixture{options};
  Reply entry = Reply::of_array(
      {Reply::of_text("1-0"), Reply::of_array({Reply::of_text("data"), Reply::of_text("1")})});
  entry.items[1].truncated = true;
  fixture.intake.take(fixture.type, entry);
  REQUIRE(told ==
          std::vector<std::string>{
              "a.b '' validation failed: field=entry: 1-0 is too large for maximum_payload"});
  REQUIRE(fixture.intake.statistics().dead_lettered == 1);
  REQUIRE(fixture.intake.statistics().trimmed == 0);
  REQUIRE(fixture.delivered == 0);
}

TEST_CASE("StreamIntake: a receipt may outlive it", "[redis]") {
  Receipt kept;
  {
    Fixture fixture;
    fixture.take("1-0", "event-1");
    kept = std::move(fixture.kept);
  }
  kept = Receipt{};
}

TEST_CASE("StreamIntake: an acknowledgement that is lost is sent again, and takes room till then",
          "[redis]") {
  const std::string at_first = GENERATE("", "-READONLY it is a replica now\r\n");  // or it hangs up
  std::atomic<int> asked_to_acknowledge{0};
  gossip::test::FakeRedis server{[&](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    if (asked.find("XACK") == std::string::npos) return "+PONG\r\n";
    return ++asked_to_acknowledge == 1 ? at_first : ":1\r\n";
  }};
  RedisOptions options;
  options.port = server.port();
  options.group = "workers";
  options.max_in_flight = 2;
  options.back_off_initial = std::chrono::milliseconds{1};
  Fixture fixture{options};
  fixture.take("1-0", "event-1");
  REQUIRE(fixture.intake.room() == 1);
  fixture.kept = Receipt{};
  fixture.intake.settle();
  REQUIRE(fixture.intake.room() == 1);  // handled, but the server does not know
  fixture.writer.start();
  REQUIRE(gossip::test::eventually([&] { return fixture.intake.statistics().acknowledged == 1; }));
  REQUIRE(fixture.intake.room() == 2);
  REQUIRE(asked_to_acknowledge == 2);
  REQUIRE(server.connections() == 2);
}

TEST_CASE("StreamIntake: while the bus is full what waits is tried less and less often",
          "[redis]") {
  Fixture fixture;
  fixture.take("1-0", "event-1");
  fixture.answer = Errc::queue_full;
  const SteadyTime begin = std::chrono::steady_clock::now();
  fixture.take("2-0", "event-2");
  fixture.take("3-0", "event-3");
  REQUIRE(fixture.asked == 2);
  SteadyTime now = begin;
  for (; now < begin + 10s; now += 5ms) fixture.intake.deliver(now);
  REQUIRE(fixture.asked > 10'000 / 210);
  REQUIRE(fixture.asked < 60);
  const int before = fixture.asked;
  fixture.kept = Receipt{};
  fixture.intake.settle();
  fixture.intake.deliver(now);  // at once, since something is done with
  REQUIRE(fixture.asked == before + 1);
  REQUIRE(fixture.intake.due() == now + 5ms);
  fixture.answer = {};
  fixture.intake.deliver(fixture.intake.due());
  REQUIRE(fixture.delivered == 3);
}

TEST_CASE("StreamIntake: what waits for room is held, so that its claim is refreshed", "[redis]") {
  Fixture fixture;
  fixture.answer = Errc::queue_full;
  fixture.take("1-0", "event-1");
  REQUIRE(fixture.intake.holds("key", "1-0"));
  REQUIRE(fixture.intake.held_since(std::chrono::steady_clock::now())["key"].size() == 1);
  fixture.take("1-0", "event-1");  // claimed from ourselves
  REQUIRE(fixture.intake.backlog() == 1);
}

TEST_CASE("StreamIntake: once the bus is closed nothing is taken, and nothing is held", "[redis]") {
  Fixture fixture;
  fixture.answer = Errc::queue_full;
  fixture.take("1-0", "event-1");
  fixture.take("2-0", "event-2");
  REQUIRE_FALSE(fixture.intake.closed());
  fixture.answer = Errc::closed;
  fixture.intake.deliver(fixture.intake.due());
  REQUIRE(fixture.intake.closed());
  REQUIRE(fixture.intake.held() == 0);
  fixture.answer = {};
  fixture.take("3-0", "event-3");
  REQUIRE(fixture.delivered == 0);
}

TEST_CASE("StreamIntake: equal ids in two streams are two events", "[redis]") {
  Fixture fixture;
  const auto other =
      std::make_shared<const Subscribed>(Subscribed{"a.c", "other", fixture.type->inbound});
  fixture.take("1-0", "42");
  const Receipt first = std::exchange(fixture.kept, Receipt{});
  fixture.take(other, "1-0", "42");  // while the first runs
  REQUIRE(fixture.delivered == 2);
  fixture.kept = Receipt{};
  fixture.intake.settle();
  fixture.take("2-0", "43");
  fixture.kept = Receipt{};
  fixture.intake.settle();
  fixture.take(other, "2-0", "43");  // after the first
  REQUIRE(fixture.delivered == 4);
  REQUIRE(fixture.intake.statistics().duplicates == 0);
}

TEST_CASE("StreamIntake: without a group what cannot be decoded is told", "[redis]") {
  std::string told;
  RedisOptions options{.unix_socket = "/nonexistent/gossip.socket"};
  options.on_undecodable = [&](std::string_view type, std::string_view data, const Status& why) {
    told = std::string{type} + '|' + std::string{data} + '|' + std::string{why.what()};
  };
  Fixture fixture{options};
  fixture.answer = gossip::ValidationError{"data", "no number"};
  fixture.take("1-0", "event-1");
  REQUIRE(told.find("a.b|1|") == 0);
  REQUIRE(told.find("no number") != std::string::npos);
}

TEST_CASE("StreamIntake: without a group what finds no memory is tried again, up to a limit",
          "[redis]") {
  int told = 0;
  RedisOptions options{.unix_socket = "/nonexistent/gossip.socket"};
  options.on_undecodable = [&](std::string_view, std::string_view, const Status&) { ++told; };
  Fixture fixture{options};
  fixture.answer = Errc::retryable;
  fixture.take("1-0", "event-1");
  fixture.take("2-0", "event-2");
  REQUIRE(fixture.asked == 1);
  REQUIRE(told == 0);
  fixture.answer = {};
  fixture.intake.deliver(fixture.intake.due());
  REQUIRE(fixture.delivered == 2);

  fixture.answer = Errc::retryable;  // now for ever
  fixture.take("3-0", "event-3");
  for (int turn = 0; turn < 100; ++turn) fixture.intake.deliver(fixture.intake.due());
  REQUIRE(told == 1);
  REQUIRE(fixture.asked == 3 + 8);
  REQUIRE_FALSE(fixture.intake.holds("key", "3-0"));
}

TEST_CASE("StreamIntake: the dead letter has the fields as they were received", "[redis]") {
  Scripted redis{{{"XADD", "$3\r\n9-0\r\n"}, {"XACK", ":1\r\n"}}};
  Fixture fixture{redis.options()};
  fixture.answer = gossip::ValidationError{"data", "no number"};
  fixture.writer.start();
  Reply entry = Reply::of_array(
      {Reply::of_text("1-0"),
       Reply::of_array({Reply::of_text("data"), Reply::of_text("1"), Reply::of_text("trace"),
                        Reply::of_text("abc"), Reply::of_text("type"), Reply::of_text("a.b")})});
  fixture.intake.take(fixture.type, entry);
  REQUIRE(fixture.intake.holds("key", "1-0"));  // until it is buried
  REQUIRE(gossip::test::eventually([&] { return fixture.intake.settled_waiting(); }));
  fixture.intake.settle();
  REQUIRE(gossip::test::eventually([&] { return redis.count("XACK") == 1; }));
  REQUIRE_FALSE(fixture.intake.holds("key", "1-0"));
  REQUIRE(fixture.intake.statistics().dead_lettered == 1);
  REQUIRE(redis.count(
              "$4\r\ndata\r\n$1\r\n1\r\n$5\r\ntrace\r\n$3\r\nabc\r\n$4\r\ntype\r\n$3\r\na.b\r\n") ==
          1);
  REQUIRE(redis.count("$15\r\ndead-deliveries\r\n$1\r\n1\r\n") == 1);
  entry.items[0] = Reply::of_text("2-0");
  entry.items[1] = Reply::of_array({Reply::of_text("data"), Reply::of_text("no event")});
  fixture.intake.take(fixture.type, entry, 3);  // claimed from somebody
  REQUIRE(gossip::test::eventually(
      [&] { return redis.count("$15\r\ndead-deliveries\r\n$1\r\n3\r\n") == 1; }));
  REQUIRE(redis.count("$2\r\nid\r\n") == 0);
  REQUIRE(redis.count("$4\r\ntime\r\n") == 0);
}

TEST_CASE("StreamIntake: refused acknowledgements are told once; nothing runs or is buried again",
          "[redis]") {
  Scripted redis{{{"XADD", "$3\r\n9-0\r\n"}, {"XACK", denied}}};
  auto options = redis.options();
  std::atomic<int> degraded{0};
  options.on_state = [&](gossip::redis::State state, const Status& why) {
    if (state != gossip::redis::State::degraded) return;
    if (std::string{why.what()}.find("XACK key: NOPERM") != std::string::npos) ++degraded;
  };
  Fixture fixture{options};
  const bool buried = GENERATE(true, false);
  if (buried) fixture.answer = gossip::ValidationError{"data", "no number"};
  fixture.writer.start();
  for (std::size_t round = 1; round <= 3; ++round) {
    fixture.take("1-0", "event-1");  // it stays pending, so that it is claimed again
    fixture.kept = Receipt{};
    REQUIRE(gossip::test::eventually([&] {
      fixture.intake.settle();
      return redis.count("XACK") == round && fixture.intake.room() == fixture.options.max_in_flight;
    }));
  }
  REQUIRE(degraded == 1);
  REQUIRE(redis.count("XADD") == (buried ? 1 : 0));
  REQUIRE(fixture.delivered == (buried ? 0 : 1));
  fixture.intake.bury(*fixture.type, "1-0", {}, Errc::fatal, 5);  // nor when it came too often
  REQUIRE(gossip::test::eventually([&] { return redis.count("XACK") == 4; }));
  REQUIRE(redis.count("XADD") == (buried ? 1 : 0));
}

TEST_CASE("StreamIntake: a refused dead letter is told, and tried again when it is claimed",
          "[redis]") {
  Scripted redis{{{"XADD", denied}, {"XACK", ":1\r\n"}}};
  auto options = redis.options();
  std::atomic<int> degraded{0};
  options.on_state = [&](gossip::redis::State state, const Status& why) {
    if (state != gossip::redis::State::degraded) return;
    if (std::string{why.what()}.find("XADD key.dead: NOPERM") != std::string::npos) ++degraded;
  };
  Fixture fixture{options};
  fixture.answer = gossip::ValidationError{"data", "no number"};
  fixture.writer.start();
  for (std::size_t round = 1; round <= 2; ++round) {
    fixture.take("1-0", "event-1");
    REQUIRE(gossip::test::eventually([&] {
      fixture.intake.settle();
      return redis.count("XADD") == round && fixture.intake.held() == 0;
    }));
  }
  REQUIRE(degraded == 1);
  REQUIRE(redis.count("XACK") == 0);
  REQUIRE(fixture.intake.statistics().dead_lettered == 0);
}

TEST_CASE("StreamIntake: the writer's end waits for a dead letter to be written", "[redis]") {
  gossip::test::Door is_asked;
  gossip::test::Door may_answer;
  gossip::test::FakeRedis server{gossip::test::greeting([&](const std::string&) -> std::string {
    is_asked.open();
    static_cast<void>(may_answer.wait());
    return "$3\r\n9-0\r\n";
  })};
  RedisOptions options;
  options.port = server.port();
  options.group = "workers";
  Fixture fixture{options};
  fixture.answer = gossip::ValidationError{"data", "no number"};
  fixture.writer.start();
  fixture.take("1-0", "event-1");
  REQUIRE(is_asked.wait());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds{100};
  fixture.writer.close(deadline);
  const bool waited = std::chrono::steady_clock::now() >= deadline;
  may_answer.open();
  REQUIRE(waited);
  fixture.intake.settle();
  REQUIRE(fixture.intake.statistics().dead_lettered == 0);  // as far as is known
}
