// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_intake.hpp>

#include <catch2/catch_test_macros.hpp>

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
  RedisOptions options = [] {
    RedisOptions chosen;
    chosen.unix_socket = "/nonexistent/gossip.socket";
    return chosen;
  }();
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
  REQUIRE(fixture.intake.in_flight() == 0);
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
  REQUIRE(fixture.intake.in_flight() == 0);
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
  REQUIRE(fixture.intake.in_flight() == 0);
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
