// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_intake.hpp>

#include "support/fake_redis.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

using gossip::Errc;
using gossip::Receipt;
using gossip::Status;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::StreamIntake;
using gossip::redis::Subscribed;
using gossip::redis::WireEvent;
using gossip::redis::Writer;

namespace {

/// An intake whose writer never connects, and a bus that answers what it is told to.
struct Fixture {
  explicit Fixture(RedisOptions chosen = {.unix_socket = "/nonexistent/gossip.socket"})
      : options{std::move(chosen)} {}
  RedisOptions options;
  Writer writer{options, true};
  int woken = 0;
  StreamIntake intake{options, writer,
                      [](void* self) noexcept { ++static_cast<Fixture*>(self)->woken; }, this};
  Status answer;
  int delivered = 0;
  Receipt kept;
  std::shared_ptr<const Subscribed> type = std::make_shared<const Subscribed>(
      Subscribed{"a.b", "key", [this](WireEvent&, Receipt& receipt) {
                   if (answer.ok()) {
                     ++delivered;
                     kept = std::exchange(receipt, Receipt{});
                   }
                   return answer;
                 }});

  void take(const std::string& id, const std::string& event_id) {
    Reply entry = Reply::of_array(
        {Reply::of_text(id),
         Reply::of_array({Reply::of_text("id"), Reply::of_text(event_id), Reply::of_text("type"),
                          Reply::of_text("a.b"), Reply::of_text("data"), Reply::of_text("1")})});
    intake.take(type, entry);
  }
};

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
  REQUIRE(fixture.intake.room() == fixture.options.max_in_flight);
  fixture.answer = {};
  fixture.intake.deliver();
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
  std::atomic<int> asked_to_acknowledge{0};
  gossip::test::FakeRedis server{[&](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    if (asked.find("XACK") == std::string::npos) return "+PONG\r\n";
    return ++asked_to_acknowledge == 1 ? "" : ":1\r\n";  // hangs up at first
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
}
